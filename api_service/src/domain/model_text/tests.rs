use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;

use super::{ForModel, Kept, Kind, MIN_CHARACTERS, Material, Order};
use crate::domain::artifact::{
    Artifact, Change, Changes, Collected, FileChange, FilePath, Omitted, OmittedReason,
};
use crate::domain::capture::Capture;
use crate::domain::ids::ExecutionId;
use crate::domain::report::{Diagnostic, Outcome, Phases, RichResult, Status, StreamTotals, Usage};
use crate::domain::timestamp::Timestamp;

/// One thing that came.
#[derive(Debug, Clone)]
enum Came {
    Stdout(Vec<u8>),
    Stderr(Vec<u8>),
    Result(BTreeMap<String, String>),
    Cleared,
}

fn address(_: &ExecutionId, kept: Kept<'_>) -> String {
    match kept {
        Kept::Execution => "/run".to_owned(),
        Kept::Output(stream) => format!("/run/{}", stream.name()),
        Kept::Artifact(path) => format!("/run/{path}"),
    }
}

fn outcome(status: Status, diagnostic: Option<Diagnostic>) -> Outcome {
    Outcome {
        status,
        exit_code: None,
        signal: None,
        duration: Duration::ZERO,
        stdout: StreamTotals::default(),
        stderr: StreamTotals::default(),
        usage: Usage {
            cpu: Duration::ZERO,
            peak_memory_bytes: 0,
            processes: 0,
            disk_bytes: 0,
            accounting: String::new(),
            shared: false,
        },
        phases: Phases {
            queue: Duration::ZERO,
            start: Duration::ZERO,
            compile: None,
            run: Duration::ZERO,
            cold_start: false,
        },
        diagnostic,
        state_lost: false,
        results_omitted: 0,
        collected: None,
        changes: None,
    }
}

fn diagnostic(
    name: &str,
    message: &str,
    traceback: Option<&str>,
    hint: Option<&str>,
) -> Diagnostic {
    Diagnostic {
        kind: "exception".to_owned(),
        name: name.to_owned(),
        message: message.to_owned(),
        file: None,
        line: Some(3),
        column: None,
        traceback: traceback.map(ToOwned::to_owned),
        missing_module: None,
        retryable: false,
        hint: hint.map(ToOwned::to_owned),
    }
}

/// The text of a run to which this came, and which ended so.
fn text(came: &[Came], mut outcome: Outcome, characters: usize) -> String {
    let (mut stdout, mut stderr) = (Capture::default(), Capture::default());
    let (mut results, mut order) = (Vec::new(), Order::default());
    for one in came {
        match one {
            Came::Stdout(data) => {
                order.note(Kind::Stdout, stdout.absorb(outcome.stdout.bytes, data));
                outcome.stdout.bytes += data.len() as u64;
            }
            Came::Stderr(data) => {
                order.note(Kind::Stderr, stderr.absorb(outcome.stderr.bytes, data));
                outcome.stderr.bytes += data.len() as u64;
            }
            Came::Result(mime) => {
                let (mime, stored) = (mime.clone(), BTreeMap::new());
                results.push(Arc::new(RichResult { mime, stored, is_main_result: true }));
                order.note(Kind::Result, 1);
            }
            Came::Cleared => order.note(Kind::Cleared, 1),
        }
    }
    stdout.end(outcome.stdout.bytes);
    stderr.end(outcome.stderr.bytes);
    let id = &ExecutionId::generate();
    let (outcome, stdout, stderr, results, order) = (&outcome, &stdout, &stderr, &*results, &order);
    let in_words = |kind: &str, data: &str| (kind == "x+json").then(|| format!("it says {data}"));
    let material = Material { id, outcome, stdout, stderr, results, order, in_words };
    material.text(ForModel { characters, address })
}

fn out(text: &str) -> Came {
    Came::Stdout(text.as_bytes().to_vec())
}

fn err(text: &str) -> Came {
    Came::Stderr(text.as_bytes().to_vec())
}

fn shown(mime: &[(&str, &str)]) -> Came {
    Came::Result(mime.iter().map(|(kind, data)| ((*kind).into(), (*data).into())).collect())
}

fn ok() -> Outcome {
    outcome(Status::Succeeded, None)
}

#[test]
fn streams_and_results_come_in_their_order() {
    let came = [
        out("one\n"),
        err("\u{1b}[33mwarning\u{1b}[0m\n"),
        out("two"),
        shown(&[("text/plain", "<Figure>"), ("text/html", "<b>"), ("image/png", "AAAA")]),
        out("three\n"),
        shown(&[("text/html", "<table>")]),
    ];
    let expected =
        "one\nwarning\ntwo\n<Figure>\n[image/png, 3 bytes; see results of /run]\nthree\n<table>";
    assert_eq!(text(&came, ok(), 1000), expected);
    assert_eq!(text(&[], ok(), 1000), "[no output]");
}

#[test]
fn what_was_cleared_makes_way() {
    let came = [
        out("1 of 2\n"),
        shown(&[("text/plain", "<Figure 1>"), ("image/png", "AAAA")]),
        Came::Cleared,
        err("\u{1b}]0;never ended"),
        Came::Cleared,
        out("2 of 2\n"),
        shown(&[("text/plain", "<Figure 2>")]),
    ];
    assert_eq!(text(&came, ok(), 1000), "2 of 2\n<Figure 2>");
    // However many there were.
    let steps = (0..20_000).flat_map(|step| [Came::Cleared, out(&format!("{step}\n"))]);
    assert_eq!(text(&steps.collect::<Vec<_>>(), ok(), 1000), "19999");
}

#[test]
fn data_is_said_in_words_where_it_has_some() {
    let came = [shown(&[("text/plain", "T"), ("x+json", "\u{1b}[1mhi\n"), ("y+json", "[1, 2]")])];
    let expected = "T\n[it says hi ; see results of /run]\n[y+json, 6 bytes; see results of /run]";
    assert_eq!(text(&came, ok(), 1000), expected);
}

#[test]
fn an_error_comes_last_with_its_hint() {
    let traceback = "Traceback (most recent call last):\n  line 3\nValueError: no";
    let failed = || {
        outcome(
            Status::Failed,
            Some(diagnostic("ValueError", "no", Some(traceback), Some("try yes"))),
        )
    };
    let error = "failed: ValueError: no (line 3)\nhint: try yes";
    let told = text(&[out("begun\n")], failed(), 1000);
    assert_eq!(told, format!("begun\n{traceback}\n{error}"));
    let written = text(&[out("begun\n"), err(traceback)], failed(), 1000);
    assert_eq!(written, format!("begun\n{traceback}\n{error}"), "once is enough");
    let slow = text(&[out("begun\n")], outcome(Status::TimedOut, None), 1000);
    assert_eq!(slow, "begun\ntimed_out: the time limit was reached");
}

#[test]
fn the_middle_makes_way_and_says_so_on_one_line() {
    let long = "x".repeat(600) + &"y".repeat(600);
    let failed = outcome(Status::Failed, Some(diagnostic("E", "last words", None, None)));
    let text = text(&[out(&long)], failed, 600);
    assert!((590..=600).contains(&text.chars().count()));
    assert!(text.starts_with("xxx") && text.ends_with("yyy\nfailed: E: last words (line 3)"));
    let gap = text.lines().find(|line| line.starts_with('…')).expect("a gap");
    assert!(gap.ends_with("of 1200 characters left out; all: /run/stdout] …"), "{gap}");
}

#[test]
fn files_are_told() {
    let path = |text: &str| FilePath(text.as_bytes().to_vec());
    let until = Timestamp::from_millis(0);
    let mut outcome = ok();
    outcome.collected = Some(Collected {
        artifacts: vec![Artifact { path: path("plot.png"), size: 5, until }],
        omitted: vec![Omitted { path: path("a\nb"), size: 7, reason: OmittedReason::TooLarge }],
        truncated: false,
    });
    outcome.changes = Some(Changes {
        files: vec![
            FileChange { path: path("new"), change: Change::Created, size: Some(1) },
            FileChange { path: path("old"), change: Change::Removed, size: None },
        ],
        truncated: true,
    });
    let expected = "[file plot.png, 5 bytes: /run/plot.png]\n\
                    [not collected: a b, 7 bytes: too large]\n\
                    [files: created new (1 bytes), removed old, and more]";
    assert_eq!(text(&[], outcome, 1000), expected);
}

fn came() -> impl Strategy<Value = Came> {
    let bytes = || {
        prop_oneof![
            ".{0,200}".prop_map(String::into_bytes),
            vec(any::<u8>(), 0..200),
            "(\r?[a-zä]{0,30}\n?(\u{1b}\\[[0-9;]{0,3}[mK])?){0,20}".prop_map(String::into_bytes),
        ]
    };
    let kind = prop_oneof![Just("text/plain"), Just("image/png"), Just("text/html"), Just("x")];
    let mime = proptest::collection::btree_map(kind.prop_map(ToOwned::to_owned), ".{0,300}", 0..3);
    prop_oneof![
        bytes().prop_map(Came::Stdout),
        bytes().prop_map(Came::Stderr),
        mime.prop_map(Came::Result),
    ]
}

proptest! {
    /// Whatever comes, in whatever order: the text is never longer than it may be, and the error is in it.
    #[test]
    fn a_text_keeps_its_bound_and_the_error(
        came in vec(came(), 0..40),
        name in "[A-Z][a-z]{1,20}",
        message in ".{0,60}",
        traceback in proptest::option::of(".{0,2000}"),
        hint in proptest::option::of(".{0,2000}"),
        characters in MIN_CHARACTERS as usize..3000,
        failed: bool,
    ) {
        let found = diagnostic(&name, &message, traceback.as_deref(), hint.as_deref());
        let outcome = if failed { outcome(Status::Failed, Some(found)) } else { ok() };
        let error = outcome.error_line();
        let text = text(&came, outcome, characters);
        prop_assert!(text.chars().count() <= characters, "{} of {characters}", text.chars().count());
        prop_assert!(!text.is_empty());
        if let Some(error) = error {
            let error = super::line(&error);
            prop_assert!(text.contains(&error), "{error:?} is not in {text:?}");
        }
    }
}
