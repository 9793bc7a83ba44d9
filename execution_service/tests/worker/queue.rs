//! More runs than the worker takes.

use std::time::Duration;

use proto::execution_v1::{Limits, Status};
use proto::wire::reason;
use tonic::Code;

use crate::support::{Worker, bash, eventually, in_session, limits, new_session, of};

#[tokio::test]
async fn a_full_worker_says_so_and_loses_nothing_that_it_accepted() {
    let worker = Worker::bash(&[("MAX_CONCURRENT_RUNS", "1"), ("MAX_QUEUED_RUNS", "1")]).await;
    let caller = worker.caller().await;
    let mut first = caller.execute(bash("echo up; sleep 600")).await.unwrap();
    first.says("up").await;
    let second = caller.execute(bash("echo second")).await.unwrap();
    for _ in 0..3 {
        let refusal = caller.refused(bash("echo third")).await;
        assert_eq!(refusal.code, Code::Unavailable);
        assert_eq!(refusal.reason, reason::WORKER_FULL);
        assert_eq!(refusal.queue, Some((2, 1)));
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
    let worker = Worker::bash(&[("MAX_CONCURRENT_RUNS", "4"), ("MAX_QUEUED_RUNS", "37")]).await;
    let caller = worker.caller().await;
    let one = async |number: usize| {
        let ran = caller.run(bash(&format!("echo {number}"))).await;
        assert_eq!(ran.printed(), format!("{number}\n"));
    };
    futures::future::join_all((0..40).map(one)).await;
}

#[tokio::test]
async fn a_user_whose_own_queue_is_full_is_refused_and_others_are_not() {
    let own = ("MAX_QUEUED_RUNS_PER_OWNER", "1");
    let worker = Worker::bash(&[("MAX_CONCURRENT_RUNS", "1"), own]).await;
    let caller = worker.caller().await;
    let mut first = caller.execute(bash("echo up; sleep 600")).await.unwrap();
    first.says("up").await;
    let second = caller.execute(bash("echo second")).await.unwrap();
    let refusal = caller.refused(bash("echo third")).await;
    assert_eq!((refusal.code, &*refusal.reason), (Code::ResourceExhausted, reason::OWNER_FULL));
    assert_eq!(refusal.queue, Some((2, 1)));
    assert!(refusal.retry_after.is_some_and(|seconds| (1..=60).contains(&seconds)), "{refusal:?}");
    let other = caller.execute(of("usr_two", bash("echo other"))).await.unwrap();
    caller.cancel(&first.id, "usr_one").await.unwrap();
    assert_eq!(second.finish().await.printed(), "second\n");
    assert_eq!(other.finish().await.printed(), "other\n");
}

#[tokio::test]
async fn the_slow_runs_of_one_user_do_not_hold_up_another() {
    // As many as there are slots.
    const MANY: usize = 32;
    let worker = Worker::bash(&[]).await;
    let caller = worker.caller().await;
    let mut slow = Vec::new();
    for _ in 0..MANY {
        slow.push(caller.execute(bash("echo up; sleep 600")).await.unwrap());
    }
    slow[0].says("up").await;
    // They would go on for ten minutes; that it answers at all is the proof.
    let hello = caller.run(of("usr_two", bash("echo hello"))).await;
    assert_eq!(hello.printed(), "hello\n");
    // And they go on.
    caller.cancel(&slow[0].id, "usr_one").await.unwrap();
    assert_eq!(slow.swap_remove(0).finish().await.status(), Status::Cancelled);
}

#[tokio::test]
async fn a_run_that_waits_for_its_session_holds_no_slot() {
    // Of four slots one user may have three.
    let worker = Worker::bash(&[("MAX_CONCURRENT_RUNS", "4")]).await;
    let caller = worker.caller().await;
    let session = caller.create_session(new_session("bash")).await.unwrap();
    let mut first = caller.execute(in_session(&session, "echo up; sleep 600")).await.unwrap();
    first.says("up").await;
    let mut later = Vec::new();
    for number in 0..8 {
        let code = format!("order+={number}; echo $order");
        later.push(caller.execute(in_session(&session, &code)).await.unwrap());
    }
    assert_eq!(caller.run(bash("echo beside")).await.printed(), "beside\n");
    caller.cancel(&first.id, "usr_one").await.unwrap();
    assert_eq!(first.finish().await.status(), Status::Cancelled);
    let mut last = String::new();
    for run in later {
        last = run.finish().await.printed();
    }
    assert_eq!(last, "01234567\n", "in the order in which they came");
}

#[tokio::test]
async fn a_run_that_could_not_end_in_time_any_more_is_not_begun() {
    let worker = Worker::bash(&[("MAX_CONCURRENT_RUNS", "1")]).await;
    let caller = worker.caller().await;
    let mut first = caller.execute(bash("echo up; sleep 600")).await.unwrap();
    first.says("up").await;
    let short = Limits { wall_ms: Some(20_000), ..Limits::default() };
    // The run's own 20 s, the second that goes with them, and half a second to wait.
    let patience = Duration::from_millis(21_500);
    let late = caller.execute_for(patience, limits(short, bash("echo late"))).await.unwrap();
    let refusal = late.try_finish().await.unwrap_err();
    assert_eq!((refusal.code, &*refusal.reason), (Code::Unavailable, reason::WORKER_FULL));
    assert_eq!(refusal.queue, Some((1, 1)));
    assert!(refusal.retry_after.is_some());
    caller.cancel(&first.id, "usr_one").await.unwrap();
    first.finish().await;
}

#[tokio::test]
async fn a_caller_that_goes_away_leaves_the_queue() {
    let worker = Worker::bash(&[("MAX_CONCURRENT_RUNS", "1"), ("MAX_QUEUED_RUNS", "1")]).await;
    let caller = worker.caller().await;
    let mut first = caller.execute(bash("echo up; sleep 600")).await.unwrap();
    first.says("up").await;
    drop(caller.execute(bash("echo second")).await.unwrap());
    // Its place comes free while the first goes on.
    let third =
        eventually("a place in the queue", async || caller.execute(bash("echo third")).await.ok());
    let third = third.await;
    caller.cancel(&first.id, "usr_one").await.unwrap();
    assert_eq!(third.finish().await.printed(), "third\n");
    assert!(worker.log().contains("a run left the queue before its turn"));
}
