//! Packages that come while everything serves. Both tests use a directory outside of `/tmp`, of which every sandbox has
//! one of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use reqwest::Method;
use rustix::process::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::crucible::Crucible;
use crate::processes::signal;
use crate::sessions::session;

/// Longer than a download on a slow line, and any pause before another attempt.
const PATIENCE: Duration = Duration::from_secs(300);

/// Where Python is, as it says itself.
const PREFIX: &str = "import sys; print(sys.prefix)";

/// Makes a wheel of one module, without a network: `crucible_probe`, which says 42.
const WHEEL: &str = r#"
import sys, zipfile
name = "crucible_probe-1-py3-none-any.whl"
with zipfile.ZipFile(sys.argv[1] + "/" + name, "w") as wheel:
    wheel.writestr("crucible_probe.py", "answer = 42\n")
    info = "crucible_probe-1.dist-info/"
    wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\nName: crucible-probe\nVersion: 1\n")
    wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    wheel.writestr(info + "RECORD", "".join(f"{part},,\n" for part in wheel.namelist()))
"#;

/// A data directory that sandboxes can be shown, if this user has a place for one.
fn data_directory(test: &str) -> Option<TempDir> {
    let root = rustix::process::geteuid().is_root();
    let place = if root { Some(PathBuf::from("/var/lib")) } else { std::env::home_dir() };
    let own = ["/tmp", "/var/tmp", "/dev/shm"];
    let place = place.filter(|place| !own.iter().any(|covered| place.starts_with(covered)));
    let made = place.and_then(|place| TempDir::with_prefix_in("crucible-e2e-", place).ok());
    if made.is_none() {
        eprintln!("skipped: {test} (no place for a data directory outside of /tmp)");
    }
    made
}

fn lacks_pip(test: &str) -> bool {
    let pip = Command::new("python3").args(["-m", "pip", "--version"]).output();
    let lacks = !pip.is_ok_and(|pip| pip.status.success());
    if lacks {
        eprintln!("skipped: {test} (no python3 with pip)");
    }
    lacks
}

async fn python(crucible: &Crucible, code: &str, session: Option<&str>) -> String {
    run(crucible, "python", code, session).await
}

async fn run(crucible: &Crucible, language: &str, code: &str, session: Option<&str>) -> String {
    let answer =
        crucible.run(json!({"language": language, "code": code, "session_id": session})).await;
    assert_eq!(answer["status"], "succeeded", "{answer}");
    String::from(answer["stdout"].as_str().expect("text").trim())
}

/// Runs programs until they find another Python than `before`, and gives that one's place. Each must succeed.
async fn until_it_has_come(crucible: &Crucible, before: &str) -> String {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let now = python(crucible, PREFIX, None).await;
        if now != before {
            return now;
        }
        assert!(Instant::now() < deadline, "it never comes");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn packages(crucible: &Crucible) -> Value {
    let (_, answer) = crucible.call(Method::GET, "/v1/languages", None).await;
    let languages = answer["languages"].as_array().expect("a list");
    let python = languages.iter().find(|language| language["name"] == "python");
    python.expect("it is here")["packages"].clone()
}

async fn until_it_is_listed(crucible: &Crucible, package: &str) -> Value {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let packages = packages(crucible).await;
        if packages[package].is_string() {
            return packages;
        }
        assert!(Instant::now() < deadline, "{packages}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// A session that began with the Python at `before` has that one, whoever starts it.
async fn keeps(crucible: &Crucible, session: &str, before: &str) {
    let children = "import subprocess, sys\nrun = lambda *c: subprocess.run(c, capture_output=True, text=True).stdout.strip()\n\
                    print(state, sys.prefix, run('python3', '-c', 'import sys; print(sys.prefix)'))";
    let said = python(crucible, children, Some(session)).await;
    assert_eq!(said, format!("kept {before} {before}"));
    let shell = format!("python3 -c '{PREFIX}'; python -c '{PREFIX}'");
    let said = run(crucible, "bash", &shell, Some(session)).await;
    assert_eq!(said, format!("{before}\n{before}"), "a context that is made later");
}

/// A new session has the Python at `place` with `module`, in a shell, a kernel and a child of its.
async fn begins_with(crucible: &Crucible, place: &str, module: &str) {
    let (id, _) = session(crucible, "bash").await;
    let shell = format!("python3 -c 'import sys, {module}; print(sys.prefix)'");
    assert_eq!(run(crucible, "bash", &shell, Some(&id)).await, place);
    let children = format!(
        "import {module}, subprocess, sys\nprint(sys.prefix)\n\
         subprocess.run(['python3', '-c', 'import sys, {module}; print(sys.prefix)'], check=True)"
    );
    let said = python(crucible, &children, Some(&id)).await;
    assert_eq!(said, format!("{place}\n{place}"));
}

#[tokio::test]
async fn what_cannot_be_had_at_first_is_tried_again_and_comes_under_everything_that_runs() {
    let test = "what_cannot_be_had_at_first_is_tried_again_and_comes_under_everything_that_runs";
    let Some(data) = data_directory(test) else { return };
    if lacks_pip(test) {
        return;
    }
    let wheels = data.path().join("wheels");
    fs::create_dir(&wheels).expect("made");
    let list = data.path().join("list.txt");
    fs::write(&list, "crucible-probe\n").expect("written");
    let [list, find] = [&list, &wheels].map(|path| path.to_str().expect("UTF-8"));
    let variables = [("PYTHON_PACKAGES", list), ("PIP_NO_INDEX", "1"), ("PIP_FIND_LINKS", find)];
    let crucible = Crucible::start_installing(&data.path().join("data"), &variables);
    let printed = crucible.printed();
    assert!(printed.contains("Python runs without numpy"), "{printed}");
    assert!(printed.contains("it is tried again while Crucible runs"), "{printed}");

    let before = python(&crucible, PREFIX, None).await;
    let (id, _) = session(&crucible, "python").await;
    python(&crucible, "state = 'kept'", Some(&id)).await;
    make_wheel(&wheels);
    let now = until_it_has_come(&crucible, &before).await;

    keeps(&crucible, &id, &before).await;
    begins_with(&crucible, &now, "crucible_probe").await;
    until_it_is_listed(&crucible, "crucible-probe").await;

    // A worker that is started anew has it at once.
    signal(crucible.service("worker"), Signal::KILL);
    let deadline = Instant::now() + PATIENCE;
    let body = json!({"language": "python", "code": PREFIX});
    loop {
        let path = "/v1/code_interpreter/run";
        let (status, answer) = crucible.call(Method::POST, path, Some(body.clone())).await;
        if status == 200 {
            assert_eq!(answer["stdout"], format!("{now}\n"), "{answer}");
            break;
        }
        assert!(status == 503 && Instant::now() < deadline, "{answer}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn a_first_start_serves_with_the_minimal_packages_and_goes_over_to_those_that_are_wanted() {
    let test =
        "a_first_start_serves_with_the_minimal_packages_and_goes_over_to_those_that_are_wanted";
    let Some(data) = data_directory(test) else { return };
    if lacks_pip(test) {
        return;
    }
    let list = data.path().join("list.txt");
    fs::write(&list, "tabulate\nanyascii==0.3.3\n").expect("written");
    let place = data.path().join("data");
    let mut crucible =
        Crucible::start_installing(&place, &[("PYTHON_PACKAGES", list.to_str().expect("UTF-8"))]);
    if let Some(bare) = crucible.printed().lines().find(|line| line.contains("no network")) {
        eprintln!("skipped: {test} ({bare})");
        return;
    }
    let before = python(&crucible, &format!("import numpy, pandas; {PREFIX}"), None).await;
    let (id, _) = session(&crucible, "python").await;
    python(&crucible, "import numpy; state = 'kept'", Some(&id)).await;

    let now = until_it_has_come(&crucible, &before).await;

    keeps(&crucible, &id, &before).await;
    begins_with(&crucible, &now, "anyascii").await;
    let listed = until_it_is_listed(&crucible, "tabulate").await;
    assert!(listed["anyascii"] == "0.3.3" && listed["numpy"].is_null(), "{listed}");

    // The next start has it from the beginning, and installs nothing.
    assert_eq!(crucible.stop(), Some(0));
    let again =
        Crucible::start_installing(&place, &[("PYTHON_PACKAGES", list.to_str().expect("UTF-8"))]);
    assert!(!again.printed().contains("nstalling"), "{}", again.printed());
    assert_eq!(python(&again, PREFIX, None).await, now);
}

fn make_wheel(directory: &Path) {
    let made = Command::new("python3").args(["-c", WHEEL]).arg(directory).status();
    assert!(made.expect("python3 starts").success());
}
