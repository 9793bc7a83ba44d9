//! Starting processes in a sandbox.

use std::ffi::{CStr, CString};
use std::fs::File;
use std::io::{self, Seek, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
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
use crate::sandbox::spec::{Command, ControlChannel, Stdin, TerminalSize};
use crate::sandbox::workspace::WorkspacePath;

/// For a zygote's answer: it does nothing else, so one that takes longer hangs.
const FORK: Duration = Duration::from_secs(3);

impl LinuxSandbox {
    /// See [`Sandbox::start`](crate::sandbox::backend::Sandbox::start).
    pub(super) async fn start_process(&self, command: Command) -> Result<Process, SandboxError> {
        if let Stdin::Terminal(size) = command.stdin {
            return self.start_in_terminal(command, size).await;
        }
        let program = command.program.clone();
        let fifos = match &command.control {
            ControlChannel::Fifos { incoming, outgoing } => {
                Some(self.fifos(incoming, outgoing).await?)
            }
            ControlChannel::Pipes | ControlChannel::None => None,
        };
        let mut pipes = match command.stdin {
            Stdin::Null | Stdin::File(_) | Stdin::Terminal(_) => self.pipes().await?,
            Stdin::Pipe => self.spawner.pipes(self.id, true).await?,
        };
        match command.control {
            ControlChannel::Pipes => {}
            ControlChannel::None | ControlChannel::Fifos { .. } => pipes = pipes.without_control(),
        }
        let Pipes { outer, inner } = pipes;
        let (pid, exit) = self.begin_command(command, inner.into_descriptors()).await?;
        let mut process = process::process(pid, outer, exit)
            .map_err(|source| SandboxError::Start { program, source })?;
        process.control = process.control.or(fifos);
        Ok(process)
    }

    /// A process whose descriptors 0, 1 and 2 are a terminal.
    async fn start_in_terminal(
        &self,
        command: Command,
        size: TerminalSize,
    ) -> Result<Process, SandboxError> {
        let program = command.program.clone();
        let failed = |source| SandboxError::Start { program, source };
        let [outer, inner] = self.spawner.terminal(self.id, size).await?;
        let all = || Ok(vec![inner.try_clone()?, inner.try_clone()?, inner]);
        let (pid, exit) = match all() {
            Ok(fds) => self.begin_command(command, fds).await?,
            Err(error) => return Err(failed(error)),
        };
        process::in_terminal(pid, outer, exit).map_err(failed)
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
        let Pipes { outer, inner } = pipes;
        let request = InitRequest::Probe { probe, targets };
        let (pid, exit) = self.begin("a probe", inner.into_descriptors(), request).await?;
        let failed = |source| SandboxError::Start { program: String::from("a probe"), source };
        process::process(pid, outer, exit).map_err(failed)
    }

    /// The pipes of one more process.
    async fn pipes(&self) -> Result<Pipes, SandboxError> {
        let spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner).take();
        match spare {
            Some(pipes) => Ok(pipes),
            None => self.spawner.pipes(self.id, false).await,
        }
    }

    /// Has init start `command`, with `fds` as its first descriptors.
    async fn begin_command(
        &self,
        command: Command,
        mut fds: Vec<OwnedFd>,
    ) -> Result<(i32, oneshot::Receiver<ProcessEnd>), SandboxError> {
        let program = command.program.clone();
        let request = match long(&command) {
            Ok(None) => InitRequest::Start { command },
            Ok(Some(file)) => {
                fds.insert(0, file);
                InitRequest::StartLong
            }
            Err(source) => return Err(SandboxError::Start { program, source }),
        };
        self.begin(&program, fds, request).await
    }

    /// Has init start a process.
    async fn begin(
        &self,
        program: &str,
        fds: Vec<OwnedFd>,
        request: InitRequest,
    ) -> Result<(i32, oneshot::Receiver<ProcessEnd>), SandboxError> {
        let Reply { sequence: _, said, exit } = self.ask_with(fds, request, PATIENT).await?;
        match (said, exit) {
            (InitReply::Started { pid }, Some(exit)) => Ok((pid, exit)),
            (InitReply::Failed(failure), _) => {
                let source = failure.error();
                Err(SandboxError::Start { program: String::from(program), source })
            }
            _ => Err(SandboxError::Gone),
        }
    }

    /// Has init make a FIFO, and opens it in one way or another.
    pub(super) async fn fifo<T>(
        &self,
        name: &WorkspacePath,
        open: impl FnOnce(BorrowedFd<'_>, &CStr) -> io::Result<T>,
    ) -> Result<T, SandboxError> {
        let failed = |source| SandboxError::Write { path: name.to_string(), source };
        let path = String::from(name.as_str());
        if let InitReply::Failed(failure) = self.ask(InitRequest::Fifo { path }, PATIENT).await? {
            return Err(failed(failure.error()));
        }
        let name = CString::new(name.as_str()).map_err(|error| failed(io::Error::other(error)))?;
        let directories = self.directories();
        let directory = directories.requests.as_ref().ok_or(SandboxError::Gone)?;
        open(directory.as_fd(), &name).map_err(failed)
    }

    /// The FIFOs of a process that has its control channel by name, made before it is.
    async fn fifos(
        &self,
        incoming: &WorkspacePath,
        outgoing: &WorkspacePath,
    ) -> Result<Control, SandboxError> {
        let failed = |source| SandboxError::Write { path: incoming.to_string(), source };
        let (requests, frames) =
            (self.fifo(incoming, open_fifo).await?, self.fifo(outgoing, open_fifo).await?);
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
