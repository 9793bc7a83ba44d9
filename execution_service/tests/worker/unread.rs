//! What callers leave behind who do not read, and sandboxes that end by themselves.

use std::fs;

use proto::wire::reason;
use rustix::process::{Signal, kill_process};

use crate::support::{OWNER, Worker, children_of, eventually, new_session};

#[tokio::test]
async fn commands_that_nobody_reads_leave_nothing_when_their_session_has_ended() {
    let worker = Worker::bash(&[]).await;
    let caller = worker.caller().await;
    let main = children_of(worker.pid())[0];
    let held = || fs::read_dir(format!("/proc/{}/fd", main.as_raw_nonzero())).map(Iterator::count);
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: commands_that_nobody_reads_leave_nothing (needs root)");
        return;
    }
    let session = caller.create_session(new_session("bash")).await.unwrap();
    for _ in 0..24 {
        let command = ["sh", "-c", "head -c 4M /dev/zero; exec sleep 600"];
        caller.start_process(&session, &command, false).await.unwrap();
    }
    let full = held().unwrap();
    caller.end_session(&session.session_id, OWNER).await.unwrap();
    // Two pipes each, and more than a sandbox has that comes or goes meanwhile.
    eventually("the pipes are closed", async || (held().unwrap() + 32 <= full).then_some(())).await;
}

#[tokio::test]
async fn a_list_of_commands_with_long_arguments_fits_into_an_answer() {
    let worker = Worker::bash(&[]).await;
    let caller = worker.caller().await;
    let session = caller.create_session(new_session("bash")).await.unwrap();
    let long = "x".repeat(120_000);
    let mut running = Vec::new();
    for _ in 0..48 {
        let command = ["sh", "-c", "exec sleep 600", &long];
        running.push(caller.start_process(&session, &command, false).await.unwrap());
    }
    assert_eq!(caller.list_processes(&session).await.len(), 48);
}

#[tokio::test]
async fn a_session_whose_init_is_killed_is_lost_at_once_and_makes_room() {
    let worker = Worker::bash(&[]).await;
    let caller = worker.caller().await;
    let session = caller.create_session(new_session("")).await.unwrap();
    let main = children_of(worker.pid())[0];
    // That of a warm sandbox may be among them.
    for init in children_of(children_of(main)[0]) {
        kill_process(init, Signal::KILL).unwrap();
    }

    let refused = caller.start_process(&session, &["true"], false).await.map(drop).unwrap_err();
    assert_eq!(refused.reason, reason::SESSION_LOST, "{refused:?}");
    let refused = caller.list_files(&session, "").await.map(drop).unwrap_err();
    assert_eq!(refused.reason, reason::SESSION_LOST, "{refused:?}");
    let refused = caller.get_session(&session.session_id, OWNER).await.unwrap_err();
    assert_eq!(refused.reason, reason::SESSION_LOST, "{refused:?}");
    eventually("its place is free", async || {
        (caller.inventory().await.ok()?.sessions == 0).then_some(())
    })
    .await;
    assert!(!worker.log().contains("could not run a program"), "{}", worker.log());
}
