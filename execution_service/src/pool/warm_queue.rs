//! The warm runners of one kind.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use super::zygote_keeper::ZygoteKeeper;
use super::{Refill, memory_headroom};
use crate::execution::runner::Runner;
use crate::language::Language;
use crate::sandbox::spec::SandboxLimits;

/// Runners of one language that have begun and wait for a run; the oldest goes first.
pub struct WarmQueue {
    /// Whose.
    pub language: Language,
    /// Where its zygote is.
    pub zygotes: Option<ZygoteKeeper>,
    ready: Mutex<VecDeque<Runner>>,
    target: AtomicUsize,
    /// Somebody has taken one, or waits for one.
    pub taken: Arc<Notify>,
}

impl WarmQueue {
    /// Empty, and to hold `target`.
    pub fn new(language: Language, zygotes: Option<ZygoteKeeper>, target: usize) -> Self {
        Self {
            language,
            zygotes,
            ready: Mutex::new(VecDeque::new()),
            target: AtomicUsize::new(target),
            taken: Arc::new(Notify::new()),
        }
    }

    /// Keeps the language's zygote, if it has one.
    pub async fn keep_zygote(&self) {
        match &self.zygotes {
            Some(zygotes) => zygotes.keep().await,
            None => std::future::pending().await,
        }
    }

    /// Puts a new one into it.
    pub fn put(&self, runner: Runner) {
        self.lock().push_back(runner);
    }

    /// Takes all of them away.
    pub fn clear(&self) -> VecDeque<Runner> {
        std::mem::take(&mut *self.lock())
    }

    /// Whether there should be more than the ready ones and `making`.
    pub fn lacks(&self, making: usize) -> bool {
        self.lock().len() + making < self.target.load(Ordering::Relaxed)
    }

    /// Takes one that lives and can have `limits`.
    pub fn take(&self, limits: SandboxLimits) -> Option<Runner> {
        let mut ready = self.lock();
        while let Some(mut runner) = ready.pop_front() {
            if runner.is_dead() {
                continue;
            }
            if runner.sandbox.accepts(limits) {
                if ready.is_empty() {
                    // The next one cannot wait until this one has been answered.
                    self.taken.notify_one();
                }
                return Some(runner);
            }
            // All of one queue are alike.
            ready.push_front(runner);
            return None;
        }
        drop(ready);
        self.taken.notify_one();
        None
    }

    /// Drops those that have died in it: killed by an operator, or by the kernel for lack of memory.
    pub fn drop_dead(&self) {
        // Dropped outside of the lock: ending a sandbox is not free.
        let _dead = {
            let mut ready = self.lock();
            let looked_at = ready.drain(..).map(|mut runner| (runner.is_dead(), runner));
            let (dead, alive) = looked_at.partition::<Vec<_>, _>(|(dead, _)| *dead);
            ready.extend(alive.into_iter().map(|(_, runner)| runner));
            dead
        };
    }

    /// How many are ready, and how many of those have a kernel.
    pub fn count(&self) -> (u64, u64) {
        let ready = self.lock();
        let kernels = ready.iter().filter(|runner| runner.kernel.is_some()).count();
        (ready.len() as u64, kernels as u64)
    }

    /// For whoever has taken one.
    pub fn refill(&self) -> Refill {
        Refill(Arc::clone(&self.taken))
    }

    /// One was taken: a queue that could not meet the demand is to hold more, up to `max`.
    pub fn grow_if_empty(&self, max: usize) {
        if self.lock().is_empty() && memory_headroom::is_left() {
            let grow = |target: usize| (target < max).then_some(max.min(target.max(1) * 2));
            let _ = self.target.fetch_update(Ordering::Relaxed, Ordering::Relaxed, grow);
        }
    }

    /// None was wanted for a while: it is to hold one less, down to `min`.
    pub fn shrink(&self, min: usize) {
        let shrink = |target: usize| (target > min).then(|| target - 1);
        if self.target.fetch_update(Ordering::Relaxed, Ordering::Relaxed, shrink).is_ok() {
            // Dropped outside of the lock: ending a sandbox is not free.
            let surplus = self.lock().pop_back();
            drop(surplus);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<Runner>> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
