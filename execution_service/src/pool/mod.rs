//! Warm runners: made ahead of time, used once, refilled in the background.
//!
//! ```text
//! Pools ── the Pool that serves, and those before it
//! Pool ── WarmQueue ── ZygoteKeeper       its zygote, where the language has one
//!    │              └─ memory_headroom    whether there is memory for more
//!    └─── keep_filled                     a task for each queue
//! ```
//! A language has one queue; one whose zygote can load libraries has a second, for the programs that
//! mention them. To fork, to run in and to take apart a process with pandas in it costs twice the
//! processor time of one without.

mod keep_filled;
mod memory_headroom;
mod succession;
mod warm_queue;
mod zygote_keeper;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::execution::kernel::KernelError;
use crate::execution::runner::Runner;
use crate::language::{Approach, Language, Toolchains};
use crate::sandbox::backend::{Sandbox, SandboxBackend, SandboxError};
use crate::sandbox::spec::{Command, SandboxLimits, SandboxSpec};
pub use succession::Pools;
use warm_queue::WarmQueue;
use zygote_keeper::ZygoteKeeper;

/// Between two looks whether all queues are full for the first time.
const LOOK: Duration = Duration::from_millis(20);

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

/// The warm runners of all languages.
pub struct Pool {
    backend: Arc<dyn SandboxBackend>,
    limits: SandboxLimits,
    size: PoolSize,
    queues: BTreeMap<(Language, Preload), WarmQueue>,
    toolchains: Arc<Toolchains>,
}

/// What the runners of a queue have loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Preload {
    /// Nothing: the interpreter as it is.
    Nothing,
    /// The libraries.
    Libraries,
}

/// Who wants a runner.
#[derive(Clone, Copy, Debug)]
pub enum Demand<'a> {
    /// This program.
    Program(&'a str),
    /// A session, of which nobody knows what it will run.
    Session,
}

/// A runner for somebody. Dropping it ends the sandbox.
pub struct Acquired {
    /// It.
    pub runner: Runner,
    /// None was ready: this one was made on the spot.
    pub cold: bool,
    /// To be dropped when whoever took the runner has been answered.
    pub refill: Refill,
}

/// Has the queue refilled when it is dropped. Making a sandbox costs as much as a short run does, and
/// would take from it if both were done at once.
pub struct Refill(Arc<Notify>);

impl Drop for Refill {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

/// All zygotes that a [`Pool`] of the same toolchains will ask for.
pub fn zygotes(toolchains: &Toolchains) -> Vec<Command> {
    let languages = toolchains.executables().map(|(language, _)| language);
    languages.flat_map(|language| zygotes_of(language, toolchains)).flatten().collect()
}

/// The one without libraries, and the one with them.
fn zygotes_of(language: Language, toolchains: &Toolchains) -> [Option<Command>; 2] {
    let (Approach::Kernel(kernel), Some(executable)) =
        (language.approach(), toolchains.executable(language))
    else {
        return [None, None];
    };
    let zygote = |libraries: &[String]| {
        let mut command = kernel.zygote(executable, libraries)?;
        toolchains.make_found_by(&mut command);
        Some(command)
    };
    let libraries = &*toolchains.libraries;
    [zygote(&[]), if libraries.is_empty() { None } else { zygote(libraries) }]
}

impl Pool {
    /// A pool for the languages of `toolchains`; runners get `limits`.
    pub fn new(
        backend: Arc<dyn SandboxBackend>,
        toolchains: Arc<Toolchains>,
        limits: SandboxLimits,
        size: PoolSize,
    ) -> Arc<Self> {
        let mut queues = BTreeMap::new();
        for (language, _) in toolchains.executables() {
            let mut add = |preload, zygote: Option<Command>| {
                let zygotes =
                    zygote.map(|command| ZygoteKeeper::new(Arc::clone(&backend), command));
                let queue = WarmQueue::new(language, zygotes, size.initial);
                queues.insert((language, preload), queue);
            };
            let [plain, rich] = zygotes_of(language, &toolchains);
            add(Preload::Nothing, plain);
            if rich.is_some() {
                add(Preload::Libraries, rich);
            }
        }
        Arc::new(Self { backend, limits, size, queues, toolchains })
    }

    /// What its runners find.
    pub fn toolchains(&self) -> &Arc<Toolchains> {
        &self.toolchains
    }

    /// Completes when its queues, which somebody fills, are full.
    pub async fn filled(&self) {
        while self.queues.values().any(|queue| queue.lacks(0)) {
            tokio::time::sleep(LOOK).await;
        }
    }

    /// A runner for `language` with `limits`: a warm one if there is one that can have them.
    pub async fn acquire(
        &self,
        language: Language,
        demand: Demand<'_>,
        limits: SandboxLimits,
    ) -> Result<Acquired, KernelError> {
        let Some(queue) = self.queue(language, demand) else {
            return Err(KernelError::not_installed(language));
        };
        if let Some(runner) = queue.take(limits) {
            let refill = queue.refill();
            let prepared =
                if limits == self.limits { Ok(()) } else { runner.sandbox.prepare(limits).await };
            match prepared {
                Ok(()) => return Ok(Acquired { runner, cold: false, refill }),
                Err(error @ SandboxError::BackendGone) => return Err(KernelError::from(error)),
                // As below; or what it has loaded is more than it would be allowed.
                Err(error) => {
                    tracing::warn!(%language, %error, "a warm sandbox cannot be used; a new one is made");
                }
            }
        }
        let begun = Instant::now();
        let runner = match self.make(queue, limits).await {
            Err(error @ KernelError::Sandbox(SandboxError::BackendGone)) => return Err(error),
            // Somebody may have killed it on the way. Nothing has run in it.
            Err(error) if begun.elapsed() < WORTH_ANOTHER_TRY => {
                tracing::warn!(%language, %error, "could not make a sandbox for a run; once more");
                self.make(queue, limits).await?
            }
            made => made?,
        };
        Ok(Acquired { runner, cold: true, refill: queue.refill() })
    }

    /// A sandbox with `limits` in which nothing is started yet.
    pub async fn make_empty(&self, limits: SandboxLimits) -> Result<Arc<dyn Sandbox>, KernelError> {
        let made = self.backend.create(&SandboxSpec::closed(limits)).await?;
        Ok(Arc::from(made))
    }

    /// How many runners are ready.
    pub fn warm(&self) -> u64 {
        self.queues.values().map(|queue| queue.count().0).sum()
    }

    /// In how many of those an interpreter waits.
    pub fn warm_kernels(&self) -> u64 {
        self.queues.values().map(|queue| queue.count().1).sum()
    }

    /// How many zygotes there should be now.
    pub fn zygotes(&self) -> u64 {
        let keepers = self.queues.values().filter_map(|queue| queue.zygotes.as_ref());
        keepers.filter(|keeper| keeper.has_one()).count() as u64
    }

    fn queue(&self, language: Language, demand: Demand<'_>) -> Option<&WarmQueue> {
        let needed = match (demand, language.approach()) {
            (Demand::Session, _) => true,
            (Demand::Program(code), Approach::Kernel(kernel)) => {
                kernel.needs(code, &self.toolchains.libraries)
            }
            (Demand::Program(_), Approach::Compiled(_)) => false,
        };
        let rich = self.queues.get(&(language, Preload::Libraries)).filter(|_| needed);
        rich.or_else(|| self.queues.get(&(language, Preload::Nothing)))
    }

    async fn make(&self, queue: &WarmQueue, limits: SandboxLimits) -> Result<Runner, KernelError> {
        let backend = self.backend.as_ref();
        if let Some(keeper) = &queue.zygotes
            && let Some(zygote) = keeper.zygote()
        {
            match Runner::start_from(backend, &zygote, &self.toolchains, limits).await {
                Err(
                    error @ (KernelError::Sandbox(SandboxError::Zygote { .. })
                    | KernelError::NotReady(_)),
                ) => {
                    tracing::warn!(%error, "a zygote is no good and is replaced");
                    keeper.distrust(&zygote);
                }
                made => return made,
            }
        }
        Runner::start(backend, queue.language, &self.toolchains, limits).await
    }
}

#[cfg(test)]
mod tests;
