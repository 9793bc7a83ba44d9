//! The ready workplaces of one kind.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use super::nursery::Nursery;
use super::{Refill, room};
use crate::execution::kernel::Kernel;
use crate::execution::workplace::Workplace;
use crate::language::Language;
use crate::sandbox::spec::SandboxLimits;

/// See the module.
pub struct Shelf {
    /// Whose.
    pub language: Language,
    /// Its interpreter or compiler.
    pub executable: String,
    /// Where its zygote is.
    pub nursery: Option<Nursery>,
    ready: Mutex<VecDeque<Workplace>>,
    target: AtomicUsize,
    /// Somebody has taken one, or waits for one.
    pub taken: Arc<Notify>,
}

impl Shelf {
    /// Empty, and to hold `target`.
    pub fn new(
        language: Language,
        executable: String,
        nursery: Option<Nursery>,
        target: usize,
    ) -> Self {
        Self {
            language,
            executable,
            nursery,
            ready: Mutex::new(VecDeque::new()),
            target: AtomicUsize::new(target),
            taken: Arc::new(Notify::new()),
        }
    }

    /// Keeps the language's zygote, if it has one.
    pub async fn keep_zygote(&self) {
        match &self.nursery {
            Some(nursery) => nursery.keep().await,
            None => std::future::pending().await,
        }
    }

    /// Puts a new one on it.
    pub fn put(&self, place: Workplace) {
        self.lock().push_back(place);
    }

    /// Takes all of them away.
    pub fn clear(&self) -> VecDeque<Workplace> {
        std::mem::take(&mut *self.lock())
    }

    /// Whether there should be more than the ready ones and `making`.
    pub fn lacks(&self, making: usize) -> bool {
        self.lock().len() + making < self.target.load(Ordering::Relaxed)
    }

    /// Takes one that lives and can have `limits`.
    pub fn take(&self, limits: SandboxLimits) -> Option<Workplace> {
        let mut ready = self.lock();
        while let Some(mut place) = ready.pop_front() {
            if is_dead(&mut place) {
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

    /// Drops those that have died on it.
    pub fn drop_dead(&self) {
        // Dropped outside of the lock: ending a sandbox is not free.
        let _dead = {
            let mut ready = self.lock();
            let looked_at = ready.drain(..).map(|mut place| (is_dead(&mut place), place));
            let (dead, alive) = looked_at.partition::<Vec<_>, _>(|(dead, _)| *dead);
            ready.extend(alive.into_iter().map(|(_, place)| place));
            dead
        };
    }

    /// How many are ready, and how many of those have a kernel.
    pub fn count(&self) -> (u64, u64) {
        let ready = self.lock();
        let kernels = ready.iter().filter(|place| place.kernel.is_some()).count();
        (ready.len() as u64, kernels as u64)
    }

    /// For whoever has taken one.
    pub fn refill(&self) -> Refill {
        Refill(Arc::clone(&self.taken))
    }

    /// One was taken: a shelf that could not meet the demand is to hold more, up to `max`.
    pub fn grow_if_empty(&self, max: usize) {
        if self.lock().is_empty() && room::is_left() {
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

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<Workplace>> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Nobody would kill it but an operator, or the kernel for lack of memory.
fn is_dead(place: &mut Workplace) -> bool {
    place.sandbox.is_gone() || place.kernel.as_mut().is_some_and(Kernel::has_ended)
}
