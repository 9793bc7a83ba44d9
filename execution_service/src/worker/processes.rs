//! Commands in sessions.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::{Worker, WorkerError};
use crate::execution::kernel::KernelError;
use crate::execution::sharing::What;
use crate::language::environment;
use crate::sandbox::backend::{ProcessId, ProcessTree, SandboxError, Signal};
use crate::sandbox::spec::{Command, ControlChannel, Stdin, TerminalSize, WORKSPACE};
use crate::sandbox::workspace::WorkspacePath;
use crate::session::Session;
use crate::session::processes::{MOST_OF_AN_OWNER, ProcessError, SessionProcess, Start};

/// How long a command may take to end by itself when its time is up.
const GRACE: Duration = Duration::from_secs(2);
/// How long one that is killed may take to be gone.
const DYING: Duration = Duration::from_secs(5);
/// What a terminal is, to programs that ask: what nearly every terminal of today understands.
const TERM: &str = "xterm-256color";

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
    /// What its standard input begins with.
    pub stdin: Vec<u8>,
    /// Whether that stays open.
    pub open_stdin: bool,
    /// How long it may run.
    pub timeout: Option<Duration>,
    /// The size of its terminal, if it is to have one.
    pub terminal: Option<TerminalSize>,
    /// What its caller calls it.
    pub tag: String,
    /// Whether somebody waits for its end.
    pub awaited: bool,
}

impl Worker {
    /// Starts a command in a session, which goes on whoever goes away.
    ///
    /// # Errors
    /// No such session, too many commands, a program that cannot be executed.
    pub async fn start_process(
        self: &Arc<Self>,
        new: NewProcess,
    ) -> Result<Arc<SessionProcess>, WorkerError> {
        self.accepts_work()?;
        let session = self.sessions.get(&new.session, &new.owner)?;
        let worker = Arc::clone(self);
        // To its end, also when who asked goes away: what has been started must be known.
        let starting = async move { worker.start_in(&session, new).await };
        let started = self.tasks.spawn("start process", starting).await;
        started.unwrap_or(Err(WorkerError::ShuttingDown))
    }

    async fn start_in(
        &self,
        session: &Arc<Session>,
        new: NewProcess,
    ) -> Result<Arc<SessionProcess>, WorkerError> {
        let own: usize =
            self.sessions.of(&session.owner).iter().map(|session| session.processes.places()).sum();
        if own >= MOST_OF_AN_OWNER {
            return Err(ProcessError::TooManyOfOwner.into());
        }
        let place = session.processes.reserve()?;
        let command = Self::command(session, &new)?;
        session.wake().await?;
        let share = session.activity.begin(What::Command);
        if !new.awaited {
            share.abandon();
        }
        let process = self.answer(session, session.sandbox.start(command).await)?;
        session.deadline.touch();
        let NewProcess { command, tag, stdin: input, open_stdin: open_input, .. } = new;
        let start = Start { command, tag, input, open_input };
        let (process, driven) = place.run(process, start, share, session.ended.clone())?;
        self.tasks.spawn("process", driven);
        session.stay_awake(session.limits.sandbox, None).await?;
        if let Some(timeout) = new.timeout {
            let (session, process) = (Arc::clone(session), Arc::clone(&process));
            self.tasks.spawn("timeout of a process", async move {
                end_after(timeout, &session, &process).await;
            });
        }
        Ok(process)
    }

    /// What the sandbox is to start.
    fn command(session: &Session, new: &NewProcess) -> Result<Command, WorkerError> {
        let Some((program, args)) = new.command.split_first() else {
            return Err(WorkerError::EmptyCommand);
        };
        let mut env = environment("", &[]);
        if new.terminal.is_some() {
            env.insert(String::from("TERM"), String::from(TERM));
        }
        let mut command = Command {
            program: program.clone(),
            args: args.to_vec(),
            env,
            working_directory: match &new.working_directory {
                Some(path) => format!("{WORKSPACE}/{path}"),
                None => String::from(WORKSPACE),
            },
            stdin: match new.terminal {
                Some(size) => Stdin::Terminal(size),
                None if new.open_stdin || !new.stdin.is_empty() => Stdin::Pipe,
                None => Stdin::Null,
            },
            control: ControlChannel::None,
        };
        session.toolchains.make_found_by(&mut command);
        command.env.extend(session.network_variables());
        command.env.extend(session.env.clone());
        command.env.extend(new.env.clone());
        Ok(command)
    }

    /// A command of a session, that runs or has ended lately.
    ///
    /// # Errors
    /// No such session or command.
    pub fn process(
        &self,
        session: (&str, &str),
        process: ProcessId,
    ) -> Result<Arc<SessionProcess>, WorkerError> {
        Ok(self.sessions.get(session.0, session.1)?.processes.get(process)?)
    }

    /// Sends a signal to a command of a session, and to its process group.
    ///
    /// # Errors
    /// No such session or command, or one that has ended.
    pub async fn signal_process(
        &self,
        session: (&str, &str),
        process: ProcessId,
        signal: Signal,
    ) -> Result<(), WorkerError> {
        let session = self.sessions.get(session.0, session.1)?;
        let process = session.processes.get(process)?;
        if process.end().is_some() {
            return Err(ProcessError::Ended.into());
        }
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

    /// Kills a command of a session with all that came of it, and gives it when it has ended.
    ///
    /// # Errors
    /// No such session or command.
    pub async fn kill_process(
        &self,
        session: (&str, &str),
        process: ProcessId,
    ) -> Result<Arc<SessionProcess>, WorkerError> {
        let session = self.sessions.get(session.0, session.1)?;
        let process = session.processes.get(process)?;
        if process.end().is_none() {
            session.deadline.touch();
            self.answer(&session, kill(&session, &process).await)?;
            // A process that hangs in the kernel is told of as running.
            let _ = timeout(DYING, process.ended()).await;
        }
        Ok(process)
    }

    /// Writes to the standard input of a command, and ends it if `end`.
    ///
    /// # Errors
    /// No such session or command, or an input that is not open or full.
    pub async fn write_stdin(
        &self,
        session: (&str, &str),
        process: ProcessId,
        data: &[u8],
        end: bool,
    ) -> Result<(), WorkerError> {
        let session = self.sessions.get(session.0, session.1)?;
        let process = session.processes.get(process)?;
        session.deadline.touch();
        session.wake().await?;
        Ok(process.write(data, end)?)
    }
}

/// Kills a command with all that came of it, and nothing else that lives in the session.
async fn kill(session: &Session, process: &SessionProcess) -> Result<(), SandboxError> {
    let spared = session.others_than(process.id);
    let tree = ProcessTree { root: process.id, spared, since: process.began, orphans: false };
    session.sandbox.kill_tree(&tree).await.map(drop)
}

/// Ends a command when its time is up: politely first.
async fn end_after(time: Duration, session: &Session, process: &SessionProcess) {
    tokio::select! {
        _ = process.ended() => return,
        () = sleep(time) => {}
    }
    process.times_out();
    // Whatever comes of it, it is killed.
    let _ = session.sandbox.signal(process.id, Signal::Terminate).await;
    let _ = timeout(GRACE, process.ended()).await;
    // Also what it has left behind when it ended by itself.
    if let Err(error) = kill(session, process).await
        && !session.sandbox.is_gone()
    {
        tracing::warn!(session_id = session.id, %error, "a process whose time is up was not killed");
    }
}
