//! A whole Crucible against the bare languages: the programs of `runtimes/tests/differential` and CPython's own tests,
//! compared by the scripts beside the kernels.

#[allow(dead_code, reason = "each of the programs that use it uses its part")]
#[path = "../machine/crucible.rs"]
mod crucible;
#[allow(dead_code, unused_imports, reason = "each of the programs that use it uses its part")]
#[path = "../machine/processes.rs"]
mod processes;

use std::process::{Command, Stdio};

use crucible::{Crucible, needs};

const SCRIPTS: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../execution_service/src/runtimes/tests");

/// Runs a script of `unittest` against the service, and fails with all that it has said.
fn compare(script: &str) {
    if needs("python3", script).is_none() {
        return;
    }
    let crucible = Crucible::shared();
    let ended = Command::new("python3")
        .args(["-B", "-m", "unittest", script])
        .current_dir(SCRIPTS)
        .env("CRUCIBLE_URL", crucible.url())
        .env("CRUCIBLE_TOKEN", crucible.token())
        .stdin(Stdio::null())
        .output()
        .expect("python3 starts");
    let said = [ended.stdout, ended.stderr]
        .map(|text| String::from_utf8_lossy(&text).into_owned())
        .concat();
    // What was skipped, by name, and how much was compared.
    for line in said.lines().filter(|line| line.contains("skipped: ") || line.contains(" pass ")) {
        eprintln!("{line}");
    }
    assert!(ended.status.success(), "{said}");
}

#[test]
fn programs_do_in_a_sandbox_what_they_do_bare() {
    compare("against_service");
}

#[test]
fn cpythons_own_tests_pass_in_a_sandbox_as_outside() {
    compare("cpython_tests");
}
