//! Starting processes in a sandbox.

use std::ffi::CString;
use std::fs::File;
use std::io::{self, Seek, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use rustix::fs::{MemfdFlags, memfd_create};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::fifo::open_fifo;
use super::init::Reply;
use super::process;
use super::sandbox::{LinuxSandbox, PATIENT};
use super::spawner::Forked;
use crate::sandbox::backend::{Control, Process, ProcessEnd, SandboxError, Zygote};
use crate::sandbox::linux::wire::channel::MAX_CHUNK;
use crate::sandbox::linux::wire::init::{InitReply, InitRequest};
use crate::sandbox::linux::wire::pipes::Pipes;
use crate::sandbox::linux::wire::probe::{Probe, Targets};
use crate::sandbox::spec::{Command, ControlChannel, Stdin};
use crate::sandbox::workspace::WorkspacePath;

/// For a zygote's answer: it does nothing else, so one that takes longer hangs.
const FORK: Duration = Duration::from_secs(3);

impl LinuxSandbox {
    /// See [`Sandbox::start`](crate::sandbox::backend::Sandbox::start).
    pub(super) async fn start_process(&self, command: Command) -> Result<Process, SandboxError> {
        let program = command.program.clone();
        let fifos = match &command.control {
            ControlChannel::Fifos { incoming, outgoing } => {
                Some(self.fifos(incoming, outgoing).await?)
            }
            ControlChannel::Pipes | ControlChannel::None => None,
        };
        let mut pipes = match command.stdin {
            Stdin::Null | Stdin::File(_) => self.pipes().await?,
            Stdin::Pipe => self.spawner.pipes(self.id, true).await?,
        };
        match command.control {
            ControlChannel::Pipes => {}
            ControlChannel::None | ControlChannel::Fifos { .. } => pipes = pipes.without_control(),
        }
        let mut process = match long(&command) {
            Ok(None) => self.begin(&program, pipes, None, InitRequest::Start { command }).await?,
            Ok(file) => self.begin(&program, pipes, file, InitRequest::StartLong).await?,
            Err(source) => return Err(SandboxError::Start { program, source }),
        };
        process.control = process.control.or(fifos);
        Ok(process)
    }

    /// See [`Sandbox::start_from`](crate::sandbox::backend::Sandbox::start_from).
    pub(super) async fn start_process_from(
        &self,
        zygote: &Zygote,
    ) -> Result<Process, SandboxError> {
        let failed = |source| SandboxError::Zygote { stage: String::from("descriptors"), source };
        let Pipes { outer, inner } = self.pipes().await?;
        let fds = inner.into_descriptors();
        let forked = timeout(FORK, self.spawner.fork(zygote.id(), self.id, fds)).await;
        let Forked { inside, exit } = forked.map_err(|_| {
            let stage = String::from("no answer");
            SandboxError::Zygote { stage, source: io::Error::from(io::ErrorKind::TimedOut) }
        })??;
        self.ask(InitRequest::Seal, PATIENT).await?;
        let exit = if self.meter.is_some() { exit } else { self.count(exit) };
        process::process(inside, outer, exit).map_err(failed)
    }

    /// Starts a process that makes attempts against the walls, and writes what came of them to its
    /// standard output.
    pub async fn probe(&self, probe: Probe, targets: Targets) -> Result<Process, SandboxError> {
        let pipes = self.pipes().await?.without_control();
        self.begin("a probe", pipes, None, InitRequest::Probe { probe, targets }).await
    }

    /// The pipes of one more process.
    async fn pipes(&self) -> Result<Pipes, SandboxError> {
        let spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner).take();
        match spare {
            Some(pipes) => Ok(pipes),
            None => self.spawner.pipes(self.id, false).await,
        }
    }

    /// Has init start a process.
    async fn begin(
        &self,
        program: &str,
        Pipes { outer, inner }: Pipes,
        long: Option<OwnedFd>,
        request: InitRequest,
    ) -> Result<Process, SandboxError> {
        let failed = |source| SandboxError::Start { program: String::from(program), source };
        let fds = long.into_iter().chain(inner.into_descriptors()).collect();
        let Reply { said, exit } = self.ask_with(fds, request, PATIENT).await?;
        if let InitReply::Failed(failure) = said {
            return Err(failed(failure.error()));
        }
        let (InitReply::Started { pid }, Some(exit)) = (said, exit) else {
            return Err(SandboxError::Gone);
        };
        process::process(pid, outer, exit).map_err(failed)
    }

    /// Has init make a FIFO, and opens it.
    async fn fifo(&self, name: &WorkspacePath) -> Result<OwnedFd, SandboxError> {
        let failed = |source| SandboxError::Write { path: name.to_string(), source };
        let path = String::from(name.as_str());
        if let InitReply::Failed(failure) = self.ask(InitRequest::Fifo { path }, PATIENT).await? {
            return Err(failed(failure.error()));
        }
        let name = CString::new(name.as_str()).map_err(|error| failed(io::Error::other(error)))?;
        let directories = self.directories();
        let directory = directories.requests.as_ref().ok_or(SandboxError::Gone)?;
        open_fifo(directory.as_fd(), &name).map_err(failed)
    }

    /// The FIFOs of a process that has its control channel by name, made before it is.
    async fn fifos(
        &self,
        incoming: &WorkspacePath,
        outgoing: &WorkspacePath,
    ) -> Result<Control, SandboxError> {
        let failed = |source| SandboxError::Write { path: incoming.to_string(), source };
        let (requests, frames) = (self.fifo(incoming).await?, self.fifo(outgoing).await?);
        process::control(requests, frames).map_err(failed)
    }

    /// Passes on the end of a forked process, when it is in the account.
    fn count(&self, exit: oneshot::Receiver<ProcessEnd>) -> oneshot::Receiver<ProcessEnd> {
        let (sender, counted) = oneshot::channel();
        let forked = Arc::clone(&self.forked);
        tokio::spawn(async move {
            if let Ok(end) = exit.await {
                forked.lock().unwrap_or_else(PoisonError::into_inner).add(end);
                let _ = sender.send(end);
            }
        });
        counted
    }
}

/// `command` in a file, if it is too long for a packet: arguments and variables may have 1 MiB each.
fn long(command: &Command) -> io::Result<Option<OwnedFd>> {
    let bytes = postcard::to_stdvec(command).map_err(io::Error::other)?;
    if bytes.len() <= MAX_CHUNK {
        return Ok(None);
    }
    let mut file = File::from(memfd_create("command", MemfdFlags::CLOEXEC)?);
    file.write_all(&bytes)?;
    file.rewind()?;
    Ok(Some(OwnedFd::from(file)))
}
