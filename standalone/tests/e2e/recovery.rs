//! The worker dies under its users.

use std::time::{Duration, Instant};

use reqwest::Method;
use rustix::process::Signal;
use serde_json::json;

use crate::crucible::Crucible;
use crate::processes::{children, descendants, signal, wait_until_gone};
use crate::sessions::session;
use attack::leaks::cgroups;

const RUN: &str = "/v1/code_interpreter/run";

#[tokio::test]
async fn sessions_of_a_killed_worker_are_reported_as_lost_and_new_ones_work() {
    let crucible = Crucible::start();
    let (lost, path) = session(&crucible, "python").await;
    let body = json!({"language": "python", "code": "x = 1", "session_id": lost});
    crucible.run(body.clone()).await;
    let worker = crucible.service("worker");
    let below = descendants(worker);
    let groups = cgroups(crucible.pid());

    signal(worker, Signal::KILL);

    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let (status, answer) = crucible.call(Method::POST, RUN, Some(body.clone())).await;
        match status {
            410 => break,
            503 => assert!(Instant::now() < deadline, "{answer}"),
            _ => panic!("{status} {answer}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let (status, answer) = crucible.call(Method::GET, &path, None).await;
    assert_eq!((status, &answer["status"]), (200, &json!("lost")), "{answer}");
    wait_until_gone(&below);
    assert!(groups.iter().all(|group| !group.exists()), "{groups:?}");

    let (id, _) = session(&crucible, "python").await;
    let body = json!({"language": "python", "code": "print(1)", "session_id": id});
    assert_eq!(crucible.run(body).await["stdout"], "1\n");
}

#[tokio::test]
async fn a_run_that_the_worker_dies_under_is_answered_at_once() {
    let crucible = Crucible::start();
    let body = json!({"language": "bash", "code": "sleep 60"});
    let killer = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let [_, worker, _] = line_of_the_worker(&crucible);
        signal(worker, Signal::KILL);
    };

    let started = Instant::now();
    let ((status, answer), ()) = tokio::join!(crucible.call(Method::POST, RUN, Some(body)), killer);

    assert_eq!(status, 503, "{answer}");
    assert!(started.elapsed() < Duration::from_secs(20));
}

#[tokio::test]
async fn any_process_of_the_worker_may_be_killed() {
    let crucible = Crucible::start();
    for depth in 0..3 {
        let line = line_of_the_worker(&crucible);
        let below = descendants(line[0]);

        signal(line[depth], Signal::KILL);

        // Also those that the victim was the parent of.
        wait_until_gone(&below);
        wait_for_an_answer(&crucible).await;
    }
}

/// The worker's processes that are no sandboxes: each is the only child of the one before.
fn line_of_the_worker(crucible: &Crucible) -> [u32; 3] {
    let anchor = crucible.service("worker");
    let only_child = |parent| children(parent).first().copied().expect("a child");
    let worker = only_child(anchor);
    [anchor, worker, only_child(worker)]
}

async fn wait_for_an_answer(crucible: &Crucible) {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let body = json!({"language": "bash", "code": "echo back"});
        let (status, answer) = crucible.call(Method::POST, RUN, Some(body)).await;
        if status == 200 && answer["stdout"] == "back\n" {
            return;
        }
        assert_eq!(status, 503, "{answer}");
        assert!(Instant::now() < deadline, "{answer}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[test]
fn a_stopped_launcher_leaves_no_control_group_and_answers_to_ctrl_c() {
    let mut crucible = Crucible::start();
    let groups = cgroups(crucible.pid());
    let processes = descendants(crucible.pid());

    signal(crucible.pid(), Signal::INT);

    assert_eq!(crucible.wait(), Some(0));
    wait_until_gone(&processes);
    assert!(groups.iter().all(|group| !group.exists()), "{groups:?}");
}

#[test]
fn a_killed_launcher_leaves_no_control_group() {
    let crucible = Crucible::start();
    let groups = cgroups(crucible.pid());
    let processes = descendants(crucible.pid());

    signal(crucible.pid(), Signal::KILL);

    wait_until_gone(&processes);
    let deadline = Instant::now() + Duration::from_secs(10);
    while groups.iter().any(|group| group.exists()) {
        assert!(Instant::now() < deadline, "{groups:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
