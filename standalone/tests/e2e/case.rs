//! One run and what its answer has to be, as a sentence: `run("python", "1 + 1").result("2")`.

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::crucible::Crucible;

/// A request to run something and what must hold of the answer.
#[derive(Clone)]
pub struct Case {
    /// The body of the request.
    pub request: Value,
    statuses: Vec<String>,
    fields: Vec<(String, Value)>,
    has: Vec<(String, String)>,
    lacks: Vec<(String, String)>,
}

/// A case whose program is expected to succeed, until something else is said.
pub fn run(language: &str, code: &str) -> Case {
    Case {
        request: json!({"language": language, "code": code, "timeout": 20}),
        statuses: vec![String::from("succeeded")],
        fields: Vec::new(),
        has: Vec::new(),
        lacks: Vec::new(),
    }
}

impl Case {
    /// Sets a field of the request.
    pub fn with(mut self, field: &str, value: Value) -> Self {
        self.request[field] = value;
        self
    }

    /// The status.
    pub fn ends(self, status: &str) -> Self {
        self.ends_one_of([status])
    }

    /// Any of several statuses, where the program is in a race with its limits.
    pub fn ends_one_of<S: Into<String>>(mut self, statuses: impl IntoIterator<Item = S>) -> Self {
        self.statuses = statuses.into_iter().map(Into::into).collect();
        self
    }

    /// The value at a JSON pointer.
    pub fn is(mut self, pointer: impl Into<String>, value: Value) -> Self {
        self.fields.push((pointer.into(), value));
        self
    }

    /// A part of the text at a JSON pointer.
    pub fn has(mut self, pointer: impl Into<String>, part: impl Into<String>) -> Self {
        self.has.push((pointer.into(), part.into()));
        self
    }

    /// What must not be in the text at a JSON pointer.
    pub fn lacks(mut self, pointer: impl Into<String>, part: impl Into<String>) -> Self {
        self.lacks.push((pointer.into(), part.into()));
        self
    }

    /// All of standard output.
    pub fn prints(self, text: &str) -> Self {
        self.is("/stdout", json!(text))
    }

    /// The plain text of the main result, which is the only result.
    pub fn result(self, text: &str) -> Self {
        self.is("/results/0/mime/text~1plain", json!(text))
            .is("/results/0/is_main_result", json!(true))
    }

    /// A program that fails, with this exit status.
    pub fn fails(self, exit_code: i32) -> Self {
        self.ends("failed").is("/exit_code", json!(exit_code))
    }

    /// A program that is ended by this signal.
    pub fn dies_of(self, signal: &str) -> Self {
        self.ends("killed").is("/signal", json!(signal)).diagnosed("signal", signal)
    }

    /// Kind and name of the diagnostic.
    pub fn diagnosed(self, kind: &str, name: &str) -> Self {
        self.is("/diagnostic/kind", json!(kind)).is("/diagnostic/name", json!(name))
    }

    /// The line of the diagnostic.
    pub fn at_line(self, line: u32) -> Self {
        self.is("/diagnostic/line", json!(line))
    }

    /// Everything that the answer is not, in words; empty when all is well.
    pub fn complaints(&self, answer: &Value) -> Vec<String> {
        let text =
            |pointer: &str| answer.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let mut complaints = Vec::new();
        let status = text("/status");
        if !self.statuses.iter().any(|expected| expected == status) {
            complaints.push(format!("status is {status:?}, not {:?}", self.statuses));
        }
        for (pointer, expected) in &self.fields {
            let found = answer.pointer(pointer).unwrap_or(&Value::Null);
            if found != expected {
                complaints.push(format!("{pointer} is {found}, not {expected}"));
            }
        }
        for (pointer, part) in &self.has {
            if !text(pointer).contains(part) {
                complaints.push(format!("{pointer} lacks {part:?}"));
            }
        }
        for (pointer, part) in &self.lacks {
            if text(pointer).contains(part) {
                complaints.push(format!("{pointer} has {part:?}"));
            }
        }
        complaints
    }

    /// Runs it; what is wrong with the answer, with the request and the answer, or `None`.
    pub async fn objection(&self, crucible: &Crucible) -> Option<String> {
        let path = "/v1/code_interpreter/run";
        let (http, answer) = crucible.call(Method::POST, path, Some(self.request.clone())).await;
        let complaints = self.complaints(&answer);
        (!complaints.is_empty()).then(|| {
            let request = shortened(&self.request);
            format!("{}\n    {request}\n    {http} {}", complaints.join("; "), shortened(&answer))
        })
    }
}

/// Runs all cases, `at_once` at a time, and fails with everything that is wrong.
pub async fn run_all(crucible: &'static Crucible, at_once: usize, cases: Vec<Case>) {
    let turns = Arc::new(Semaphore::new(at_once));
    let mut running = JoinSet::new();
    for case in cases {
        let turns = Arc::clone(&turns);
        running.spawn(async move {
            let _turn = turns.acquire().await.expect("it is never closed");
            case.objection(crucible).await
        });
    }
    let objections: Vec<String> = running.join_all().await.into_iter().flatten().collect();
    assert!(objections.is_empty(), "{}", objections.join("\n"));
}

/// JSON that fits a screen even where a megabyte was printed.
pub fn shortened(value: &Value) -> String {
    let mut text = value.to_string();
    if let Some((end, _)) = text.char_indices().nth(1500) {
        text.truncate(end);
        text.push('…');
    }
    text
}
