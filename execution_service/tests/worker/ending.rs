//! Runs that end early, by somebody's wish or because nobody is left to hear of them.

use std::time::Duration;

use proto::execution_v1::Status;
use proto::wire::reason;
use tonic::Code;

use crate::support::{Worker, bash, eventually, in_session, new_session, unique};

/// With one slot, whoever comes next has to wait for the end of the run before.
const ONE_SLOT: (&str, &str) = ("MAX_CONCURRENT_RUNS", "1");

#[tokio::test]
async fn cancel_ends_a_run_of_its_owner_only() {
    let worker = Worker::bash(&[]).await;
    let caller = worker.caller().await;
    let mut running = caller.execute(bash("echo up; sleep 600")).await.unwrap();
    running.says("up").await;
    for (id, owner) in [(running.id.as_str(), "usr_two"), ("exe_other", "usr_one")] {
        let refusal = caller.cancel(id, owner).await.unwrap_err();
        assert_eq!(refusal.code, Code::NotFound);
        assert_eq!(refusal.reason, reason::EXECUTION_NOT_FOUND);
    }
    let id = running.id.clone();
    caller.cancel(&id, "usr_one").await.unwrap();
    let ran = running.finish().await;
    assert_eq!(ran.status(), Status::Cancelled);
    assert_eq!(ran.stdout(), "up\n", "what it wrote is kept");

    let refusal = caller.cancel(&id, "usr_one").await.unwrap_err();
    assert_eq!(refusal.reason, reason::EXECUTION_NOT_FOUND, "it is over");
}

#[tokio::test]
async fn a_program_that_ignores_signals_is_cancelled_all_the_same() {
    let worker = Worker::bash(&[ONE_SLOT]).await;
    let caller = worker.caller().await;
    let stubborn = "trap '' INT TERM HUP; (trap '' INT; setsid sleep 600 &) ; echo up; while :; do sleep 1; done";
    let mut running = caller.execute(bash(stubborn)).await.unwrap();
    running.says("up").await;
    caller.cancel(&running.id, "usr_one").await.unwrap();
    assert_eq!(running.finish().await.status(), Status::Cancelled);
    assert_eq!(caller.run(bash("echo next")).await.printed(), "next\n");
}

#[tokio::test]
async fn a_caller_that_goes_away_ends_its_run() {
    let worker = Worker::bash(&[ONE_SLOT]).await;
    let caller = worker.caller().await;
    let name = unique("asleep");
    let code = format!("echo up; exec -a {name} sleep 600");
    let mut running = caller.execute(bash(&code)).await.unwrap();
    running.says("up").await;
    drop(running);
    assert_eq!(caller.run(bash("echo next")).await.printed(), "next\n");
    eventually("its process is gone", async || (!is_anywhere(&name)).then_some(())).await;
}

#[tokio::test]
async fn a_caller_whose_connection_breaks_ends_its_run() {
    let worker = Worker::bash(&[ONE_SLOT]).await;
    let lost = worker.caller().await;
    let mut running = lost.execute(bash("echo up; sleep 600")).await.unwrap();
    running.says("up").await;
    drop((running, lost));
    let caller = worker.caller().await;
    assert_eq!(caller.run(bash("echo next")).await.printed(), "next\n");
}

#[tokio::test]
async fn a_deadline_that_passes_ends_the_run() {
    let worker = Worker::bash(&[ONE_SLOT]).await;
    let caller = worker.caller().await;
    let patience = Duration::from_secs(1);
    let program = bash("echo up; sleep 600");
    let ended = match caller.execute_for(patience, program).await {
        Ok(running) => running.try_finish().await,
        Err(refusal) => Err(refusal),
    };
    // The client gives up by the same clock; which of the two is first is open, and so is whether the worker
    // has said anything before.
    match ended {
        Ok(ran) => panic!("it went on or ended well: {ran:?}"),
        Err(refusal) => {
            assert!(matches!(refusal.code, Code::DeadlineExceeded | Code::Cancelled), "{refusal:?}")
        }
    }
    assert_eq!(caller.run(bash("echo next")).await.printed(), "next\n");
}

#[tokio::test]
async fn a_caller_that_goes_away_interrupts_its_run_in_a_session() {
    let Some(worker) = Worker::start("python", &[]).await else {
        return;
    };
    let caller = worker.caller().await;
    let session = caller.create_session(new_session("python")).await.unwrap();
    caller.run(in_session(&session, "x = 41")).await;
    let sleeping = "import time\nprint('up')\ntime.sleep(600)";
    let mut running = caller.execute(in_session(&session, sleeping)).await.unwrap();
    running.says("up").await;
    drop(running);
    let ran = caller.run(in_session(&session, "print(x + 1)")).await;
    assert_eq!(ran.printed(), "42\n", "variables are still there");
}

/// Whether a process of that name runs on this machine, in whatever sandbox.
fn is_anywhere(name: &str) -> bool {
    std::fs::read_dir("/proc").unwrap().any(|entry| {
        let command = std::fs::read(entry.unwrap().path().join("cmdline"));
        command.is_ok_and(|command| command.starts_with(name.as_bytes()))
    })
}
