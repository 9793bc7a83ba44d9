//! What is said beside the output.

use super::{ForModel, Kept, Material, line, plain};
use crate::domain::artifact::{Artifact, Changes, Collected, FileChange, Omitted};
use crate::domain::report::RichResult;

/// Most files of a kind that are named.
const NAMED: usize = 20;

impl Material<'_> {
    /// A line for each thing that a model should know; the traceback is one, unless `body` has it.
    pub(super) fn notes(&self, wish: ForModel, body: &str) -> Vec<String> {
        let mut notes = Vec::new();
        if self.outcome.results_omitted > 0 {
            let count = self.outcome.results_omitted;
            notes.push(format!("[{count} results left out: too many, or too large]"));
        }
        if let Some(collected) = &self.outcome.collected {
            self.collected(collected, wish, &mut notes);
        }
        notes.extend(self.outcome.changes.as_ref().and_then(changes));
        if self.outcome.state_lost {
            let told = "[the interpreter was restarted: variables are gone, files are not]";
            notes.push(told.to_owned());
        }
        let found = self.outcome.diagnostic.as_ref();
        if let Some(traceback) = found.and_then(|found| found.traceback.as_deref()) {
            let traceback = plain(traceback);
            let traceback = traceback.trim();
            if !traceback.is_empty() && !body.contains(traceback) {
                notes.push(traceback.to_owned());
            }
        }
        notes
    }

    fn collected(&self, collected: &Collected, wish: ForModel, notes: &mut Vec<String>) {
        let Collected { artifacts, omitted, truncated } = collected;
        notes.extend(artifacts.iter().take(NAMED).map(|one| self.artifact(one, wish)));
        notes.extend(omitted.iter().take(NAMED).map(not_collected));
        let unnamed = artifacts.len().saturating_sub(NAMED) + omitted.len().saturating_sub(NAMED);
        if unnamed > 0 {
            let all = (wish.address)(self.id, Kept::Execution);
            notes.push(format!("[{unnamed} more files; see {all}]"));
        }
        if *truncated {
            notes.push("[not all files of the workspace were looked at]".to_owned());
        }
    }

    fn artifact(&self, artifact: &Artifact, wish: ForModel) -> String {
        let Artifact { path, size, until: _ } = artifact;
        let address = (wish.address)(self.id, Kept::Artifact(path));
        line(&format!("[file {path}, {size} bytes: {address}]"))
    }

    /// A result as text, and what it has beside that by name.
    pub(super) fn shown(&self, result: &RichResult, wish: ForModel) -> String {
        let RichResult { mime, stored, is_main_result: _ } = result;
        let mut lines = Vec::new();
        let text = ["text/plain", "text/markdown", "text/latex", "application/json", "text/html"];
        let text = text.into_iter().find_map(|kind| mime.get(kind));
        lines.extend(text.map(|text| plain(text)));
        // Another way to write the same text is no news.
        for (kind, data) in mime.iter().filter(|(kind, _)| !is_text(kind)) {
            let words = (self.in_words)(kind, data);
            let words = words.unwrap_or_else(|| format!("{kind}, {} bytes", length(kind, data)));
            if words.is_empty() {
                continue;
            }
            let at = (wish.address)(self.id, Kept::Execution);
            lines.push(line(&format!("[{words}; see results of {at}]")));
        }
        for (kind, artifact) in stored {
            let Artifact { path, size, until: _ } = artifact;
            let address = (wish.address)(self.id, Kept::Artifact(path));
            lines.push(line(&format!("[{kind}, {size} bytes: {address}]")));
        }
        lines.join("\n")
    }
}

fn is_text(kind: &str) -> bool {
    kind.starts_with("text/") || kind == "application/json"
}

/// How many bytes a value has: JSON and XML are text, and so much base64 means fewer.
fn length(kind: &str, data: &str) -> usize {
    if kind.ends_with("+json") || kind.ends_with("+xml") {
        return data.len();
    }
    let base64 = data;
    let padding = base64.bytes().rev().take(2).filter(|byte| *byte == b'=').count();
    (base64.len() / 4 * 3).saturating_sub(padding)
}

fn not_collected(omitted: &Omitted) -> String {
    let Omitted { path, size, reason } = omitted;
    line(&format!("[not collected: {path}, {size} bytes: {}]", reason.name().replace('_', " ")))
}

fn changes(changes: &Changes) -> Option<String> {
    let Changes { files, truncated } = changes;
    let named = files.iter().take(NAMED).map(|file| {
        let FileChange { path, change, size } = file;
        let size = size.map_or_else(String::new, |size| format!(" ({size} bytes)"));
        line(&format!("{} {path}{size}", change.name()))
    });
    let named: Vec<String> = named.collect();
    let more = files.len() - named.len();
    let more = match (more, truncated) {
        (0, false) => String::new(),
        (more, false) => format!(", and {more} more"),
        (_, true) => ", and more".to_owned(),
    };
    (!named.is_empty()).then(|| format!("[files: {}{more}]", named.join(", ")))
}
