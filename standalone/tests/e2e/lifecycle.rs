//! Starting again, and ending.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use reqwest::Method;
use rustix::process::Signal;
use serde_json::json;
use tempfile::TempDir;

use crate::crucible::Crucible;
use crate::processes::{descendants, signal, wait_until_gone};

#[tokio::test]
async fn a_second_start_keeps_the_secrets_and_the_administrator() {
    let data = TempDir::new().expect("a directory");
    let mut first = Crucible::start_in(data.path(), &[]);
    let token = String::from(first.token());
    assert!(first.printed().contains("Shown this once"));
    assert_eq!(first.stop(), Some(0));

    let second = Crucible::start_in(data.path(), &[]);

    assert!(!second.printed().contains("Shown this once"));
    let me = reqwest::Client::new()
        .get(format!("{}/v1/users/me", second.url()))
        .bearer_auth(token)
        .send()
        .await
        .expect("an answer");
    assert_eq!(me.status().as_u16(), 200, "the first start's token is still good");
}

#[test]
fn the_secrets_are_the_owners_alone_and_on_no_command_line() {
    let data = TempDir::new().expect("a directory");
    let crucible = Crucible::start_in(data.path(), &[]);
    let mut processes = descendants(crucible.pid());
    processes.push(crucible.pid());
    for name in ["secret_key", "internal_token"] {
        let path = data.path().join(name);
        let mode = path.metadata().expect("it exists").permissions().mode();
        assert_eq!(mode & 0o7777, 0o600, "{name}");
        let secret = std::fs::read_to_string(&path).expect("ours");
        for process in &processes {
            let line = std::fs::read_to_string(format!("/proc/{process}/cmdline"));
            assert!(!line.unwrap_or_default().contains(secret.trim()), "{name}");
        }
    }
}

#[test]
fn sigterm_ends_everything_and_leaves_no_socket() {
    let data = TempDir::new().expect("a directory");
    let mut crucible = Crucible::start_in(data.path(), &[]);
    let processes = descendants(crucible.pid());
    assert!(processes.len() >= 2, "{processes:?}");

    assert_eq!(crucible.stop(), Some(0));

    wait_until_gone(&processes);
    let left = std::fs::read_dir(data.path().join("run")).expect("a directory").count();
    assert_eq!(left, 0);
}

#[test]
fn kill_9_of_the_launcher_ends_everything() {
    let crucible = Crucible::start();
    let processes = descendants(crucible.pid());

    signal(crucible.pid(), Signal::KILL);

    wait_until_gone(&processes);
}

#[tokio::test]
async fn a_service_that_is_killed_is_started_again_in_the_same_place() {
    let crucible = Crucible::start();
    for service in ["gateway", "worker"] {
        let before = crucible.service(service);

        signal(before, Signal::KILL);
        wait_until_gone(&[before]);

        let mut answer = None;
        for _ in 0..600 {
            tokio::time::sleep(Duration::from_millis(50)).await;
            let ready = reqwest::get(format!("{}/readyz", crucible.url())).await;
            if ready.is_ok_and(|ready| ready.status().is_success()) {
                let body = json!({"language": "bash", "code": "echo back"});
                let path = "/v1/code_interpreter/run";
                let (status, body) = crucible.call(Method::POST, path, Some(body)).await;
                if status == 200 {
                    answer = Some(body);
                    break;
                }
                assert_eq!(status, 503, "{body}");
            }
        }
        let answer = answer.unwrap_or_else(|| panic!("the {service} did not come back"));
        assert_eq!(answer["output"], "back\n", "{answer}");
        assert_ne!(crucible.service(service), before);
    }
}
