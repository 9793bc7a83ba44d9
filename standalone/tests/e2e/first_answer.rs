//! From nothing to the first answer.

use std::process::Command;

use serde_json::{Value, json};

use crate::crucible::{Crucible, needs};

#[test]
fn the_printed_line_works_when_pasted() {
    if needs("curl", "the_printed_line_works_when_pasted").is_none() {
        return;
    }
    let crucible = Crucible::start();

    let pasted = Command::new("sh").args(["-c", crucible.curl()]).output().expect("a shell");

    assert!(pasted.status.success());
    let answer: Value = serde_json::from_slice(&pasted.stdout).expect("JSON");
    assert_eq!(answer["status"], "succeeded", "{answer}");
    assert_eq!(answer["output"], "42\n", "{answer}");
}

#[test]
fn the_languages_and_the_isolation_are_printed() {
    let crucible = Crucible::start();
    let printed = crucible.printed();
    for expected in ["isolation", "python", "node", "bash", "\n  c "] {
        assert!(printed.contains(expected), "{expected}: {printed}");
    }
    assert!(!printed.contains('\u{1b}'), "plain text where there is no terminal");
}

#[tokio::test]
async fn every_language_that_is_listed_answers() {
    let crucible = Crucible::start();
    let (_, listed) = crucible.call(reqwest::Method::GET, "/v1/languages", None).await;
    let (_, health) = crucible.call(reqwest::Method::GET, "/health", None).await;
    assert_eq!(listed["isolation"], health["isolation"], "one account of the walls");
    for (language, code) in [
        ("python", "print(6 * 7)"),
        ("node", "console.log(6 * 7)"),
        ("bash", "echo $((6 * 7))"),
        ("c", "#include <stdio.h>\nint main(void) { printf(\"%d\\n\", 6 * 7); }"),
    ] {
        let here = listed["languages"].as_array().expect("a list");
        if !here.iter().any(|one| one["name"] == language) {
            eprintln!("skipped: every_language_that_is_listed_answers, {language} (not here)");
            continue;
        }
        let answer = crucible.run(json!({"language": language, "code": code})).await;
        assert_eq!(answer["status"], "succeeded", "{answer}");
        assert_eq!(answer["stdout"], "42\n", "{answer}");
        assert_eq!(answer["isolation"], listed["isolation"]["level"], "{answer}");
    }
}
