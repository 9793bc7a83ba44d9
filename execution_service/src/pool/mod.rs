//! Warm workplaces: made ahead of time, used once, refilled in the background.
//!
//! ```text
//! Pool ── Shelf (one a language) ── Nursery   its zygote, where the language has one
//!                                └─ room      whether there is memory for more
//! ```

mod nursery;
mod room;

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::execution::kernel::{Kernel, KernelError};
use crate::execution::workplace::Workplace;
use crate::language::{Approach, Language};
use crate::sandbox::backend::{SandboxBackend, SandboxError};
use crate::sandbox::spec::SandboxLimits;
use crate::tasks::Tasks;
use nursery::Nursery;

/// A shelf that was found empty doubles; after so long without that it shrinks by one.
const CALM: Duration = Duration::from_secs(60);
/// Sandboxes of one shelf that are being made at once: more would take the processors from the programs
/// that run, and hold up those that wait for one on the spot.
const AT_ONCE: usize = 2;
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
    /// To be dropped when whoever took the workplace has been answered.
    pub refill: Refill,
}

/// Has the shelf refilled when it is dropped. Making a sandbox costs as much as a short run does, and
/// would take from it if both were done at once.
pub struct Refill(Arc<Notify>);

impl Drop for Refill {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

struct Shelf {
    language: Language,
    executable: String,
    nursery: Option<Nursery>,
    ready: Mutex<VecDeque<Workplace>>,
    target: AtomicUsize,
    taken: Arc<Notify>,
}

impl Pool {
    /// A pool for the languages that have an executable; workplaces get `limits`, and zygotes load
    /// `libraries`.
    pub fn new(
        backend: Arc<dyn SandboxBackend>,
        executables: &BTreeMap<Language, String>,
        libraries: &[String],
        limits: SandboxLimits,
        size: PoolSize,
    ) -> Arc<Self> {
        let shelf = |(language, executable): (&Language, &String)| {
            let zygote = match language.approach() {
                Approach::Kernel(kernel) => kernel.zygote(executable, libraries),
                Approach::Compiled(_) => None,
            };
            let shelf = Shelf {
                language: *language,
                executable: executable.clone(),
                nursery: zygote.map(|command| Nursery::new(Arc::clone(&backend), command)),
                ready: Mutex::new(VecDeque::new()),
                target: AtomicUsize::new(size.initial),
                taken: Arc::new(Notify::new()),
            };
            (*language, shelf)
        };
        let shelves = executables.iter().map(shelf).collect();
        Arc::new(Self { backend, limits, size, shelves })
    }

    /// Starts to fill the shelves, and keeps them filled until `shutdown`.
    pub fn keep_filled(self: &Arc<Self>, tasks: &Tasks, shutdown: &CancellationToken) {
        for language in self.shelves.keys().copied() {
            let (pool, shutdown) = (Arc::clone(self), shutdown.clone());
            tasks.spawn("pool", async move {
                let Some(shelf) = pool.shelves.get(&language) else {
                    return;
                };
                tokio::select! {
                    () = pool.fill(shelf) => {}
                    () = shelf.keep_zygote() => {}
                    () = shutdown.cancelled() => {}
                }
                // What is left on the shelf ends with it.
                let left = std::mem::take(&mut *shelf.lock());
                for place in left {
                    place.sandbox.end().await;
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
            return Ok(Lease { place, cold: false, refill: shelf.refill() });
        }
        let place = self.make(shelf, limits).await?;
        Ok(Lease { place, cold: true, refill: shelf.refill() })
    }

    async fn make(&self, shelf: &Shelf, limits: SandboxLimits) -> Result<Workplace, KernelError> {
        let backend = self.backend.as_ref();
        if let Some(nursery) = &shelf.nursery
            && let Some(zygote) = nursery.zygote()
        {
            match Workplace::fork(backend, &zygote, limits).await {
                Err(
                    error @ (KernelError::Sandbox(SandboxError::Zygote { .. })
                    | KernelError::NotReady(_)),
                ) => {
                    tracing::warn!(%error, "a zygote is no good and is replaced");
                    nursery.distrust(&zygote);
                }
                made => return made,
            }
        }
        Workplace::make(backend, shelf.language, &shelf.executable, limits).await
    }

    async fn fill(&self, shelf: &Shelf) {
        if let Some(nursery) = &shelf.nursery {
            nursery.settled().await;
        }
        let mut making = FuturesUnordered::new();
        let mut calm = Instant::now() + CALM;
        loop {
            while making.len() < AT_ONCE && shelf.lacks(making.len()) {
                making.push(self.make(shelf, self.limits));
            }
            tokio::select! {
                Some(made) = making.next() => match made {
                    Ok(place) => shelf.lock().push_back(place),
                    Err(error) => {
                        let language = shelf.language;
                        tracing::error!(%language, %error, "could not make a warm sandbox");
                        tokio::time::sleep(AFTER_FAILURE).await;
                    }
                },
                () = shelf.taken.notified() => {
                    calm = Instant::now() + CALM;
                    shelf.grow_if_empty(self.size.max);
                }
                () = sleep_until(calm) => {
                    calm = Instant::now() + CALM;
                    shelf.shrink(self.size.initial);
                }
            }
        }
    }
}

impl Shelf {
    /// Keeps the language's zygote, if it has one.
    async fn keep_zygote(&self) {
        match &self.nursery {
            Some(nursery) => nursery.keep().await,
            None => std::future::pending().await,
        }
    }

    /// Whether there should be more than the ready ones and `making`.
    fn lacks(&self, making: usize) -> bool {
        self.lock().len() + making < self.target.load(Ordering::Relaxed)
    }

    /// Takes one that lives and can have `limits`.
    fn take(&self, limits: SandboxLimits) -> Option<Workplace> {
        let mut ready = self.lock();
        while let Some(mut place) = ready.pop_front() {
            let dead = place.kernel.as_mut().is_some_and(Kernel::has_ended);
            if dead {
                continue;
            }
            if place.sandbox.accepts(limits) {
                if ready.is_empty() {
                    // The next one cannot wait until this one has been answered.
                    self.taken.notify_one();
                }
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

    fn refill(&self) -> Refill {
        Refill(Arc::clone(&self.taken))
    }

    fn grow_if_empty(&self, max: usize) {
        if self.lock().is_empty() && room::is_left() {
            let grow = |target: usize| (target < max).then_some(max.min(target.max(1) * 2));
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
