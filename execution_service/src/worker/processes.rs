//! Commands in sessions.

use std::collections::BTreeMap;

use super::{Worker, WorkerError};
use crate::execution::kernel::KernelError;
use crate::execution::sharing::What;
use crate::language::environment_of;
use crate::sandbox::backend::{ProcessId, SandboxError, Signal};
use crate::sandbox::spec::{Command, ControlChannel, Stdin, WORKSPACE};
use crate::sandbox::workspace::WorkspacePath;
use crate::session::processes::{Events, MOST_OF_AN_OWNER, ProcessError};

/// A command to start.
#[derive(Clone, Debug)]
pub struct NewProcess {
    /// The session.
    pub session: String,
    /// Whose it is.
    pub owner: String,
    /// The program and its arguments; at least one.
    pub command: Vec<String>,
    /// Variables added to the session's.
    pub env: BTreeMap<String, String>,
    /// Below the workspace; absent for the workspace itself.
    pub working_directory: Option<WorkspacePath>,
    /// Whether its standard input stays open.
    pub open_stdin: bool,
}

impl Worker {
    /// Starts a command in a session and gives what it says. It goes on when nobody listens.
    ///
    /// # Errors
    /// No such session, too many commands, a program that cannot be executed.
    pub async fn start_process(&self, new: NewProcess) -> Result<Events, WorkerError> {
        self.accepts_work()?;
        let session = self.sessions.get(&new.session, &new.owner)?;
        let NewProcess { session: _, owner: _, command, env, working_directory, open_stdin } = new;
        let own: usize =
            self.sessions.of(&session.owner).iter().map(|session| session.processes.places()).sum();
        if own >= MOST_OF_AN_OWNER {
            return Err(ProcessError::TooManyOfOwner.into());
        }
        let place = session.processes.reserve()?;
        let Some((program, args)) = command.split_first() else {
            return Err(WorkerError::EmptyCommand);
        };
        let executables =
            self.discovery.found.iter().map(|found| found.toolchain.executable.as_path());
        let mut all = environment_of(executables);
        all.extend(session.env.clone());
        all.extend(env);
        session.wake().await?;
        let share = session.activity.begin(What::Command);
        let started = session.sandbox.start(Command {
            program: program.clone(),
            args: args.to_vec(),
            env: all,
            working_directory: match working_directory {
                Some(path) => format!("{WORKSPACE}/{path}"),
                None => String::from(WORKSPACE),
            },
            stdin: if open_stdin { Stdin::Pipe } else { Stdin::Null },
            control: ControlChannel::None,
        });
        let process = self.answer(&session, started.await)?;
        session.deadline.touch();
        let (events, driven) = place.run(process, command, share, session.ended.clone());
        self.tasks.spawn("process", driven);
        session.stay_awake(session.limits.sandbox, None).await?;
        Ok(events)
    }

    /// Sends a signal to a command of a session, and to its process group.
    ///
    /// # Errors
    /// No such session or command.
    pub async fn signal_process(
        &self,
        session: (&str, &str),
        process: ProcessId,
        signal: Signal,
    ) -> Result<(), WorkerError> {
        let session = self.sessions.get(session.0, session.1)?;
        let process = session.processes.get(process)?;
        session.deadline.touch();
        session.wake().await?;
        match session.sandbox.signal(process.id, signal).await {
            // Of a signal it means as well that nothing was heard for a moment, which a busy machine may take.
            Err(error @ SandboxError::Gone) if !session.sandbox.is_gone() => {
                Err(KernelError::from(error).into())
            }
            sent => self.answer(&session, sent),
        }
    }

    /// Writes to the standard input of a command, and ends it if `end`.
    ///
    /// # Errors
    /// No such session or command, or an input that is not open.
    pub async fn write_stdin(
        &self,
        session: (&str, &str),
        process: ProcessId,
        data: &[u8],
        end: bool,
    ) -> Result<(), WorkerError> {
        let session = self.sessions.get(session.0, session.1)?;
        session.deadline.touch();
        session.wake().await?;
        Ok(session.processes.get(process)?.write(data, end).await?)
    }
}
