//! One sandbox, as the worker holds it: a way to its init and a name at the spawner.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::timeout;

use super::account::{self, LastSaid};
use super::excess::Suspicion;
use super::fifo::NamedFifo;
use super::init::{Directories, InitClient, Reply};
use super::spawner::{Claim, SpawnerClient};
use crate::sandbox::backend::{
    Excess, Fifo, Killed, Process, ProcessId, ProcessTree, Sandbox, SandboxError, Signal, Zygote,
};
use crate::sandbox::files::{FileMode, Root};
use crate::sandbox::linux::cgroup::Meter;
use crate::sandbox::linux::host::disk::Disk;
use crate::sandbox::linux::host::look::HostLook;
use crate::sandbox::linux::host::reaped::Reaped;
use crate::sandbox::linux::wire::init::{InitReply, InitRequest, InitUsage};
use crate::sandbox::linux::wire::init_link::InitEnds;
use crate::sandbox::linux::wire::pipes::Pipes;
use crate::sandbox::linux::wire::spawner::SandboxId;
use crate::sandbox::spec::{Command, Footprint, SandboxLimits, Usage};
use crate::sandbox::workspace::WorkspacePath;

/// For what may take its time: an interpreter that is started, a file that is written.
pub const PATIENT: Duration = Duration::from_secs(10);
/// For what an answer waits for. Together with the politeness of a time-out it must stay below the quarter
/// of a second in which that is answered.
const QUICK: Duration = Duration::from_millis(30);

/// For a look at what one holds, which nobody waits for.
const PATIENT_LOOK: Duration = Duration::from_millis(500);

/// A sandbox of Linux's namespaces, behind the trait of all sandboxes.
pub struct LinuxSandbox {
    pub(super) id: SandboxId,
    pub(super) spawner: Arc<SpawnerClient>,
    pub(super) host: Arc<HostLook>,
    pub(super) init: InitClient,
    /// Pipes that came with it, for the first process that is started.
    pub(super) spare: Mutex<Option<Pipes>>,
    /// Those that it was made with.
    pub(super) limits: SandboxLimits,
    pub(super) in_force: Mutex<SandboxLimits>,
    /// Reads the account that the kernel keeps; absent without cgroups.
    pub(super) meter: Option<Meter>,
    pub(super) directories: Mutex<Directories>,
    /// For a way out, until it has one.
    pub(super) socket_out: Mutex<Option<OwnedFd>>,
    /// Without a meter: what processes have used that are not init's children.
    pub(super) forked: Arc<Mutex<Reaped>>,
    pub(super) inside: LastSaid,
    pub(super) suspicion: Suspicion,
    /// Init did not answer in time, and was killed for it.
    pub(super) deaf: AtomicBool,
    pub(super) ended: AtomicBool,
}

impl LinuxSandbox {
    /// Waits until the new sandbox behind `link` is closed and can be used.
    pub async fn open(
        (id, claim): (SandboxId, Claim),
        (link, pipes): (InitEnds, Pipes),
        limits: SandboxLimits,
        meter: Option<Meter>,
        (spawner, host): (Arc<SpawnerClient>, Arc<HostLook>),
    ) -> Result<Self, SandboxError> {
        let met = timeout(PATIENT, InitClient::meet(link)).await;
        let (init, directories, socket_out) = met.unwrap_or_else(|elapsed| {
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
            socket_out: Mutex::new(socket_out),
            forked: Arc::default(),
            inside: LastSaid::default(),
            suspicion: Suspicion::default(),
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

    /// Asks init.
    pub async fn ask(
        &self,
        request: InitRequest,
        patience: Duration,
    ) -> Result<InitReply, SandboxError> {
        Ok(self.ask_with(Vec::new(), request, patience).await?.said)
    }

    /// Asks init, which user code may have starved: no answer in time is as bad as none.
    pub(super) async fn ask_with(
        &self,
        fds: Vec<OwnedFd>,
        request: InitRequest,
        patience: Duration,
    ) -> Result<Reply, SandboxError> {
        match timeout(patience, self.init.ask(request, fds)).await {
            Ok(reply) => reply.ok_or(SandboxError::Gone),
            Err(_) if patience < PATIENT => Err(SandboxError::Gone),
            Err(_) => Err(self.give_up().await),
        }
    }

    /// Init has not done something for so long that it will not do anything else either.
    pub(super) async fn give_up(&self) -> SandboxError {
        self.deaf.store(true, Ordering::Relaxed);
        let _ = self.spawner.kill(self.id).await;
        SandboxError::Gone
    }

    /// What init says, and whether it is what it says now. If it is gone or starved, it is what it said last.
    async fn usage_inside(&self, patience: Duration) -> (InitUsage, bool) {
        match self.ask(InitRequest::Usage, patience).await {
            Ok(InitReply::Usage(usage)) => (self.inside.remember(usage), true),
            Ok(_) | Err(_) => (self.inside.last(), false),
        }
    }

    async fn signal_all(&self, signal: i32) -> Result<(), SandboxError> {
        self.ask(InitRequest::SignalAll { signal }, PATIENT).await.map(|_| ())
    }

    pub(super) fn limits_in_force(&self) -> SandboxLimits {
        *self.in_force.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn directories(&self) -> MutexGuard<'_, Directories> {
        self.directories.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets go of its directories. Whoever does so last takes the file system apart, which takes 60 ms if
    /// there are 400 MiB in it: while init lives that is not us, and else a thread that nobody waits for.
    fn let_go(&self) {
        let directories = std::mem::take(&mut *self.directories());
        drop(self.take_socket_out());
        if self.is_gone() {
            tokio::task::spawn_blocking(move || drop(directories));
        }
    }
}

#[async_trait]
impl Sandbox for LinuxSandbox {
    async fn start(&self, command: Command) -> Result<Process, SandboxError> {
        self.start_process(command).await
    }

    async fn start_from(&self, zygote: &Zygote) -> Result<Process, SandboxError> {
        self.start_process_from(zygote).await
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

    async fn make_fifo(&self, name: &WorkspacePath) -> Result<Box<dyn Fifo>, SandboxError> {
        Ok(Box::new(self.fifo(name, NamedFifo::find).await?))
    }

    async fn signal(&self, process: ProcessId, signal: Signal) -> Result<(), SandboxError> {
        let signal = match signal {
            Signal::Interrupt => libc::SIGINT,
            Signal::Terminate => libc::SIGTERM,
            Signal::Kill => libc::SIGKILL,
            Signal::Other(number) => number,
        };
        let pid = i32::try_from(process.0).map_err(|_| SandboxError::Gone)?;
        self.ask(InitRequest::Signal { pid, signal }, QUICK).await.map(|_| ())
    }

    async fn kill_all(&self) -> Result<(), SandboxError> {
        self.kill_every_process().await
    }

    async fn kill_tree(&self, tree: &ProcessTree) -> Result<Killed, SandboxError> {
        self.kill_processes_of(tree).await
    }

    async fn listen(&self, port: u16) -> Result<(OwnedFd, u16), SandboxError> {
        self.listen_inside(port)
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
        let now = self.limits_in_force();
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

    async fn footprint(&self) -> Footprint {
        if let Some(meter) = &self.meter {
            return meter.footprint();
        }
        let (inside, _) = self.usage_inside(PATIENT_LOOK).await;
        Footprint { memory_bytes: inside.memory_bytes, processes: u64::from(inside.processes) }
    }

    fn cpu_time(&self) -> Option<Duration> {
        self.meter.as_ref()?.cpu_time()
    }

    async fn open_files(&self) -> u64 {
        self.count_open_files(PATIENT_LOOK).await
    }

    fn set_cpu_weight(&self, thousandths: u32) {
        if let Some(meter) = &self.meter {
            meter.set_weight(thousandths);
        }
    }

    async fn hold_to(&self, most: Option<Footprint>) -> Result<(), SandboxError> {
        self.limit_to(most).await
    }

    async fn pause(&self) -> Result<(), SandboxError> {
        self.signal_all(libc::SIGSTOP).await
    }

    async fn resume(&self) -> Result<(), SandboxError> {
        self.signal_all(libc::SIGCONT).await
    }

    async fn excess(&self, patience: Duration) -> Option<Excess> {
        self.host.somebody_asks();
        if self.holds_unaccounted_memory(patience).await {
            return Some(Excess::Memory);
        }
        if self.holds_too_many_locks(patience).await {
            return Some(Excess::Locks);
        }
        self.has_too_many_files(patience).await.then_some(Excess::Files)
    }

    async fn end(&self) {
        if !self.ended.swap(true, Ordering::Relaxed) {
            self.let_go();
            self.spawner.end(self.id).await;
        }
    }
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
