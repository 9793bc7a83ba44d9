//! `crucible doctor --attack`, as an operator would run it. The corpus itself is run by `tests/attack`.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

use crate::crucible::Crucible;

/// A program that gets through wherever it runs.
const BREAKTHROUGH: &str = r#"
why = "To see that it would be seen."

[[attack]]
name = "breakthrough for a test"
language = "bash"
tries = "Nothing; it only says that it worked."
code = "printf 'ACHIEVED \\033]0;everything\\007\n'; echo 'denied mount EACCES'"
ends = ["succeeded"]
denied = ["mount EPERM"]
"#;

fn attack(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_crucible"));
    command.args(["doctor", "--attack"]).args(arguments).envs(variables.iter().copied());
    command.output().expect("it starts")
}

fn shown(output: &Output) -> String {
    let [stdout, stderr] =
        [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    format!("{stdout}{stderr}")
}

#[test]
fn an_attack_that_gets_through_fails_the_suite() {
    let directory = TempDir::new().expect("a directory");
    let file = directory.path().join("more.toml");
    std::fs::write(&file, BREAKTHROUGH).expect("written");
    let file = file.to_str().expect("UTF-8");

    let output = attack(&["--json", "--also", file, "--only", "breakthrough"], &[]);

    assert_eq!(output.status.code(), Some(1), "{}", shown(&output));
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(report["held"], false, "{report}");
    let rules: Vec<&str> = report["findings"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|finding| finding["rule"].as_str())
        .collect();
    assert_eq!(rules, ["achieved", "denied"], "{report}");
    // Progress goes to standard error, and nothing that a terminal would act upon goes anywhere.
    assert!(!shown(&output).contains('\u{1b}'), "{}", shown(&output));
}

#[test]
fn a_live_service_is_attacked_as_the_user_of_a_token() {
    let crucible = Crucible::shared();
    let (url, token) = (crucible.url(), crucible.token());
    let arguments = ["--url", url, "--only", "ids that look like"];

    let output = attack(&arguments, &[("CRUCIBLE_TOKEN", token)]);

    let shown = shown(&output);
    assert!(output.status.success(), "{shown}");
    assert!(shown.contains("not looked at: the host of a live service"), "{shown}");
    assert!(!shown.contains(token), "{shown}");
}

#[test]
fn a_service_that_does_not_start_is_told_of_with_its_log() {
    let output = attack(&["--only", "ids that look like"], &[("MAX_TIMEOUT", "many")]);
    let shown = shown(&output);
    assert_eq!(output.status.code(), Some(1), "{shown}");
    assert!(shown.contains("MAX_TIMEOUT"), "{shown}");
}

#[test]
fn nothing_is_run_where_only_a_list_is_asked_for() {
    let output = attack(&["--list"], &[]);
    let shown = shown(&output);
    assert!(output.status.success(), "{shown}");
    assert!(shown.contains("  api     ids that look like SQL"), "{shown}");
    assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join("../attacks/requests.toml").is_file());
}
