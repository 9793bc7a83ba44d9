//! One sandbox, as the worker holds it: a way to its init and a name at the spawner.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::account::{self, Disk, LastSaid, Reaped};
use super::cgroup::Meter;
use super::ends::{self, Ends};
use super::fifo::open_fifo;
use super::init_client::{Directories, InitClient, Reply};
use super::link::Side;
use super::locks;
use super::probe::{Probe, Targets};
use super::protocol::{InitReply, InitRequest, InitUsage, SandboxId};
use super::spawner_client::{Claim, Forked, SpawnerClient};
use super::{tcp, untold};
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

/// See the module.
pub struct LinuxSandbox {
    id: SandboxId,
    spawner: Arc<SpawnerClient>,
    init: InitClient,
    /// Pipes that came with it, for the first process that is started.
    spare: Mutex<Option<Ends>>,
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
        (link, ends): (Side, Ends),
        limits: SandboxLimits,
        meter: Option<Meter>,
        spawner: Arc<SpawnerClient>,
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
            init,
            spare: Mutex::new(Some(ends)),
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
    pub(super) fn id(&self) -> SandboxId {
        self.id
    }

    /// The uid of its processes, as the worker sees it: the owner of what they made.
    pub(super) fn uid_outside(&self) -> Option<u32> {
        let workspace = nix::sys::stat::fstat(self.directories().workspace.as_ref()?).ok()?;
        Some(workspace.st_uid)
    }

    /// Starts a process that makes attempts against the walls, and writes what came of them to its
    /// standard output.
    pub(super) async fn probe(
        &self,
        probe: Probe,
        targets: Targets,
    ) -> Result<Process, SandboxError> {
        let ends = self.ends().await?.without_control();
        self.begin("a probe", ends, InitRequest::Probe { probe, targets }).await
    }

    /// The pipes of one more process.
    async fn ends(&self) -> Result<Ends, SandboxError> {
        let spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner).take();
        match spare {
            Some(ends) => Ok(ends),
            None => self.spawner.pipes(self.id).await,
        }
    }

    /// Has init start a process.
    async fn begin(
        &self,
        program: &str,
        Ends { outer, inner }: Ends,
        request: InitRequest,
    ) -> Result<Process, SandboxError> {
        let failed = |source| SandboxError::Start { program: String::from(program), source };
        let Reply { said, exit } = self.ask_with(inner, request, PATIENT).await?;
        let pid = match said {
            InitReply::Started { pid } => pid,
            InitReply::Failed(failure) => return Err(failed(failure.error())),
            InitReply::Done
            | InitReply::Content { .. }
            | InitReply::Usage(_)
            | InitReply::Sockets { .. } => {
                return Err(SandboxError::Gone);
            }
        };
        let exit = exit.ok_or(SandboxError::Gone)?;
        ends::process(pid, outer, exit).map_err(failed)
    }

    /// Asks init.
    pub(super) async fn ask(
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
        match self.ask(InitRequest::Usage { locks: locks::are_many() }, patience).await {
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
}

#[async_trait]
impl Sandbox for LinuxSandbox {
    async fn start(&self, command: Command) -> Result<Process, SandboxError> {
        let (program, control) = (command.program.clone(), command.control);
        let ends = self.ends().await?;
        let ends = if control { ends } else { ends.without_control() };
        self.begin(&program, ends, InitRequest::Start { command }).await
    }

    async fn fork(&self, zygote: &Zygote) -> Result<Process, SandboxError> {
        let failed = |source| SandboxError::Zygote { stage: String::from("descriptors"), source };
        let Ends { outer, inner } = self.ends().await?;
        let forked = timeout(FORK, self.spawner.fork(zygote.id, self.id, inner)).await;
        let Forked { inside, exit } = forked.map_err(|_| {
            let stage = String::from("no answer");
            SandboxError::Zygote { stage, source: io::Error::from(io::ErrorKind::TimedOut) }
        })??;
        self.ask(InitRequest::Seal, PATIENT).await?;
        let exit = if self.meter.is_some() { exit } else { self.count(exit) };
        ends::process(inside, outer, exit).map_err(failed)
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
        ends::control(requests, frames).map_err(failed)
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

    async fn overdraws(&self, patience: Duration) -> bool {
        /// At most a byte of each of 17 pages of 32 KiB counts for the 576 bytes or more of what holds them
        /// together (`MAX_SKB_FRAGS`, `SKB_TRUESIZE`): 967 times as much as is counted.
        const AMPLIFICATION: u64 = 1024;
        let limit = self.in_force.lock().unwrap_or_else(PoisonError::into_inner).memory_bytes;
        let (grown, share) = (untold::grown(), tcp::share());
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
