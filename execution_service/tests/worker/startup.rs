//! What a worker that has started says of itself, and where it serves.

use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::support::{Worker, bash, python};

#[tokio::test]
async fn capabilities_say_what_is_really_there() {
    let worker = Worker::bash(&[("MAX_TIMEOUT", "77")]).await;
    let first = worker.caller().await.capabilities().await;
    let [bash] = &first.languages[..] else {
        panic!("{first:?}");
    };
    assert_eq!(bash.name, "bash");
    assert!(bash.version.starts_with(char::is_numeric), "{bash:?}");
    assert!(bash.executable.ends_with("/bash"), "{bash:?}");
    let isolation = first.isolation.unwrap();
    assert!(["full", "degraded"].contains(&isolation.level.as_str()));
    for wall in ["user_namespace", "seccomp"] {
        let state = isolation.walls.iter().find(|known| known.name == wall);
        assert_eq!(state.unwrap().state, "enforced", "{wall}");
    }
    let maxima = first.limits.unwrap().maxima.unwrap();
    assert_eq!(maxima.wall_ms, Some(77_000));

    let other = Worker::bash(&[]).await;
    let second = other.caller().await.capabilities().await;
    assert_ne!(first.instance_id, second.instance_id);
}

#[tokio::test]
async fn a_unix_socket_is_served_to_its_owner_alone_and_removed_at_the_end() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("worker.sock");
    let listen = format!("unix:{}", path.display());
    let mut worker = Worker::bash(&[("LISTEN", &listen)]).await;
    assert_eq!(worker.address(), listen);
    let file = path.symlink_metadata().unwrap();
    assert!(file.file_type().is_socket());
    assert_eq!(file.permissions().mode() & 0o777, 0o600);
    let caller = worker.caller().await;
    assert_eq!(caller.run(bash("echo hello")).await.printed(), "hello\n");
    worker.terminate();
    assert_eq!(worker.ended().await.code(), Some(0));
    assert!(!path.exists());
}

#[tokio::test]
async fn the_address_file_may_be_where_only_its_starter_can_write() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("address");
    let worker = Worker::bash(&[("ADDRESS_FILE", file.to_str().unwrap())]).await;
    let caller = worker.caller().await;
    assert_eq!(caller.run(bash("echo hello")).await.printed(), "hello\n");
}

#[tokio::test]
async fn both_sides_log_the_same_request_id() {
    let worker = Worker::bash(&[]).await;
    let caller = worker.caller().await.with_request_id("req_0123");
    // Somebody who goes away is worth a line in the log.
    let mut running = caller.execute(bash("echo up; sleep 600")).await.unwrap();
    running.says("up").await;
    drop(running);
    crate::support::eventually("the request id is in the log", async || {
        worker.log().contains("req_0123").then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_ordinary_users_environment_may_lie_in_a_private_home() {
    if rustix::process::geteuid().is_root() {
        eprintln!(
            "skipped: an_ordinary_users_environment_may_lie_in_a_private_home (needs a user)"
        );
        return;
    }
    // Below the home, as a sandbox has a /tmp of its own.
    let Some(home) = std::env::var_os("HOME") else {
        eprintln!("skipped: an_ordinary_users_environment_may_lie_in_a_private_home (no HOME)");
        return;
    };
    let private = tempfile::Builder::new().prefix("crucible-test-").tempdir_in(home).unwrap();
    std::fs::set_permissions(private.path(), PermissionsExt::from_mode(0o700)).unwrap();
    let environment = environment_in(private.path());
    let environment = environment.to_str().unwrap();
    let Some(worker) = Worker::start("python", &[("PYTHON_ENVIRONMENT", environment)]).await else {
        return;
    };
    let ran = worker.caller().await.run(python("import sys; print(sys.prefix)")).await;
    assert_eq!(ran.stdout(), format!("{environment}\n"), "{ran:?}");
}

#[tokio::test]
async fn an_executable_in_an_environment_brings_its_packages() {
    // Where the sandboxes may go; they have a /tmp of their own.
    let root = rustix::process::geteuid().is_root();
    let parent = std::env::var("HOME").ok().filter(|_| !root);
    let parent = parent.unwrap_or_else(|| String::from("/var/lib"));
    let place = tempfile::Builder::new().prefix("crucible-test-").tempdir_in(parent).unwrap();
    std::fs::set_permissions(place.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let environment = environment_in(place.path());
    let packages = std::fs::read_dir(environment.join("lib")).unwrap().next().unwrap().unwrap();
    std::fs::write(packages.path().join("site-packages/thing.py"), "answer = 42\n").unwrap();
    let (executable, environment) = (environment.join("bin/python"), environment.display());
    let settings =
        [("PYTHON_EXECUTABLE", executable.to_str().unwrap()), ("PYTHON_PRELOAD", "thing")];
    let Some(worker) = Worker::start("python", &settings).await else {
        return;
    };
    let caller = worker.caller().await;
    let found = "print(sys.prefix, thing.answer)";
    let code = format!("import sys\nloaded = 'thing' in sys.modules\nimport thing\n{found}");
    let ran = caller.run(python(&code)).await;
    assert_eq!(ran.printed(), format!("{environment} 42\n"), "{ran:?}");
    // The zygote has it as well, which may take a moment to start.
    crate::support::eventually("a program finds it loaded", async || {
        let ran = caller.run(python(&format!("{code}\nprint(loaded)"))).await;
        (ran.printed() == format!("{environment} 42\nTrue\n")).then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_interpreter_that_is_named_and_would_not_do_is_refused_with_the_remedy() {
    let named = [("SUPPORTED_LANGUAGES", "bash"), ("BASH_EXECUTABLE", "/tmp/no-such/bash")];
    let (status, log) = crate::support::refusal_of(&named).await;
    assert_eq!(status.code(), Some(1), "{log}");
    assert!(log.contains("bash cannot be run: /tmp/no-such/bash: it cannot be started"), "{log}");
    assert!(log.contains("set BASH_EXECUTABLE to one that will do"), "{log}");
}

/// A virtual environment of the system's Python.
fn environment_in(directory: &Path) -> PathBuf {
    let environment = directory.join("environment");
    let made = std::process::Command::new("/usr/bin/python3")
        .args(["-m", "venv", "--without-pip"])
        .arg(&environment)
        .status();
    assert!(made.is_ok_and(|status| status.success()));
    environment
}
