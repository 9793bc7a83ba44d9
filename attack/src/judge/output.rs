//! All that a program has given back, over all of its steps.

use serde_json::Value;

use super::{Rule, Violation};

/// A line that begins like this says that an attack got through.
const ACHIEVED: &str = "ACHIEVED ";

/// All that a program has given back.
#[derive(Clone, Debug, Default)]
pub struct Output {
    /// How the last step ended, or the code of the refusal to run it.
    pub status: String,
    /// Standard output of all steps.
    pub stdout: String,
    /// Standard error of all steps.
    pub stderr: String,
    /// Every string of every answer: streams, results, diagnostics and whatever is added to them.
    pub texts: Vec<String>,
}

impl Output {
    /// Takes in one step's answer, which is a refusal if the status is not 200.
    pub fn absorb(&mut self, answer: &Value) {
        let text = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or_default();
        // A problem document has a code where an answer has the status of the run.
        let status = if answer["status"].is_string() { text("status") } else { text("code") };
        self.status = String::from(status);
        self.stdout.push_str(text("stdout"));
        self.stderr.push_str(text("stderr"));
        collect(answer, &mut self.texts);
    }

    /// Lines of both streams that say that the attack got through.
    pub(super) fn achieved(&self) -> impl Iterator<Item = Violation> {
        let lines = lines(&self.stdout).chain(lines(&self.stderr));
        lines
            .filter(|line| line.starts_with(ACHIEVED))
            .map(|line| Violation::new(Rule::Achieved, "that the attack gets nowhere", line))
    }

    /// Parts that standard output lacks.
    pub(super) fn lacks(&self, parts: &[String]) -> impl Iterator<Item = Violation> {
        parts.iter().filter(|part| !self.stdout.contains(*part)).map(|part| {
            Violation::new(Rule::Printed, format!("{part:?} on standard output"), &self.stdout)
        })
    }

    /// Parts that must be nowhere and are somewhere.
    pub(super) fn shows(&self, parts: &[String]) -> impl Iterator<Item = Violation> {
        let shown = |part: &String| self.texts.iter().find(|text| text.contains(part.as_str()));
        parts.iter().filter_map(move |part| {
            Some(Violation::new(Rule::Hidden, format!("nothing like {part:?}"), shown(part)?))
        })
    }
}

/// The lines of a terminal: a carriage return begins one, too.
pub(super) fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split(['\n', '\r'])
}

fn collect(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::String(text) => texts.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| collect(item, texts)),
        Value::Object(fields) => {
            for (name, field) in fields {
                texts.push(name.clone());
                collect(field, texts);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
