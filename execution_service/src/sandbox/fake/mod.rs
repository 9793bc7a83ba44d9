//! A backend for unit tests: its sandboxes are in memory, and a script says what processes do.
//!
//! ```text
//! FakeBackend   makes sandboxes, fails when told to, knows what has not been ended
//! Inside        one sandbox as a test sees it: files, account, what was killed
//! FakeProcess   one process as its script sees it: streams, control channel, signals
//! ```
//!
//! A kernel that prints what it is told to run, in a sandbox that must be gone in the end:
//!
//! ```ignore
//! let backend = FakeBackend::new(|mut process| async move {
//!     process.ready().await;
//!     while let Some(run) = process.next_run().await {
//!         process.print(&run.code);
//!         process.done(run.id, 0).await;
//!     }
//!     Exit::Code(0)
//! });
//! let sandbox = backend.create(&SandboxSpec::closed(LIMITS)).await?;
//! let process = sandbox.start(command).await?;
//! backend.sandbox(0).set_usage(Usage { cpu: Duration::from_secs(9), ..backend.sandbox(0).usage() });
//! sandbox.end().await;
//! backend.assert_all_is_ended();
//! ```

mod fifo;
mod file_system;
mod inside;
mod output;
mod process;
mod sandbox;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures::future::BoxFuture;
use tokio_util::sync::CancellationToken;

pub use inside::Inside;
pub use process::{FakeProcess, FakeRun};

use super::backend::{Health, Sandbox, SandboxBackend, SandboxError, Zygote};
use super::census::Census;
use super::isolation::Isolation;
use super::spec::{Command, Exit, Footprint, SandboxLimits, SandboxSpec};
use sandbox::FakeSandbox;

/// Limits of which no test needs to know more.
pub const LIMITS: SandboxLimits = SandboxLimits {
    memory_bytes: 256 << 20,
    processes: 64,
    disk_bytes: 64 << 20,
    inodes: 1000,
    open_files: 256,
    milli_cpus: 1000,
};

/// See [`until`].
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// What a process does, from its start to how it ends.
type Script = Arc<dyn Fn(FakeProcess) -> BoxFuture<'static, Exit> + Send + Sync>;

/// What can be made to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// [`SandboxBackend::create`].
    Create,
    /// [`SandboxBackend::preload`].
    Preload,
    /// [`SandboxBackend::census`].
    Census,
    /// [`Sandbox::start`].
    Start,
    /// [`Sandbox::start_from`].
    StartFrom,
    /// [`Sandbox::write_file`].
    Write,
    /// [`Sandbox::read_file`].
    Read,
    /// [`FileSystem::tree`](super::files::FileSystem::tree).
    List,
    /// [`Sandbox::prepare`].
    Prepare,
    /// [`Sandbox::usage`].
    Usage,
    /// [`Sandbox::kill_tree`].
    KillTree,
}

/// Makes sandboxes that are only in memory.
pub struct FakeBackend {
    script: Script,
    /// What fails next, and with what.
    faults: Arc<Faults>,
    sandboxes: Mutex<Vec<Arc<Inside>>>,
    zygotes: Arc<Zygotes>,
    last_zygote: AtomicU64,
    health: Mutex<Health>,
    failed: CancellationToken,
}

struct FakeZygote {
    id: u64,
    command: Command,
    ended: CancellationToken,
    /// Fires when nobody wants it any more.
    unwanted: CancellationToken,
}

impl FakeZygote {
    fn lives(&self) -> bool {
        !self.ended.is_cancelled() && !self.unwanted.is_cancelled()
    }
}

/// All that were ever made.
type Zygotes = Mutex<Vec<FakeZygote>>;

/// The failures to come, of all sandboxes.
#[derive(Default)]
struct Faults(Mutex<VecDeque<(Operation, SandboxError)>>);

impl Faults {
    /// The first that is meant for `operation`, as its result.
    fn check(&self, operation: Operation) -> Result<(), SandboxError> {
        let mut faults = lock(&self.0);
        match faults.iter().position(|(of, _)| *of == operation) {
            None => Ok(()),
            Some(at) => faults.remove(at).map_or(Ok(()), |(_, error)| Err(error)),
        }
    }
}

impl FakeBackend {
    /// One in which every process does what `script` says.
    pub fn new<F, R>(script: F) -> Arc<Self>
    where
        F: Fn(FakeProcess) -> R + Send + Sync + 'static,
        R: Future<Output = Exit> + Send + 'static,
    {
        Arc::new(Self {
            script: Arc::new(move |process| Box::pin(script(process))),
            faults: Arc::default(),
            sandboxes: Mutex::default(),
            zygotes: Arc::default(),
            last_zygote: AtomicU64::new(0),
            health: Mutex::new(Health::Healthy),
            failed: CancellationToken::new(),
        })
    }

    /// One in which every process is a kernel that gets ready, says `done` to each run, and ends when nobody
    /// speaks to it any more. Told to run `exit`, it exits instead.
    pub fn of_kernels() -> Arc<Self> {
        Self::new(|mut process| async move {
            process.ready().await;
            while let Some(run) = process.next_run().await {
                if run.code == "exit" {
                    return Exit::Code(0);
                }
                process.done(run.id, 0).await;
            }
            Exit::Code(0)
        })
    }

    /// Has the next `operation` fail with `error`; called twice, the next two.
    pub fn fail_next(&self, operation: Operation, error: SandboxError) {
        lock(&self.faults.0).push_back((operation, error));
    }

    /// What [`SandboxBackend::health`] says from now on.
    pub fn set_health(&self, health: Health) {
        *lock(&self.health) = health;
    }

    /// Fails for good: nothing can be made any more.
    pub fn break_down(&self) {
        self.failed.cancel();
    }

    /// The `index`th sandbox that was made, from 0; it may have ended.
    pub fn sandbox(&self, index: usize) -> Arc<Inside> {
        let sandboxes = lock(&self.sandboxes);
        Arc::clone(sandboxes.get(index).expect("a test knows what it has made"))
    }

    /// How many sandboxes were made.
    pub fn created(&self) -> usize {
        lock(&self.sandboxes).len()
    }

    /// How many of them have not been ended.
    pub fn living(&self) -> usize {
        lock(&self.sandboxes).iter().filter(|inside| !inside.has_ended()).count()
    }

    /// How many processes run in all sandboxes.
    pub fn processes(&self) -> usize {
        lock(&self.sandboxes).iter().map(|inside| inside.processes()).sum()
    }

    /// How many zygotes were ever started.
    pub fn preloaded(&self) -> u64 {
        self.last_zygote.load(Ordering::Relaxed)
    }

    /// How many zygotes live.
    pub fn zygotes(&self) -> usize {
        lock(&self.zygotes).iter().filter(|zygote| zygote.lives()).count()
    }

    /// Has all zygotes die.
    pub fn kill_zygotes(&self) {
        lock(&self.zygotes).drain(..).for_each(|zygote| zygote.ended.cancel());
    }

    /// That nobody has forgotten a sandbox or a zygote.
    ///
    /// # Panics
    /// If somebody has.
    #[track_caller]
    pub fn assert_all_is_ended(&self) {
        let left = (self.living(), self.zygotes());
        assert_eq!(left, (0, 0), "sandboxes and zygotes that nobody has ended");
    }

    fn check(&self, operation: Operation) -> Result<(), SandboxError> {
        if self.failed.is_cancelled() {
            return Err(SandboxError::BackendGone);
        }
        self.faults.check(operation)
    }
}

#[async_trait]
impl SandboxBackend for FakeBackend {
    async fn create(&self, spec: &SandboxSpec) -> Result<Box<dyn Sandbox>, SandboxError> {
        self.check(Operation::Create)?;
        let inside = Arc::new(Inside::new(spec.clone()));
        lock(&self.sandboxes).push(Arc::clone(&inside));
        Ok(Box::new(FakeSandbox {
            inside,
            script: Arc::clone(&self.script),
            faults: Arc::clone(&self.faults),
            zygotes: Arc::clone(&self.zygotes),
        }))
    }

    async fn preload(&self, command: Command) -> Result<Zygote, SandboxError> {
        self.check(Operation::Preload)?;
        let id = self.last_zygote.fetch_add(1, Ordering::Relaxed) + 1;
        let (ended, unwanted) = (CancellationToken::new(), CancellationToken::new());
        let kept = unwanted.clone().drop_guard();
        let zygote = FakeZygote { id, command, ended: ended.clone(), unwanted };
        lock(&self.zygotes).push(zygote);
        Ok(Zygote::new(id, ended, kept))
    }

    async fn examine(&self) -> Isolation {
        Isolation { walls: Vec::new() }
    }

    async fn census(&self) -> Result<Census, SandboxError> {
        self.check(Operation::Census)?;
        let count = |count: usize| u64::try_from(count).ok();
        Ok(Census {
            sandboxes: count(self.living()),
            zygotes: count(self.zygotes()),
            processes: count(self.living() + self.processes() + self.zygotes()),
            ..Census::default()
        })
    }

    fn capacity(&self) -> Footprint {
        Footprint { memory_bytes: 1 << 40, processes: 1 << 20 }
    }

    fn footprint(&self) -> Footprint {
        let sandboxes = lock(&self.sandboxes);
        sandboxes.iter().fold(Footprint::default(), |sum, inside| sum.and(inside.footprint()))
    }

    fn health(&self) -> Health {
        *lock(&self.health)
    }

    async fn failed(&self) {
        self.failed.cancelled().await;
    }
}

/// Waits until `condition` is met: what goes on in the background has no other end that a test could see.
///
/// # Panics
/// When that takes longer than any machine could need.
#[track_caller]
pub fn until(condition: impl Fn() -> bool) -> impl Future<Output = ()> {
    let caller = std::panic::Location::caller();
    async move {
        let given_up = Instant::now() + LONGEST_WAIT;
        while !condition() {
            assert!(Instant::now() < given_up, "waited in vain at {caller}");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
