//! Warm workplaces: made ahead of time, used once, refilled in the background.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::execution::kernel::{Kernel, KernelError};
use crate::execution::workplace::Workplace;
use crate::language::Language;
use crate::sandbox::backend::SandboxBackend;
use crate::sandbox::spec::SandboxLimits;
use crate::tasks::Tasks;

/// A shelf that was found empty grows; after so long without that it shrinks by one.
const CALM: Duration = Duration::from_secs(60);
/// After a failure to make one, in which something is wrong that will not be better at once.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// How many of each language are kept ready.
#[derive(Clone, Copy, Debug)]
pub struct PoolSize {
    /// At start, and after quiet times.
    pub initial: usize,
    /// Under load.
    pub max: usize,
}

/// The warm workplaces of all languages.
pub struct Pool {
    backend: Arc<dyn SandboxBackend>,
    limits: SandboxLimits,
    size: PoolSize,
    shelves: BTreeMap<Language, Shelf>,
}

/// The right to one workplace. Dropping it ends the sandbox.
pub struct Lease {
    /// The workplace.
    pub place: Workplace,
    /// None was ready: this one was made on the spot.
    pub cold: bool,
}

struct Shelf {
    executable: String,
    ready: Mutex<VecDeque<Workplace>>,
    target: AtomicUsize,
    taken: Notify,
}

impl Pool {
    /// A pool for the languages that have an executable; workplaces get `limits`.
    pub fn new(
        backend: Arc<dyn SandboxBackend>,
        executables: &BTreeMap<Language, String>,
        limits: SandboxLimits,
        size: PoolSize,
    ) -> Arc<Self> {
        let shelf = |executable: &String| Shelf {
            executable: executable.clone(),
            ready: Mutex::new(VecDeque::new()),
            target: AtomicUsize::new(size.initial),
            taken: Notify::new(),
        };
        let shelves = executables.iter().map(|(language, exe)| (*language, shelf(exe))).collect();
        Arc::new(Self { backend, limits, size, shelves })
    }

    /// Starts to fill the shelves, and keeps them filled until `shutdown`.
    pub fn keep_filled(self: &Arc<Self>, tasks: &Tasks, shutdown: &CancellationToken) {
        for language in self.shelves.keys().copied() {
            let (pool, shutdown) = (Arc::clone(self), shutdown.clone());
            tasks.spawn("pool", async move {
                tokio::select! {
                    () = pool.fill(language) => {}
                    () = shutdown.cancelled() => {}
                }
                // What is left on the shelf ends with it.
                if let Some(shelf) = pool.shelves.get(&language) {
                    let left = std::mem::take(&mut *shelf.lock());
                    for place in left {
                        place.sandbox.end().await;
                    }
                }
            });
        }
    }

    /// A workplace for `language` with `limits`: a warm one if there is one that can have them.
    pub async fn lease(
        &self,
        language: Language,
        limits: SandboxLimits,
    ) -> Result<Lease, KernelError> {
        let Some(shelf) = self.shelves.get(&language) else {
            return Err(KernelError::NotReady(format!("{language} is not installed here")));
        };
        if let Some(place) = shelf.take(limits) {
            if limits != self.limits {
                place.sandbox.prepare(limits).await?;
            }
            return Ok(Lease { place, cold: false });
        }
        let backend = self.backend.as_ref();
        let place = Workplace::make(backend, language, &shelf.executable, limits).await?;
        Ok(Lease { place, cold: true })
    }

    async fn fill(&self, language: Language) {
        let Some(shelf) = self.shelves.get(&language) else {
            return;
        };
        loop {
            while shelf.lock().len() < shelf.target.load(Ordering::Relaxed) {
                let backend = self.backend.as_ref();
                match Workplace::make(backend, language, &shelf.executable, self.limits).await {
                    Ok(place) => shelf.lock().push_back(place),
                    Err(error) => {
                        tracing::error!(%language, %error, "could not make a warm sandbox");
                        tokio::time::sleep(AFTER_FAILURE).await;
                    }
                }
            }
            if tokio::time::timeout(CALM, shelf.taken.notified()).await.is_err() {
                shelf.shrink(self.size.initial);
            } else {
                shelf.grow_if_empty(self.size.max);
            }
        }
    }
}

impl Shelf {
    /// Takes one that lives and can have `limits`.
    fn take(&self, limits: SandboxLimits) -> Option<Workplace> {
        let mut ready = self.lock();
        while let Some(mut place) = ready.pop_front() {
            let dead = place.kernel.as_mut().is_some_and(Kernel::has_ended);
            if dead {
                continue;
            }
            if place.sandbox.accepts(limits) {
                drop(ready);
                self.taken.notify_one();
                return Some(place);
            }
            // All on a shelf are alike.
            ready.push_front(place);
            return None;
        }
        drop(ready);
        self.taken.notify_one();
        None
    }

    fn grow_if_empty(&self, max: usize) {
        if self.lock().is_empty() {
            let grow = |target: usize| (target < max).then_some(target + 1);
            let _ = self.target.fetch_update(Ordering::Relaxed, Ordering::Relaxed, grow);
        }
    }

    fn shrink(&self, min: usize) {
        let shrink = |target: usize| (target > min).then(|| target - 1);
        if self.target.fetch_update(Ordering::Relaxed, Ordering::Relaxed, shrink).is_ok() {
            // Dropped outside of the lock: ending a sandbox is not free.
            let surplus = self.lock().pop_back();
            drop(surplus);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<Workplace>> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
