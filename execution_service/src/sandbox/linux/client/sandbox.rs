//! One sandbox, as the worker holds it: a way to its init and a name at the spawner.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use nix::time::{ClockId, clock_gettime};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::account::{self, LastSaid};
use super::fifo::open_fifo;
use super::init::{Directories, InitClient, Reply};
use super::process;
use super::spawner::{Claim, Forked, SpawnerClient};
use crate::sandbox::backend::{
    Control, Excess, Killed, Process, ProcessEnd, ProcessId, ProcessTree, Sandbox, SandboxError,
    Signal, Zygote,
};
use crate::sandbox::files::{FileMode, Listing, Root};
use crate::sandbox::linux::cgroup::Meter;
use crate::sandbox::linux::host::disk::Disk;
use crate::sandbox::linux::host::locks;
use crate::sandbox::linux::host::look::HostLook;
use crate::sandbox::linux::host::reaped::Reaped;
use crate::sandbox::linux::host::tcp;
use crate::sandbox::linux::host::unaccounted_memory;
use crate::sandbox::linux::probe::{Probe, Targets};
use crate::sandbox::linux::wire::init::{InitReply, InitRequest, InitUsage};
use crate::sandbox::linux::wire::init::{KillTree, TICKS_PER_SECOND};
use crate::sandbox::linux::wire::link::Side;
use crate::sandbox::linux::wire::pipes::Pipes;
use crate::sandbox::linux::wire::spawner::SandboxId;
use crate::sandbox::spec::{Command, ControlChannel, MOST_LOCKS, SandboxLimits, Stdin, Usage};
use crate::sandbox::workspace::WorkspacePath;

/// For what may take its time: an interpreter that is started, a file that is written.
pub const PATIENT: Duration = Duration::from_secs(10);
/// For a zygote's answer: it does nothing else, so one that takes longer hangs.
const FORK: Duration = Duration::from_secs(3);
/// For what an answer waits for. Together with the politeness of a time-out it must stay below the quarter
/// of a second in which that is answered.
const QUICK: Duration = Duration::from_millis(30);

/// See the module.
pub struct LinuxSandbox {
    id: SandboxId,
    spawner: Arc<SpawnerClient>,
    host: Arc<HostLook>,
    init: InitClient,
    /// Pipes that came with it, for the first process that is started.
    spare: Mutex<Option<Pipes>>,
    /// Those that it was made with.
    limits: SandboxLimits,
    in_force: Mutex<SandboxLimits>,
    /// Reads the account that the kernel keeps; absent without cgroups.
    meter: Option<Meter>,
    directories: Mutex<Directories>,
    /// Without a meter: what processes have used that are not init's children.
    forked: Arc<Mutex<Reaped>>,
    inside: LastSaid,
    /// Init did not answer in time, and was killed for it.
    deaf: AtomicBool,
    ended: AtomicBool,
}

impl LinuxSandbox {
    /// Waits until the new sandbox behind `link` is closed and can be used.
    pub async fn open(
        (id, claim): (SandboxId, Claim),
        (link, pipes): (Side, Pipes),
        limits: SandboxLimits,
        meter: Option<Meter>,
        (spawner, host): (Arc<SpawnerClient>, Arc<HostLook>),
    ) -> Result<Self, SandboxError> {
        let met = timeout(PATIENT, InitClient::meet(link)).await;
        let (init, directories) = met.unwrap_or_else(|elapsed| {
            let stage = String::from("init says nothing");
            Err(SandboxError::Create { stage, source: io::Error::from(elapsed) })
        })?;
        // From here on, dropping this ends the sandbox.
        claim.keep();
        Ok(Self {
            id,
            spawner,
            host,
            init,
            spare: Mutex::new(Some(pipes)),
            limits,
            in_force: Mutex::new(limits),
            meter,
            directories: Mutex::new(directories),
            forked: Arc::default(),
            inside: LastSaid::default(),
            deaf: AtomicBool::new(false),
            ended: AtomicBool::new(false),
        })
    }

    /// Its name at the spawner.
    pub fn id(&self) -> SandboxId {
        self.id
    }

    /// The uid of its processes, as the worker sees it: the owner of what they made.
    pub fn uid_outside(&self) -> Option<u32> {
        let workspace = nix::sys::stat::fstat(self.directories().workspace.as_ref()?).ok()?;
        Some(workspace.st_uid)
    }

    /// Starts a process that makes attempts against the walls, and writes what came of them to its
    /// standard output.
    pub async fn probe(&self, probe: Probe, targets: Targets) -> Result<Process, SandboxError> {
        let pipes = self.pipes().await?.without_control();
        self.begin("a probe", pipes, InitRequest::Probe { probe, targets }).await
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
        request: InitRequest,
    ) -> Result<Process, SandboxError> {
        let failed = |source| SandboxError::Start { program: String::from(program), source };
        let fds = inner.into_descriptors();
        let Reply { said, exit } = self.ask_with(fds, request, PATIENT).await?;
        if let InitReply::Failed(failure) = said {
            return Err(failed(failure.error()));
        }
        let (InitReply::Started { pid }, Some(exit)) = (said, exit) else {
            return Err(SandboxError::Gone);
        };
        process::process(pid, outer, exit).map_err(failed)
    }

    /// Asks init.
    pub async fn ask(
        &self,
        request: InitRequest,
        patience: Duration,
    ) -> Result<InitReply, SandboxError> {
        Ok(self.ask_with(Vec::new(), request, patience).await?.said)
    }

    /// Asks init, which user code may have starved: no answer in time is as bad as none.
    async fn ask_with(
        &self,
        fds: Vec<OwnedFd>,
        request: InitRequest,
        patience: Duration,
    ) -> Result<Reply, SandboxError> {
        match timeout(patience, self.init.ask(request, fds)).await {
            Ok(reply) => reply.ok_or(SandboxError::Gone),
            Err(_) if patience < PATIENT => Err(SandboxError::Gone),
            Err(_) => {
                // It will not do anything else either.
                self.deaf.store(true, Ordering::Relaxed);
                let _ = self.spawner.kill(self.id).await;
                Err(SandboxError::Gone)
            }
        }
    }

    /// What init says, and whether it is what it says now. If it is gone or starved, it is what it said last.
    async fn usage_inside(&self, patience: Duration) -> (InitUsage, bool) {
        match self.ask(InitRequest::Usage, patience).await {
            Ok(InitReply::Usage(usage)) => (self.inside.remember(usage), true),
            Ok(_) | Err(_) => (self.inside.last(), false),
        }
    }

    fn directories(&self) -> MutexGuard<'_, Directories> {
        self.directories.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets go of its directories. Whoever does so last takes the file system apart, which takes 60 ms if
    /// there are 400 MiB in it: while init lives that is not us, and else a thread that nobody waits for.
    fn let_go(&self) {
        let directories = std::mem::take(&mut *self.directories());
        if self.is_gone() {
            tokio::task::spawn_blocking(move || drop(directories));
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

    /// See [`Excess::Memory`].
    async fn holds_unaccounted_memory(&self, patience: Duration) -> bool {
        /// At most a byte of each of 17 pages of 32 KiB counts for the 576 bytes or more of what holds them
        /// together (`MAX_SKB_FRAGS`, `SKB_TRUESIZE`): 967 times as much as is counted.
        const AMPLIFICATION: u64 = 1024;
        let limit = self.in_force.lock().unwrap_or_else(PoisonError::into_inner).memory_bytes;
        let (grown, share) = (unaccounted_memory::grown(), tcp::share());
        if grown <= limit && share.is_none() {
            return false;
        }
        match self.ask(InitRequest::Sockets, patience).await {
            Ok(InitReply::Sockets { bytes, of_tcp }) => {
                grown.min(bytes.saturating_mul(AMPLIFICATION)) > limit
                    || share.is_some_and(|share| of_tcp > share)
            }
            // Who cannot be asked is not taken for innocent.
            Ok(_) | Err(_) => true,
        }
    }

    /// Locks on files; 0 where the whole host has few. Whoever cannot be asked is found by [`Sandbox::usage`].
    async fn locks(&self, patience: Duration) -> u64 {
        if !locks::are_many() {
            return 0;
        }
        if let Some(meter) = &self.meter {
            return locks::held_by(|| meter.members());
        }
        match self.ask(InitRequest::Locks, patience).await {
            Ok(InitReply::Locks(count)) => count,
            Ok(_) | Err(_) => 0,
        }
    }
}

#[async_trait]
impl Sandbox for LinuxSandbox {
    async fn start(&self, command: Command) -> Result<Process, SandboxError> {
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
        let mut process = self.begin(&program, pipes, InitRequest::Start { command }).await?;
        process.control = process.control.or(fifos);
        Ok(process)
    }

    async fn start_from(&self, zygote: &Zygote) -> Result<Process, SandboxError> {
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

    async fn write_file(
        &self,
        root: Root,
        path: &WorkspacePath,
        content: &[u8],
        mode: FileMode,
    ) -> Result<(), SandboxError> {
        self.put(root, path, content, mode).await
    }

    async fn read_file(
        &self,
        root: Root,
        path: &WorkspacePath,
        limit: usize,
    ) -> Result<Option<Vec<u8>>, SandboxError> {
        self.get(root, path, limit).await
    }

    async fn list_files(
        &self,
        root: Root,
        path: Option<&WorkspacePath>,
        limit: usize,
    ) -> Result<Listing, SandboxError> {
        self.list(root, path, limit).await
    }

    async fn signal(&self, process: ProcessId, signal: Signal) -> Result<(), SandboxError> {
        let signal = match signal {
            Signal::Interrupt => libc::SIGINT,
            Signal::Terminate => libc::SIGTERM,
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

    async fn kill_tree(&self, tree: &ProcessTree) -> Result<Killed, SandboxError> {
        let tree = inside(tree).map_err(|_| SandboxError::Gone)?;
        match self.ask(InitRequest::KillTree(tree), PATIENT).await {
            Ok(InitReply::Killed { everything: false }) => Ok(Killed::Tree),
            Ok(InitReply::Killed { everything: true }) => Ok(Killed::Everything),
            Ok(_) | Err(_) => self.spawner.kill(self.id).await.map(|()| Killed::Everything),
        }
    }

    fn is_gone(&self) -> bool {
        self.deaf.load(Ordering::Relaxed) || self.init.is_gone()
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
                let directories = self.directories();
                let disk = directories.workspace.as_ref().and_then(|it| Disk::of(it).ok());
                return Ok(account::enforced(cgroup, cpu, disk.unwrap_or_default(), true));
            }
            let (inside, whole) = self.usage_inside(patience).await;
            return Ok(account::enforced(cgroup, inside.cpu, inside.disk, whole));
        }
        let (inside, whole) = self.usage_inside(patience).await;
        let forked = *self.forked.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(account::estimated(inside, forked, whole))
    }

    async fn excess(&self, patience: Duration) -> Option<Excess> {
        self.host.somebody_asks();
        if self.holds_unaccounted_memory(patience).await {
            return Some(Excess::Memory);
        }
        (self.locks(patience).await > MOST_LOCKS).then_some(Excess::Locks)
    }

    async fn end(&self) {
        if !self.ended.swap(true, Ordering::Relaxed) {
            self.let_go();
            self.spawner.end(self.id).await;
        }
    }
}

/// `tree` in the numbers and ticks of its sandbox.
fn inside(tree: &ProcessTree) -> io::Result<KillTree> {
    let pid = |process: &ProcessId| i32::try_from(process.0).map_err(io::Error::other);
    Ok(KillTree {
        root: pid(&tree.root)?,
        spared: tree.spared.iter().map(pid).collect::<io::Result<_>>()?,
        since: ticks_at(tree.since)?,
        orphans: tree.orphans,
    })
}

/// Ticks since the machine was started, as in `/proc/<pid>/stat`. The clock there goes on while the machine
/// sleeps and that of `then` does not: of a moment before a sleep it makes a later one, which spares more.
fn ticks_at(then: Instant) -> io::Result<u64> {
    let now = Duration::from(clock_gettime(ClockId::CLOCK_BOOTTIME)?);
    let at = now.saturating_sub(then.elapsed());
    u64::try_from(at.as_millis() * u128::from(TICKS_PER_SECOND) / 1000).map_err(io::Error::other)
}

impl Drop for LinuxSandbox {
    fn drop(&mut self) {
        // Without a runtime the worker itself is ending, and the spawner sees that.
        if !self.ended.swap(true, Ordering::Relaxed)
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            self.let_go();
            let (spawner, id) = (Arc::clone(&self.spawner), self.id);
            runtime.spawn(async move { spawner.end(id).await });
        }
    }
}
