//! The format of the `*.cases` files:
//!
//! ```text
//! === python session needs numpy | the rule that the program shows
//! >>> {"env": {"TZ": "UTC"}}
//! the code of one run
//! <<< /stdout is
//! what a text in the answer is, to the next mark
//! <<< /diagnostic/hint has a word
//! <<< /results/0 = null
//! ```
//! `needs` and what follows it may be left out. After `>>>` come further fields of the request, as JSON, or nothing. `is`, `has` and `lacks` are followed by
//! their text on the same line, or by a text of lines, and `=` by a value of JSON. A run is expected
//! to succeed until `/status` says otherwise.

use serde_json::{Value, json};

use crate::case::{Case, run};

/// One program.
pub struct Program {
    /// What it is written in.
    pub language: String,
    /// Whether its runs share a session.
    pub in_session: bool,
    /// A package without which it cannot run.
    pub needs: Option<String>,
    /// What it shows, in words.
    pub rule: String,
    /// Its runs.
    pub runs: Vec<Case>,
}

/// Reads a whole file. Panics where it is not in the format.
pub fn read(text: &str) -> Vec<Program> {
    let text = format!("\n{text}");
    text.split("\n=== ").skip(1).map(program).collect()
}

fn program(text: &str) -> Program {
    let (head, body) = text.split_once('\n').expect("a head and a body");
    let (what, rule) = head.split_once(" | ").expect("language and mode | rule");
    let (language, mode) = what.split_once(' ').expect("language and mode");
    let (mode, needs) = mode.split_once(" needs ").map_or((mode, None), |(m, n)| (m, Some(n)));
    assert!(matches!(mode, "once" | "session"), "{mode}");
    let body = format!("\n{body}");
    let runs = body.split("\n>>>").skip(1).map(|run| one_run(language, run)).collect();
    Program {
        language: String::from(language),
        in_session: mode == "session",
        needs: needs.map(String::from),
        rule: String::from(rule),
        runs,
    }
}

fn one_run(language: &str, text: &str) -> Case {
    let mut parts = text.split("\n<<< ");
    let (fields, code) = parts.next().expect("a run").split_once('\n').expect("fields and code");
    let mut case = run(language, code);
    if !fields.trim().is_empty() {
        let fields: Value = serde_json::from_str(fields).expect("the fields are JSON");
        for (name, value) in fields.as_object().expect("of an object") {
            case = case.with(name, value.clone());
        }
    }
    parts.fold(case, check)
}

fn check(case: Case, text: &str) -> Case {
    let (line, lines) = text.split_once('\n').unwrap_or((text, ""));
    let (pointer, rest) = line.split_once(' ').expect("a pointer and what it must be");
    let (verb, inline) = rest.split_once(' ').unwrap_or((rest, ""));
    let expected = if inline.is_empty() { lines_of(lines) } else { String::from(inline) };
    match verb {
        "is" if pointer == "/status" => case.ends(&expected),
        "is" => case.is(pointer, json!(expected)),
        "=" => case.is(pointer, serde_json::from_str(inline).expect("a value of JSON")),
        "has" => case.has(pointer, expected.trim_end_matches('\n')),
        "lacks" => case.lacks(pointer, expected.trim_end_matches('\n')),
        other => panic!("{other} is none of is, =, has and lacks"),
    }
}

/// A text of lines, the last of which has lost its end to the mark behind it.
fn lines_of(text: &str) -> String {
    if text.is_empty() || text.ends_with('\n') { String::from(text) } else { format!("{text}\n") }
}
