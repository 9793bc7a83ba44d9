//! Who gets a warm runner, and what becomes of those that are no good.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio_util::sync::CancellationToken;

use super::*;
use crate::execution::sample::{LIMITS, toolchains};
use crate::language::bash::BASH;
use crate::language::node::NODE;
use crate::language::python::PYTHON;
use crate::sandbox::fake::{FakeBackend, Operation, until};
use crate::sandbox::spec::Exit;
use crate::tasks::Tasks;

const GRANTED: SandboxLimits = LIMITS.sandbox;

fn pool(backend: &Arc<FakeBackend>, language: Language, initial: usize, max: usize) -> Arc<Pool> {
    let backend = Arc::<FakeBackend>::clone(backend);
    Pool::new(backend, toolchains(&[language], &[]), GRANTED, PoolSize { initial, max })
}

/// A pool that is kept filled, and what ends that.
struct Kept {
    pool: Arc<Pool>,
    tasks: Tasks,
    shutdown: CancellationToken,
}

impl Kept {
    fn new(pool: Arc<Pool>) -> Self {
        let (tasks, shutdown) = (Tasks::new(), CancellationToken::new());
        pool.keep_filled(&tasks, &shutdown);
        Self { pool, tasks, shutdown }
    }

    /// Ends it; nothing may be left then.
    async fn end(self, backend: &FakeBackend) {
        self.shutdown.cancel();
        self.tasks.finish().await;
        drop(self.pool);
        backend.assert_all_is_ended();
        until(|| backend.processes() == 0).await;
    }
}

async fn acquire(pool: &Pool, language: Language) -> Result<Acquired, KernelError> {
    pool.acquire(language, Demand::Program("x"), GRANTED).await
}

/// The only queue of a pool, filled by hand.
async fn fill<'a>(pool: &'a Pool, backend: &FakeBackend, count: usize) -> &'a WarmQueue {
    let queue = pool.queues.values().next().expect("one");
    for _ in 0..count {
        let made = Runner::start(backend, queue.language, &pool.toolchains, GRANTED).await;
        queue.put(made.expect("a runner"));
    }
    queue
}

fn broken() -> SandboxError {
    let source = io::Error::from(io::ErrorKind::Other);
    SandboxError::Create { stage: String::from("test"), source }
}

#[tokio::test]
async fn a_warm_one_is_used_first_and_replaced_when_its_user_has_been_answered() {
    let backend = FakeBackend::of_kernels();
    let kept = Kept::new(pool(&backend, BASH, 2, 2));
    let pool = &kept.pool;
    until(|| pool.warm() == 2).await;
    assert_eq!(pool.warm_kernels(), 2);
    let Acquired { runner, cold, refill } = acquire(pool, BASH).await.expect("one");
    assert!(!cold && runner.kernel.is_some());
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    assert_eq!((pool.warm(), backend.created()), (1, 2), "it would take time from the run");
    drop(refill);
    until(|| pool.warm() == 2).await;
    assert_eq!(backend.created(), 3);
    drop(runner);
    assert!(backend.sandbox(0).has_ended(), "it is never used again");
    kept.end(&backend).await;
}

#[tokio::test]
async fn the_last_one_is_replaced_at_once() {
    let backend = FakeBackend::of_kernels();
    let kept = Kept::new(pool(&backend, BASH, 1, 1));
    until(|| kept.pool.warm() == 1).await;
    let acquired = acquire(&kept.pool, BASH).await.expect("one");
    until(|| kept.pool.warm() == 1).await;
    drop(acquired);
    kept.end(&backend).await;
}

#[tokio::test]
async fn one_that_has_died_in_its_queue_is_not_handed_out() {
    let backend = FakeBackend::of_kernels();
    let pool = pool(&backend, BASH, 0, 0);
    let queue = fill(&pool, &backend, 4).await;
    backend.sandbox(0).die();
    let mut acquired = acquire(&pool, BASH).await.expect("one");
    assert!(!acquired.cold && !acquired.runner.is_dead());
    assert!(backend.sandbox(0).has_ended() && !backend.sandbox(1).has_ended());
    backend.sandbox(3).die();
    queue.drop_dead();
    assert_eq!(pool.warm(), 1);
    backend.sandbox(2).die();
    assert!(acquire(&pool, BASH).await.expect("another").cold, "the rest was dead");
    drop((acquired, pool));
    backend.assert_all_is_ended();
}

#[tokio::test]
async fn a_kernel_that_has_died_in_its_queue_is_not_handed_out_either() {
    let backend = FakeBackend::new(|mut process| async move {
        process.ready().await;
        process.signalled().await;
        Exit::Code(1)
    });
    let pool = pool(&backend, BASH, 0, 0);
    let queue = fill(&pool, &backend, 1).await;
    let runner = queue.take(GRANTED).expect("it is well");
    let kernel = runner.kernel.as_ref().expect("it has one").process.id;
    runner.sandbox.signal(kernel, crate::sandbox::backend::Signal::Terminate).await.expect("told");
    queue.put(runner);
    until(|| backend.processes() == 0).await;
    assert!(acquire(&pool, BASH).await.expect("another").cold);
    drop(pool);
    backend.assert_all_is_ended();
}

#[tokio::test]
async fn limits_that_a_warm_one_can_have_are_put_in_force_and_others_need_a_new_one() {
    let backend = FakeBackend::of_kernels();
    let pool = pool(&backend, BASH, 0, 0);
    fill(&pool, &backend, 2).await;
    let less = SandboxLimits { memory_bytes: GRANTED.memory_bytes / 2, ..GRANTED };
    let acquired = pool.acquire(BASH, Demand::Session, less).await.expect("one");
    assert!(!acquired.cold);
    assert_eq!(backend.sandbox(0).limits(), less);
    let larger = SandboxLimits { disk_bytes: GRANTED.disk_bytes * 2, ..GRANTED };
    let acquired = pool.acquire(BASH, Demand::Session, larger).await.expect("one");
    assert!(acquired.cold);
    assert_eq!((pool.warm(), backend.sandbox(2).limits()), (1, larger));
}

#[tokio::test]
async fn a_warm_one_that_cannot_be_used_after_all_costs_time_and_nothing_else() {
    let backend = FakeBackend::of_kernels();
    let pool = pool(&backend, BASH, 0, 0);
    fill(&pool, &backend, 2).await;
    let less = SandboxLimits { memory_bytes: GRANTED.memory_bytes / 2, ..GRANTED };
    backend.fail_next(Operation::Prepare, SandboxError::Gone);
    let acquired = pool.acquire(BASH, Demand::Session, less).await.expect("a new one");
    assert!(acquired.cold && backend.sandbox(0).has_ended());
    assert_eq!((backend.sandbox(2).limits(), pool.warm()), (less, 1));
    backend.fail_next(Operation::Prepare, SandboxError::BackendGone);
    let failed = pool.acquire(BASH, Demand::Session, less).await.map(drop);
    let gone = matches!(failed, Err(KernelError::Sandbox(SandboxError::BackendGone)));
    assert!(gone, "{failed:?}");
    assert_eq!(backend.created(), 3);
}

#[tokio::test]
async fn who_waits_for_a_cold_one_is_given_a_second_try() {
    let backend = FakeBackend::of_kernels();
    let pool = pool(&backend, BASH, 0, 0);
    backend.fail_next(Operation::Create, broken());
    let acquired = acquire(&pool, BASH).await.expect("the second one");
    assert!(acquired.cold);
    for operation in [Operation::Create, Operation::Start, Operation::Usage] {
        backend.fail_next(operation, SandboxError::Silent);
        assert!(acquire(&pool, BASH).await.is_ok(), "{operation:?}");
        backend.fail_next(operation, SandboxError::Silent);
        backend.fail_next(operation, SandboxError::Silent);
        let failed = acquire(&pool, BASH).await.map(drop);
        let error = failed.expect_err("there is no third");
        assert!(matches!(error, KernelError::Sandbox(SandboxError::Silent)), "{error:?}");
    }
    drop(acquired);
    backend.assert_all_is_ended();
}

#[tokio::test]
async fn without_a_backend_there_is_no_second_try() {
    let backend = FakeBackend::of_kernels();
    let pool = pool(&backend, BASH, 0, 0);
    backend.fail_next(Operation::Create, SandboxError::BackendGone);
    let failed = acquire(&pool, BASH).await.map(drop);
    let gone = matches!(failed, Err(KernelError::Sandbox(SandboxError::BackendGone)));
    assert!(gone, "{failed:?}");
    assert_eq!(backend.created(), 0, "nothing else was tried");
}

#[tokio::test]
async fn what_is_not_installed_cannot_be_had() {
    let backend = FakeBackend::of_kernels();
    let pool = pool(&backend, BASH, 0, 0);
    let failed = acquire(&pool, NODE).await.map(drop);
    assert!(matches!(failed, Err(KernelError::NotReady(_))), "{failed:?}");
    let empty = pool.make_empty(GRANTED).await.expect("no language is needed for that");
    assert_eq!((backend.living(), backend.processes()), (1, 0));
    drop(empty);
    backend.assert_all_is_ended();
}

/// Kernels that count those of them that a zygote has forked.
fn counting(forked: &Arc<AtomicUsize>) -> Arc<FakeBackend> {
    let forked = Arc::clone(forked);
    FakeBackend::new(move |mut process| {
        if process.forked {
            forked.fetch_add(1, Ordering::Relaxed);
        }
        async move {
            process.ready().await;
            process.hang().await
        }
    })
}

#[tokio::test]
async fn a_zygote_that_is_no_good_is_replaced_and_nobody_waits_for_that() {
    let forked = Arc::default();
    let backend = counting(&forked);
    let kept = Kept::new(pool(&backend, PYTHON, 0, 0));
    let pool = &kept.pool;
    until(|| pool.zygotes() == 1).await;
    drop(acquire(pool, PYTHON).await.expect("one"));
    assert_eq!(forked.load(Ordering::Relaxed), 1);

    let source = io::Error::from(io::ErrorKind::BrokenPipe);
    let deaf = SandboxError::Zygote { stage: String::from("test"), source };
    backend.fail_next(Operation::StartFrom, deaf);
    let acquired = acquire(pool, PYTHON).await.expect("it is served");
    assert!(acquired.cold && acquired.runner.kernel.is_some());
    assert_eq!(forked.load(Ordering::Relaxed), 1, "the slow way");
    until(|| pool.zygotes() == 1 && backend.zygotes() == 1).await;
    assert_eq!(backend.preloaded(), 2);
    drop(acquire(pool, PYTHON).await.expect("one"));
    assert_eq!(forked.load(Ordering::Relaxed), 2, "and the next one from the new zygote");

    backend.kill_zygotes();
    until(|| backend.preloaded() == 3 && pool.zygotes() == 1).await;
    drop(acquired);
    kept.end(&backend).await;
}

#[tokio::test]
async fn a_zygote_that_is_no_good_is_not_asked_again_even_if_there_is_no_other() {
    let forked = Arc::default();
    let backend = counting(&forked);
    let kept = Kept::new(pool(&backend, PYTHON, 0, 0));
    until(|| kept.pool.zygotes() == 1).await;
    for operation in [Operation::StartFrom, Operation::Preload] {
        let source = io::Error::from(io::ErrorKind::BrokenPipe);
        let deaf = SandboxError::Zygote { stage: String::from("test"), source };
        backend.fail_next(operation, deaf);
    }
    for _ in 0..2 {
        let acquired = acquire(&kept.pool, PYTHON).await.expect("it is served");
        assert!(acquired.cold && kept.pool.zygotes() == 0);
    }
    assert_eq!(forked.load(Ordering::Relaxed), 0, "the slow way");
    kept.end(&backend).await;
}

#[tokio::test]
async fn a_zygote_whose_children_do_not_get_ready_is_no_good() {
    let backend = FakeBackend::new(|mut process| async move {
        if process.forked {
            return Exit::Code(1);
        }
        process.ready().await;
        process.hang().await
    });
    let kept = Kept::new(pool(&backend, PYTHON, 0, 0));
    until(|| kept.pool.zygotes() == 1).await;
    drop(acquire(&kept.pool, PYTHON).await.expect("it is served"));
    until(|| backend.preloaded() == 2).await;
    kept.end(&backend).await;
}

#[tokio::test]
async fn a_zygote_that_has_died_and_is_found_dead_is_replaced_once() {
    let backend = counting(&Arc::default());
    let kept = Kept::new(pool(&backend, PYTHON, 0, 0));
    let pool = &kept.pool;
    until(|| pool.zygotes() == 1).await;
    for round in 1..=10 {
        // Before the keeper hears of it.
        backend.kill_zygotes();
        drop(acquire(pool, PYTHON).await.expect("it is served"));
        until(|| pool.zygotes() == 1 && backend.preloaded() > round).await;
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        assert_eq!(backend.preloaded(), round + 1, "to start one costs half a second");
    }
    kept.end(&backend).await;
}

#[tokio::test]
async fn without_a_zygote_interpreters_are_started_the_slow_way() {
    let forked = Arc::default();
    let backend = counting(&forked);
    let source = io::Error::from(io::ErrorKind::NotFound);
    let none = SandboxError::Zygote { stage: String::from("test"), source };
    backend.fail_next(Operation::Preload, none);
    let kept = Kept::new(pool(&backend, PYTHON, 1, 1));
    until(|| kept.pool.warm() == 1).await;
    assert_eq!(forked.load(Ordering::Relaxed), 0);
    kept.end(&backend).await;
}

#[tokio::test]
async fn only_who_needs_the_libraries_gets_them() {
    let backend = FakeBackend::of_kernels();
    let rich = toolchains(&[PYTHON, BASH], &["numpy"]);
    assert_eq!(zygotes(&rich).len(), 2);
    assert_eq!(zygotes(&toolchains(&[PYTHON, BASH], &[])).len(), 1);
    let size = PoolSize { initial: 0, max: 0 };
    let pool = Pool::new(backend, rich, GRANTED, size);
    let queue = |language, demand| pool.queue(language, demand).expect("one");
    let key = |wanted: &WarmQueue| {
        let mut queues = pool.queues.iter();
        queues.find(|(_, queue)| std::ptr::eq(*queue, wanted)).map(|(key, _)| *key)
    };
    for (language, demand, preload) in [
        (PYTHON, Demand::Program("import numpy as np"), Preload::Libraries),
        (PYTHON, Demand::Program("print(1)"), Preload::Nothing),
        (PYTHON, Demand::Session, Preload::Libraries),
        (BASH, Demand::Session, Preload::Nothing),
    ] {
        let found = key(queue(language, demand));
        assert_eq!(found, Some((language, preload)), "{demand:?}");
    }
}

/// How many an empty queue is to hold.
fn target(queue: &WarmQueue) -> usize {
    assert_eq!(queue.count(), (0, 0));
    (0..).find(|making| !queue.lacks(*making)).expect("a number")
}

#[tokio::test]
async fn a_queue_that_is_found_empty_grows_up_to_its_bound() {
    let backend = FakeBackend::of_kernels();
    let pool = pool(&backend, BASH, 0, 5);
    let queue = fill(&pool, &backend, 0).await;
    let mut grown = Vec::new();
    for _ in 0..4 {
        queue.grow_if_empty(5);
        grown.push(target(queue));
    }
    // A machine without memory for more is not asked for more.
    assert!(grown == [2, 4, 5, 5] || !memory_headroom::is_left(), "{grown:?}");
}

#[tokio::test]
async fn a_queue_that_nobody_needs_shrinks_down_to_its_bound() {
    let backend = FakeBackend::of_kernels();
    let pool = pool(&backend, BASH, 5, 5);
    let queue = fill(&pool, &backend, 3).await;
    queue.grow_if_empty(50);
    for _ in 0..3 {
        queue.shrink(4);
        assert_eq!((pool.warm(), backend.living()), (2, 2), "what is too much is ended, once");
    }
    drop(queue.clear());
    assert_eq!(target(queue), 4, "it has not grown: it was not empty");
    backend.assert_all_is_ended();
}

#[tokio::test]
async fn nothing_is_left_of_a_pool_that_is_dropped_while_it_is_being_filled() {
    let backend = FakeBackend::new(|mut process| async move { process.hang().await });
    let kept = Kept::new(pool(&backend, BASH, 4, 4));
    until(|| backend.created() == 2).await;
    assert_eq!(kept.pool.warm(), 0, "none ever gets ready");
    kept.end(&backend).await;
}
