//! Warm workplaces: made ahead of time, used once, refilled in the background.
//!
//! ```text
//! Pool ── Shelf ── Nursery   its zygote, where the language has one
//!               └─ room      whether there is memory for more
//! ```
//! A language has one shelf; one whose zygote can load libraries has a second, for the programs that
//! mention them. To fork, to run in and to take apart a process with pandas in it costs twice the
//! processor time of one without.

mod nursery;
mod room;
mod shelf;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::execution::kernel::KernelError;
use crate::execution::workplace::Workplace;
use crate::language::{Approach, Language};
use crate::sandbox::backend::{SandboxBackend, SandboxError};
use crate::sandbox::spec::{Command, SandboxLimits};
use crate::tasks::Tasks;
use nursery::Nursery;
use shelf::Shelf;

/// A shelf that was found empty doubles; after so long without that it shrinks by one.
const CALM: Duration = Duration::from_secs(60);
/// Sandboxes of one shelf that are being made at once: more would take the processors from the programs
/// that run, and hold up those that wait for one on the spot.
const AT_ONCE: usize = 2;
/// After a failure to make one, in which something is wrong that will not be better at once.
const AFTER_FAILURE: Duration = Duration::from_secs(1);
/// Between two looks for sandboxes that have died on their shelf. Whoever takes one looks, too.
const LOOK: Duration = Duration::from_secs(5);
/// A sandbox that failed sooner than this is tried again for a run that waits for it.
const WORTH_ANOTHER_TRY: Duration = Duration::from_secs(2);

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
    shelves: BTreeMap<(Language, Stock), Shelf>,
    libraries: Vec<String>,
}

/// What is on a shelf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stock {
    /// The interpreter as it is.
    Plain,
    /// With the libraries loaded.
    Libraries,
}

/// Who wants a workplace.
#[derive(Clone, Copy, Debug)]
pub enum For<'a> {
    /// This program.
    Program(&'a str),
    /// A session, of which nobody knows what it will run.
    Session,
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

/// All zygotes that a [`Pool`] of the same executables and libraries will ask for.
pub fn zygotes(executables: &BTreeMap<Language, String>, libraries: &[String]) -> Vec<Command> {
    let of_all = executables
        .iter()
        .flat_map(|(language, executable)| zygotes_of(*language, executable, libraries));
    of_all.flatten().collect()
}

/// The one without libraries, and the one with them.
fn zygotes_of(language: Language, executable: &str, libraries: &[String]) -> [Option<Command>; 2] {
    match language.approach() {
        Approach::Compiled(_) => [None, None],
        Approach::Kernel(kernel) => {
            let rich =
                if libraries.is_empty() { None } else { kernel.zygote(executable, libraries) };
            [kernel.zygote(executable, &[]), rich]
        }
    }
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
        let mut shelves = BTreeMap::new();
        for (language, executable) in executables {
            let mut add = |stock, zygote: Option<Command>| {
                let nursery = zygote.map(|command| Nursery::new(Arc::clone(&backend), command));
                let shelf = Shelf::new(*language, executable.clone(), nursery, size.initial);
                shelves.insert((*language, stock), shelf);
            };
            let [plain, rich] = zygotes_of(*language, executable, libraries);
            add(Stock::Plain, plain);
            if rich.is_some() {
                add(Stock::Libraries, rich);
            }
        }
        Arc::new(Self { backend, limits, size, shelves, libraries: libraries.to_vec() })
    }

    /// Starts to fill the shelves, and keeps them filled until `shutdown`.
    pub fn keep_filled(self: &Arc<Self>, tasks: &Tasks, shutdown: &CancellationToken) {
        for key in self.shelves.keys() {
            let (pool, key, shutdown) = (Arc::clone(self), *key, shutdown.clone());
            tasks.spawn("pool", async move {
                let Some(shelf) = pool.shelves.get(&key) else {
                    return;
                };
                tokio::select! {
                    () = pool.fill(shelf) => {}
                    () = shelf.keep_zygote() => {}
                    () = shutdown.cancelled() => {}
                }
                // What is left on the shelf ends with it.
                for place in shelf.clear() {
                    place.sandbox.end().await;
                }
            });
        }
    }

    /// A workplace for `language` with `limits`: a warm one if there is one that can have them.
    pub async fn lease(
        &self,
        language: Language,
        whom: For<'_>,
        limits: SandboxLimits,
    ) -> Result<Lease, KernelError> {
        let Some(shelf) = self.shelf(language, whom) else {
            return Err(KernelError::NotReady(format!("{language} is not installed here")));
        };
        if let Some(place) = shelf.take(limits) {
            if limits != self.limits {
                place.sandbox.prepare(limits).await?;
            }
            return Ok(Lease { place, cold: false, refill: shelf.refill() });
        }
        let begun = Instant::now();
        let place = match self.make(shelf, limits).await {
            Err(error @ KernelError::Sandbox(SandboxError::BackendGone)) => return Err(error),
            // Somebody may have killed it on the way. Nothing has run in it.
            Err(error) if begun.elapsed() < WORTH_ANOTHER_TRY => {
                tracing::warn!(%language, %error, "could not make a sandbox for a run; once more");
                self.make(shelf, limits).await?
            }
            made => made?,
        };
        Ok(Lease { place, cold: true, refill: shelf.refill() })
    }

    /// How many workplaces are ready.
    pub fn warm(&self) -> u64 {
        self.shelves.values().map(|shelf| shelf.count().0).sum()
    }

    /// In how many of those an interpreter waits.
    pub fn warm_kernels(&self) -> u64 {
        self.shelves.values().map(|shelf| shelf.count().1).sum()
    }

    /// How many zygotes there should be now.
    pub fn zygotes(&self) -> u64 {
        let nurseries = self.shelves.values().filter_map(|shelf| shelf.nursery.as_ref());
        nurseries.filter(|nursery| nursery.has_one()).count() as u64
    }

    fn shelf(&self, language: Language, whom: For<'_>) -> Option<&Shelf> {
        let needed = match (whom, language.approach()) {
            (For::Session, _) => true,
            (For::Program(code), Approach::Kernel(kernel)) => kernel.needs(code, &self.libraries),
            (For::Program(_), Approach::Compiled(_)) => false,
        };
        let rich = self.shelves.get(&(language, Stock::Libraries)).filter(|_| needed);
        rich.or_else(|| self.shelves.get(&(language, Stock::Plain)))
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
        let mut look = Instant::now() + LOOK;
        loop {
            while making.len() < AT_ONCE && shelf.lacks(making.len()) {
                making.push(self.make(shelf, self.limits));
            }
            tokio::select! {
                Some(made) = making.next() => match made {
                    Ok(place) => shelf.put(place),
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
                () = sleep_until(look) => {
                    look = Instant::now() + LOOK;
                    shelf.drop_dead();
                }
                () = sleep_until(calm) => {
                    calm = Instant::now() + CALM;
                    shelf.shrink(self.size.initial);
                }
            }
        }
    }
}
