//! The pool that everything new is served from, and those before it, which end when nobody is served from them any
//! more.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::Pool;
use crate::tasks::Tasks;

/// How long a new pool may take to be as warm as the one before: beyond it new work is started the slow way.
const WARMING: Duration = Duration::from_secs(60);

/// One pool after the other.
pub struct Pools(Mutex<State>);

struct State {
    current: Arc<Pool>,
    /// Ends the filling of the current one.
    filling: CancellationToken,
    /// All that may hold something.
    all: Vec<Weak<Pool>>,
}

impl Pools {
    /// With `first`, which nobody fills yet.
    pub fn new(first: Arc<Pool>) -> Self {
        let all = vec![Arc::downgrade(&first)];
        let filling = CancellationToken::new();
        Self(Mutex::new(State { current: first, filling, all }))
    }

    /// Whatever is new is served from it.
    pub fn current(&self) -> Arc<Pool> {
        Arc::clone(&self.lock().current)
    }

    /// Keeps the current one filled until `shutdown`, or until another one follows it.
    pub fn keep_filled(&self, tasks: &Tasks, shutdown: &CancellationToken) {
        let mut state = self.lock();
        state.filling = shutdown.child_token();
        state.current.keep_filled(tasks, &state.filling);
    }

    /// Fills `next` while the current one serves, and puts it in its place. What was taken from the one before
    /// lives on; what nobody has taken ends.
    pub async fn follow(&self, next: Arc<Pool>, tasks: &Tasks, shutdown: &CancellationToken) {
        let filling = shutdown.child_token();
        {
            let mut state = self.lock();
            state.all.retain(|pool| pool.strong_count() > 0);
            state.all.push(Arc::downgrade(&next));
        }
        next.keep_filled(tasks, &filling);
        // It serves in any case: that it is slower at first is no reason to be without what it has.
        let _ = tokio::time::timeout(WARMING, next.filled()).await;
        let mut state = self.lock();
        state.current = next;
        std::mem::replace(&mut state.filling, filling).cancel();
    }

    /// How many runners are ready.
    pub fn warm(&self) -> u64 {
        self.sum(Pool::warm)
    }

    /// In how many of those an interpreter waits.
    pub fn warm_kernels(&self) -> u64 {
        self.sum(Pool::warm_kernels)
    }

    /// How many zygotes there should be now.
    pub fn zygotes(&self) -> u64 {
        self.sum(Pool::zygotes)
    }

    fn sum(&self, of: impl Fn(&Pool) -> u64) -> u64 {
        let all: Vec<_> = self.lock().all.iter().filter_map(Weak::upgrade).collect();
        all.iter().map(|pool| of(pool)).sum()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execution::sample::{LIMITS, toolchains};
    use crate::language::bash::BASH;
    use crate::language::python::PYTHON;
    use crate::language::{Language, Toolchains};
    use crate::pool::{Acquired, Demand, PoolSize};
    use crate::sandbox::fake::{FakeBackend, until};

    fn pool(backend: &Arc<FakeBackend>, toolchains: Arc<Toolchains>, size: usize) -> Arc<Pool> {
        let backend = Arc::<FakeBackend>::clone(backend);
        let size = PoolSize { initial: size, max: size };
        Pool::new(backend, toolchains, LIMITS.sandbox, size)
    }

    async fn acquire(pool: &Pool, language: Language) -> Acquired {
        let acquired = pool.acquire(language, Demand::Program("x"), LIMITS.sandbox).await;
        acquired.unwrap_or_else(|error| panic!("a runner: {error}"))
    }

    #[tokio::test]
    async fn a_pool_that_is_followed_by_another_ends_and_what_was_taken_from_it_lives() {
        let backend = FakeBackend::of_kernels();
        let (tasks, shutdown) = (Tasks::new(), CancellationToken::new());
        let pools = Pools::new(pool(&backend, toolchains(&[PYTHON], &[]), 2));
        pools.keep_filled(&tasks, &shutdown);
        until(|| pools.warm() == 2).await;
        let first = pools.current();
        let taken = acquire(&first, PYTHON).await;

        let next = pool(&backend, toolchains(&[PYTHON, BASH], &[]), 1);
        pools.follow(Arc::clone(&next), &tasks, &shutdown).await;

        assert!(Arc::ptr_eq(&pools.current(), &next), "it serves");
        assert!(!acquire(&next, BASH).await.cold, "it was warm when it took over");
        assert!(
            Arc::ptr_eq(&taken.runner.toolchains, first.toolchains()),
            "it finds what it found"
        );
        assert!(!taken.runner.sandbox.is_gone());
        until(|| first.warm() == 0).await;
        // Whoever had begun with the one before is served to the end.
        assert!(acquire(&first, PYTHON).await.cold);
        drop((taken, first));
        shutdown.cancel();
        tasks.finish().await;
        drop((next, pools));
        backend.assert_all_is_ended();
        until(|| backend.processes() == 0).await;
    }
}
