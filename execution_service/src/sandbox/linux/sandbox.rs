//! One sandbox, as the worker holds it: a socket to its init and a name at the spawner.

use std::collections::HashMap;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use tokio::net::UnixStream;
use tokio::net::unix::pipe;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::caller::{Packets, Pending, set_nonblocking};
use super::channel::MAX_CHUNK;
use super::output::OutputPipe;
use super::protocol::{FromInit, InitReply, InitRequest, SandboxId, ToInit, account};
use super::spawner_client::SpawnerClient;
use crate::sandbox::backend::{
    Control, Place, Process, ProcessEnd, ProcessId, Sandbox, SandboxError, Signal,
};
use crate::sandbox::spec::{Command, SandboxLimits, Usage};
use crate::sandbox::workspace::WorkspacePath;

/// For what may take its time: an interpreter that is started, a file that is written.
const PATIENT: Duration = Duration::from_secs(10);
/// For what an answer waits for. Together with the politeness of a time-out it must stay below the quarter
/// of a second in which that is answered.
const QUICK: Duration = Duration::from_millis(30);

type Reply = (InitReply, Vec<OwnedFd>, Option<oneshot::Receiver<ProcessEnd>>);

/// See the module.
pub struct LinuxSandbox {
    id: SandboxId,
    spawner: Arc<SpawnerClient>,
    init: Arc<Packets>,
    pending: Arc<Pending<Reply>>,
    /// Those that it was made with.
    limits: SandboxLimits,
    cgroups: bool,
    ended: AtomicBool,
    listener: tokio::task::AbortHandle,
}

impl LinuxSandbox {
    /// Waits until the new sandbox behind `socket` is closed and can be used.
    pub async fn open(
        id: SandboxId,
        socket: OwnedFd,
        limits: SandboxLimits,
        cgroups: bool,
        spawner: Arc<SpawnerClient>,
    ) -> Result<Self, SandboxError> {
        let create = |stage: &str, source| SandboxError::Create { stage: stage.into(), source };
        let init = Arc::new(Packets::new(socket).map_err(|error| create("socket", error))?);
        let pending = Pending::new();
        // Its number is that of no request: `listen` gives it to init's first word.
        let (_, first) = pending.expect();
        let listener = tokio::spawn(listen(Arc::clone(&init), Arc::clone(&pending))).abort_handle();
        // From here on, dropping this ends the sandbox.
        let sandbox = Self {
            id,
            spawner,
            init,
            pending,
            limits,
            cgroups,
            ended: AtomicBool::new(false),
            listener,
        };
        match first.await {
            Ok((InitReply::Done, _, _)) => Ok(sandbox),
            Ok((InitReply::Failed(failure), _, _)) => Err(create(&failure.stage, failure.error())),
            Ok((InitReply::Started { .. } | InitReply::Usage(_), _, _)) | Err(_) => {
                Err(create("init went away", io::Error::from(io::ErrorKind::BrokenPipe)))
            }
        }
    }

    /// Asks init, which user code may have starved: no answer in time is as bad as none.
    async fn ask(&self, request: InitRequest, patience: Duration) -> Result<Reply, SandboxError> {
        match timeout(patience, self.ask_patiently(request)).await {
            Ok(reply) => reply,
            Err(_) => Err(SandboxError::Gone),
        }
    }

    async fn ask_patiently(&self, request: InitRequest) -> Result<Reply, SandboxError> {
        let (sequence, reply) = self.pending.expect();
        self.init.send(&ToInit { sequence, request }).await.map_err(|_| SandboxError::Gone)?;
        reply.await.map_err(|_| SandboxError::Gone)
    }

    async fn write_chunk(
        &self,
        place: Place,
        path: &WorkspacePath,
        first: bool,
        chunk: &[u8],
    ) -> Result<(), SandboxError> {
        let (path, chunk) = (String::from(path.as_str()), Vec::from(chunk));
        let request = InitRequest::Write { place, path: path.clone(), first, chunk };
        match self.ask(request, PATIENT).await?.0 {
            InitReply::Failed(failure) => {
                Err(SandboxError::Write { path, source: failure.error() })
            }
            InitReply::Done | InitReply::Started { .. } | InitReply::Usage(_) => Ok(()),
        }
    }

    async fn fifo(&self, name: &WorkspacePath) -> Result<OwnedFd, SandboxError> {
        let failed = |source| SandboxError::Write { path: name.to_string(), source };
        let (reply, mut fds, _) =
            self.ask(InitRequest::Fifo { path: String::from(name.as_str()) }, PATIENT).await?;
        if let InitReply::Failed(failure) = reply {
            return Err(failed(failure.error()));
        }
        fds.pop().ok_or_else(|| failed(io::Error::from(io::ErrorKind::InvalidData)))
    }
}

/// Reads what init says until it is gone.
async fn listen(init: Arc<Packets>, pending: Arc<Pending<Reply>>) {
    /// The sequence of [`LinuxSandbox::open`]'s first expectation.
    const FIRST: u64 = 1;
    let mut running: HashMap<i32, oneshot::Sender<ProcessEnd>> = HashMap::new();
    loop {
        let (message, fds) = match init.receive::<FromInit>().await {
            Ok(Some(received)) => received,
            Ok(None) => break,
            Err(error) => {
                tracing::warn!(%error, "init of a sandbox sent something that is no message");
                break;
            }
        };
        match message {
            FromInit::Ready => pending.resolve(FIRST, (InitReply::Done, fds, None)),
            FromInit::SetUpFailed(failure) => {
                pending.resolve(FIRST, (InitReply::Failed(failure), fds, None));
            }
            FromInit::Reply { sequence, reply } => {
                // Registered here and not by the caller: the end may be the very next message.
                let exit = if let InitReply::Started { pid } = &reply {
                    let (sender, receiver) = oneshot::channel();
                    running.insert(*pid, sender);
                    Some(receiver)
                } else {
                    None
                };
                pending.resolve(sequence, (reply, fds, exit));
            }
            FromInit::Ended { pid, exit, cpu } => {
                if let Some(sender) = running.remove(&pid) {
                    let _ = sender.send(ProcessEnd { exit, cpu });
                }
            }
        }
    }
    pending.close();
}

#[async_trait]
impl Sandbox for LinuxSandbox {
    async fn start(&self, command: Command) -> Result<Process, SandboxError> {
        let program = command.program.clone();
        let failed = |source| SandboxError::Start { program: program.clone(), source };
        let control_wanted = command.control;
        let (reply, fds, exit) = self.ask(InitRequest::Start { command }, PATIENT).await?;
        let pid = match reply {
            InitReply::Started { pid } => pid,
            InitReply::Failed(failure) => return Err(failed(failure.error())),
            InitReply::Done | InitReply::Usage(_) => return Err(SandboxError::Gone),
        };
        let mut fds = fds.into_iter();
        let mut next = || fds.next().ok_or(io::Error::from(io::ErrorKind::InvalidData));
        let stdout = next().and_then(OutputPipe::new).map_err(failed)?;
        let stderr = next().and_then(OutputPipe::new).map_err(failed)?;
        let control = if control_wanted {
            Some(next().and_then(socket_control).map_err(failed)?)
        } else {
            None
        };
        let id = ProcessId(u32::try_from(pid).map_err(|_| SandboxError::Gone)?);
        let exit = exit.ok_or(SandboxError::Gone)?;
        Ok(Process { id, stdout: Box::new(stdout), stderr: Box::new(stderr), control, exit })
    }

    async fn write_file(
        &self,
        place: Place,
        path: &WorkspacePath,
        content: &[u8],
    ) -> Result<(), SandboxError> {
        let mut chunks = content.chunks(MAX_CHUNK);
        self.write_chunk(place, path, true, chunks.next().unwrap_or_default()).await?;
        for chunk in chunks {
            self.write_chunk(place, path, false, chunk).await?;
        }
        Ok(())
    }

    async fn make_fifos(
        &self,
        incoming: &WorkspacePath,
        outgoing: &WorkspacePath,
    ) -> Result<Control, SandboxError> {
        let failed = |source| SandboxError::Write { path: incoming.to_string(), source };
        let writer = pipe::Sender::from_owned_fd(self.fifo(incoming).await?).map_err(failed)?;
        let reader = pipe::Receiver::from_owned_fd(self.fifo(outgoing).await?).map_err(failed)?;
        Ok(Control { reader: Box::new(reader), writer: Box::new(writer) })
    }

    async fn signal(&self, process: ProcessId, signal: Signal) -> Result<(), SandboxError> {
        let signal = match signal {
            Signal::Interrupt => libc::SIGINT,
            Signal::Kill => libc::SIGKILL,
        };
        let pid = i32::try_from(process.0).map_err(|_| SandboxError::Gone)?;
        self.ask(InitRequest::Signal { pid, signal }, QUICK).await.map(|_| ())
    }

    async fn kill_all(&self) -> Result<(), SandboxError> {
        match self.ask(InitRequest::KillAll, PATIENT).await {
            Ok(_) => Ok(()),
            // What init cannot do in time, the spawner does, to init as well.
            Err(_) => self.spawner.kill(self.id).await,
        }
    }

    fn is_gone(&self) -> bool {
        self.listener.is_finished()
    }

    fn accepts(&self, limits: SandboxLimits) -> bool {
        // The workspace has its size, and resource limits are set, from the start.
        let fixed = |limits: SandboxLimits| (limits.disk_bytes, limits.inodes, limits.open_files);
        if self.cgroups { fixed(limits) == fixed(self.limits) } else { limits == self.limits }
    }

    async fn prepare(&self, limits: SandboxLimits) -> Result<(), SandboxError> {
        self.spawner.prepare(self.id, limits).await
    }

    async fn usage(&self, patience: Duration) -> Result<Usage, SandboxError> {
        let inside = InitRequest::Usage { processes: !self.cgroups };
        let (cgroup, inside) =
            tokio::join!(self.spawner.usage(self.id), self.ask(inside, patience));
        let inside = match inside {
            Ok((InitReply::Usage(usage), _, _)) => usage,
            // Gone, or lying: the cgroup's account stands.
            Ok(_) | Err(_) => Default::default(),
        };
        Ok(account(cgroup?, inside))
    }

    async fn end(&self) {
        if !self.ended.swap(true, Ordering::Relaxed) {
            self.spawner.end(self.id).await;
        }
    }
}

impl Drop for LinuxSandbox {
    fn drop(&mut self) {
        self.listener.abort();
        // Without a runtime the worker itself is ending, and the spawner sees that.
        if !self.ended.swap(true, Ordering::Relaxed)
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            let (spawner, id) = (Arc::clone(&self.spawner), self.id);
            runtime.spawn(async move { spawner.end(id).await });
        }
    }
}

fn socket_control(socket: OwnedFd) -> io::Result<Control> {
    set_nonblocking(&socket)?;
    let stream = UnixStream::from_std(std::os::unix::net::UnixStream::from(socket))?;
    let (reader, writer) = stream.into_split();
    Ok(Control { reader: Box::new(reader), writer: Box::new(writer) })
}
