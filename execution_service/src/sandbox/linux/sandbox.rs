//! One sandbox, as the worker holds it: a socket to its init and a name at the spawner.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::account::{self, Disk, LastSaid, Reaped};
use super::caller::{Packets, Pending, Running};
use super::cgroup::Meter;
use super::ends;
use super::locks;
use super::pipe::{self, End};
use super::probe::{Probe, Targets};
use super::protocol::{FromInit, InitReply, InitRequest, InitUsage, SandboxId, ToInit};
use super::spawner_client::{Claim, Forked, SpawnerClient};
use crate::sandbox::backend::{
    Control, Place, Process, ProcessEnd, ProcessId, Sandbox, SandboxError, Signal, Zygote,
};
use crate::sandbox::spec::{Command, SandboxLimits, Usage};
use crate::sandbox::workspace::WorkspacePath;

/// For what may take its time: an interpreter that is started, a file that is written.
pub(super) const PATIENT: Duration = Duration::from_secs(10);
/// For a zygote's answer: it does nothing else, so one that takes longer hangs.
const FORK: Duration = Duration::from_secs(3);
/// For what an answer waits for. Together with the politeness of a time-out it must stay below the quarter
/// of a second in which that is answered.
const QUICK: Duration = Duration::from_millis(30);

pub(super) type Reply = (InitReply, Vec<OwnedFd>, Option<oneshot::Receiver<ProcessEnd>>);

/// See the module.
pub struct LinuxSandbox {
    id: SandboxId,
    spawner: Arc<SpawnerClient>,
    init: Arc<Packets>,
    pending: Arc<Pending<Reply>>,
    /// Those that it was made with.
    limits: SandboxLimits,
    in_force: Mutex<SandboxLimits>,
    /// Reads the account that the kernel keeps; absent without cgroups.
    meter: Option<Meter>,
    /// The root of the workspace.
    workspace: OnceLock<OwnedFd>,
    /// Without a meter: what processes have used that are not init's children.
    forked: Arc<Mutex<Reaped>>,
    inside: LastSaid,
    /// Init did not answer in time, and was killed for it.
    deaf: AtomicBool,
    ended: AtomicBool,
    listener: tokio::task::AbortHandle,
}

impl LinuxSandbox {
    /// Waits until the new sandbox behind `socket` is closed and can be used.
    pub async fn open(
        id: SandboxId,
        claim: Claim,
        socket: OwnedFd,
        limits: SandboxLimits,
        meter: Option<Meter>,
        spawner: Arc<SpawnerClient>,
    ) -> Result<Self, SandboxError> {
        let create = |stage: &str, source| SandboxError::Create { stage: stage.into(), source };
        let init = Arc::new(Packets::new(socket).map_err(|error| create("socket", error))?);
        let pending = Pending::new();
        // Its number is that of no request: `listen` gives it to init's first word.
        let first = pending.expect();
        let listener = tokio::spawn(listen(Arc::clone(&init), Arc::clone(&pending))).abort_handle();
        // From here on, dropping this ends the sandbox.
        let sandbox = Self {
            id,
            spawner,
            init,
            pending,
            limits,
            in_force: Mutex::new(limits),
            meter,
            workspace: OnceLock::new(),
            forked: Arc::default(),
            inside: LastSaid::default(),
            deaf: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            listener,
        };
        claim.keep();
        match timeout(PATIENT, first.reply()).await {
            Ok(Some((InitReply::Done, mut fds, _))) => {
                if let Some(workspace) = fds.pop().and_then(pipe::workspace) {
                    let _ = sandbox.workspace.set(workspace);
                }
                Ok(sandbox)
            }
            Ok(Some((InitReply::Failed(failure), _, _))) => {
                Err(create(&failure.stage, failure.error()))
            }
            Ok(Some((
                InitReply::Started { .. } | InitReply::Content { .. } | InitReply::Usage(_),
                _,
                _,
            ))) => Err(create("init's first word", io::ErrorKind::InvalidData.into())),
            Ok(None) => Err(create("init went away", io::ErrorKind::BrokenPipe.into())),
            Err(_) => Err(create("init says nothing", io::ErrorKind::TimedOut.into())),
        }
    }

    /// Its name at the spawner.
    pub(super) fn id(&self) -> SandboxId {
        self.id
    }

    /// The uid of its processes, as the worker sees it: the owner of what they made.
    pub(super) fn uid_outside(&self) -> Option<u32> {
        let workspace = nix::sys::stat::fstat(self.workspace.get()?).ok()?;
        Some(workspace.st_uid)
    }

    /// Starts a process that makes attempts against the walls, and writes what came of them to its
    /// standard output.
    pub(super) async fn probe(
        &self,
        probe: Probe,
        targets: Targets,
    ) -> Result<Process, SandboxError> {
        self.begin("a probe", false, InitRequest::Probe { probe, targets }).await
    }

    /// Has init start a process.
    async fn begin(
        &self,
        program: &str,
        control: bool,
        request: InitRequest,
    ) -> Result<Process, SandboxError> {
        let failed = |source| SandboxError::Start { program: String::from(program), source };
        let (reply, fds, exit) = self.ask(request, PATIENT).await?;
        let pid = match reply {
            InitReply::Started { pid } => pid,
            InitReply::Failed(failure) => return Err(failed(failure.error())),
            InitReply::Done | InitReply::Content { .. } | InitReply::Usage(_) => {
                return Err(SandboxError::Gone);
            }
        };
        let exit = exit.ok_or(SandboxError::Gone)?;
        ends::process(pid, &fds, control, exit).map_err(failed)
    }

    /// Asks init, which user code may have starved: no answer in time is as bad as none.
    pub(super) async fn ask(
        &self,
        request: InitRequest,
        patience: Duration,
    ) -> Result<Reply, SandboxError> {
        match timeout(patience, self.ask_patiently(request)).await {
            Ok(reply) => reply,
            Err(_) if patience < PATIENT => Err(SandboxError::Gone),
            Err(_) => {
                // It will not do anything else either.
                self.deaf.store(true, Ordering::Relaxed);
                let _ = self.spawner.kill(self.id).await;
                Err(SandboxError::Gone)
            }
        }
    }

    async fn ask_patiently(&self, request: InitRequest) -> Result<Reply, SandboxError> {
        let expected = self.pending.expect();
        let message = ToInit { sequence: expected.sequence(), request };
        self.init.send(&message, &[]).await.map_err(|_| SandboxError::Gone)?;
        expected.reply().await.ok_or(SandboxError::Gone)
    }

    /// What init says, and whether it is what it says now. If it is gone or starved, it is what it said last.
    async fn usage_inside(&self, patience: Duration) -> (InitUsage, bool) {
        match self.ask(InitRequest::Usage { locks: locks::are_many() }, patience).await {
            Ok((InitReply::Usage(usage), ..)) => (self.inside.remember(usage), true),
            Ok(_) | Err(_) => (self.inside.last(), false),
        }
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
    let mut running = Running::default();
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
                // What nobody has asked for is not remembered: init could say it for ever.
                let exit = match &reply {
                    InitReply::Started { pid } if pending.is_expected(sequence) => {
                        Some(running.begin(*pid))
                    }
                    InitReply::Started { .. } => None,
                    InitReply::Done
                    | InitReply::Content { .. }
                    | InitReply::Usage(_)
                    | InitReply::Failed(_) => None,
                };
                pending.resolve(sequence, (reply, fds, exit));
            }
            FromInit::Ended { pid, end } => running.end(pid, end),
        }
    }
    pending.close();
}

#[async_trait]
impl Sandbox for LinuxSandbox {
    async fn start(&self, command: Command) -> Result<Process, SandboxError> {
        let (program, control) = (command.program.clone(), command.control);
        self.begin(&program, control, InitRequest::Start { command }).await
    }

    async fn fork(&self, zygote: &Zygote) -> Result<Process, SandboxError> {
        let failed = |source| SandboxError::Zygote { stage: String::from("descriptors"), source };
        let (reply, mut outer, _) = self.ask(InitRequest::Ends, PATIENT).await?;
        if let InitReply::Failed(failure) = reply {
            return Err(failed(failure.error()));
        }
        if outer.len() != 2 * ENDS_WITH_CONTROL {
            return Err(SandboxError::Gone);
        }
        let inner = outer.split_off(ENDS_WITH_CONTROL);
        let forked = timeout(FORK, self.spawner.fork(zygote.id, self.id, inner)).await;
        let Forked { inside, exit } = forked.map_err(|_| {
            let stage = String::from("no answer");
            SandboxError::Zygote { stage, source: io::Error::from(io::ErrorKind::TimedOut) }
        })??;
        self.ask(InitRequest::Seal, PATIENT).await?;
        let exit = if self.meter.is_some() { exit } else { self.count(exit) };
        ends::process(inside, &outer, true, exit).map_err(failed)
    }

    async fn write_file(
        &self,
        place: Place,
        path: &WorkspacePath,
        content: &[u8],
    ) -> Result<(), SandboxError> {
        self.put(place, path, content, false).await
    }

    async fn write_executable(
        &self,
        place: Place,
        path: &WorkspacePath,
        content: &[u8],
    ) -> Result<(), SandboxError> {
        self.put(place, path, content, true).await
    }

    async fn read_file(
        &self,
        place: Place,
        path: &WorkspacePath,
        limit: usize,
    ) -> Result<Option<Vec<u8>>, SandboxError> {
        self.get(place, path, limit).await
    }

    async fn make_fifos(
        &self,
        incoming: &WorkspacePath,
        outgoing: &WorkspacePath,
    ) -> Result<Control, SandboxError> {
        let failed = |source| SandboxError::Write { path: incoming.to_string(), source };
        let (requests, frames) = (self.fifo(incoming).await?, self.fifo(outgoing).await?);
        pipe::control(&requests, &frames, (End::Both, End::Both)).map_err(failed)
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
        self.deaf.load(Ordering::Relaxed) || self.listener.is_finished()
    }

    fn accepts(&self, limits: SandboxLimits) -> bool {
        // The workspace has its size, and resource limits are set, from the start.
        let fixed = |limits: SandboxLimits| (limits.disk_bytes, limits.inodes, limits.open_files);
        if self.meter.is_some() {
            fixed(limits) == fixed(self.limits)
        } else {
            limits == self.limits
        }
    }

    async fn prepare(&self, limits: SandboxLimits) -> Result<(), SandboxError> {
        let now = *self.in_force.lock().unwrap_or_else(PoisonError::into_inner);
        if now != limits {
            self.spawner.set_limits(self.id, limits).await?;
            *self.in_force.lock().unwrap_or_else(PoisonError::into_inner) = limits;
        }
        if let Some(meter) = &self.meter {
            meter.reset_peak();
        }
        Ok(())
    }

    async fn usage(&self, patience: Duration) -> Result<Usage, SandboxError> {
        if let Some(meter) = &self.meter {
            let cgroup = meter.read();
            if let Some(cpu) = cgroup.cpu {
                let disk = self.workspace.get().and_then(|workspace| Disk::of(workspace).ok());
                return Ok(account::enforced(cgroup, cpu, disk.unwrap_or_default(), true));
            }
            let (inside, whole) = self.usage_inside(patience).await;
            return Ok(account::enforced(cgroup, inside.cpu, inside.disk, whole));
        }
        let (inside, whole) = self.usage_inside(patience).await;
        let forked = *self.forked.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(account::estimated(inside, forked, whole))
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

/// What a process with a control channel has beside its descriptor 0.
const ENDS_WITH_CONTROL: usize = 4;
