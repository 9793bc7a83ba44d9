//! Processes that are there and do nothing.

use std::time::{Duration, Instant};

use reqwest::Method;
use rustix::process::Signal;
use serde_json::json;

use crate::crucible::Crucible;
use crate::processes::{children, signal};

/// Longer than anybody should wait for a word; noticed in about five seconds on a quiet machine.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_worker_or_spawner_that_is_stopped_is_in_the_health_and_keeps_nobody_waiting() {
    let crucible = Crucible::start();
    let worker = children(crucible.service("worker"))[0];
    let spawner = children(worker)[0];
    for stopped in [worker, spawner] {
        signal(stopped, Signal::STOP);
        health_is(&crucible, 503).await;
        let body = json!({"language": "bash", "code": "echo hi"});
        let (status, answer) =
            crucible.call(Method::POST, "/v1/code_interpreter/run", Some(body)).await;
        assert_eq!(status, 503, "{answer}");

        signal(stopped, Signal::CONT);
        health_is(&crucible, 200).await;
        let body = json!({"language": "bash", "code": "echo hi"});
        assert_eq!(crucible.run(body).await["stdout"], "hi\n");
    }
}

async fn health_is(crucible: &Crucible, wanted: u16) {
    let begun = Instant::now();
    loop {
        let (status, answer) = crucible.call(Method::GET, "/health", None).await;
        if status == wanted {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{status} {answer}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
