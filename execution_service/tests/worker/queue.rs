//! More runs than the worker takes.

use proto::execution_v1::Status;
use proto::wire::reason;
use tonic::Code;

use crate::support::{Worker, bash};

#[tokio::test]
async fn a_full_worker_says_so_and_loses_nothing_that_it_accepted() {
    let worker = Worker::bash(&[("MAX_CONCURRENT_RUNS", "1"), ("MAX_QUEUED_RUNS", "1")]).await;
    let caller = worker.caller().await;
    let mut first = caller.execute(bash("echo up; sleep 600")).await.unwrap();
    first.says("up").await;
    let second = caller.execute(bash("echo second")).await.unwrap();
    for _ in 0..3 {
        let refusal = caller.refused(bash("echo third")).await;
        assert_eq!(refusal.code, Code::ResourceExhausted);
        assert_eq!(refusal.reason, reason::WORKER_FULL);
        assert!(refusal.retry_after.is_some_and(|seconds| seconds > 0), "{refusal:?}");
    }
    caller.cancel(&first.id, "usr_one").await.unwrap();
    assert_eq!(first.finish().await.status(), Status::Cancelled);
    let second = second.finish().await;
    assert_eq!(second.printed(), "second\n");
    assert!(second.outcome().phases.unwrap().queue_us > 0, "{second:?}");
    assert_eq!(caller.run(bash("echo fourth")).await.printed(), "fourth\n");
}

#[tokio::test]
async fn a_run_that_waits_can_be_cancelled() {
    let worker = Worker::bash(&[("MAX_CONCURRENT_RUNS", "1"), ("MAX_QUEUED_RUNS", "1")]).await;
    let caller = worker.caller().await;
    let mut first = caller.execute(bash("echo up; sleep 600")).await.unwrap();
    first.says("up").await;
    let second = caller.execute(bash("echo second")).await.unwrap();
    caller.cancel(&second.id, "usr_one").await.unwrap();
    assert_eq!(second.finish().await.status(), Status::Cancelled);
    // Its place is free again.
    let third = caller.execute(bash("echo third")).await.unwrap();
    caller.cancel(&first.id, "usr_one").await.unwrap();
    first.finish().await;
    assert_eq!(third.finish().await.printed(), "third\n");
}

#[tokio::test]
async fn a_crowd_gets_its_answers() {
    let worker = Worker::bash(&[("MAX_CONCURRENT_RUNS", "4"), ("MAX_QUEUED_RUNS", "36")]).await;
    let caller = worker.caller().await;
    let one = async |number: usize| {
        let ran = caller.run(bash(&format!("echo {number}"))).await;
        assert_eq!(ran.printed(), format!("{number}\n"));
    };
    futures::future::join_all((0..40).map(one)).await;
}
