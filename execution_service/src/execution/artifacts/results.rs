//! Values of results that are too large to stand in an answer.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::Artifact;
use crate::execution::event::RichResult;
use crate::execution::outputs::{Kept, Outputs};
use crate::sandbox::files::FilePath;

/// Stores large values, as files of the run that displays them.
pub struct LargeResults {
    store: Arc<Outputs>,
    execution: String,
    owner: String,
    /// Longer values, in bytes as they would be sent.
    above: usize,
    names: Mutex<BTreeSet<FilePath>>,
}

impl LargeResults {
    /// Of `owner`'s run `execution`: values of more than `above` bytes.
    pub fn new(store: &Arc<Outputs>, execution: &str, owner: &str, above: usize) -> Self {
        Self {
            store: Arc::clone(store),
            execution: String::from(execution),
            owner: String::from(owner),
            above,
            names: Mutex::default(),
        }
    }

    /// The result, which is the run's `number`th, without its large values; with those for which there is no
    /// room.
    pub fn lighten(&self, mut result: RichResult, number: usize) -> RichResult {
        let large = |(_, value): &(&String, &String)| value.len() > self.above;
        let kinds: Vec<String> =
            result.mime.iter().filter(large).map(|(kind, _)| kind.clone()).collect();
        for kind in kinds {
            let Some(value) = result.mime.remove(&kind) else { continue };
            match self.keep(&kind, &value, number) {
                Some(artifact) => drop(result.stored.insert(kind, artifact)),
                None => drop(result.mime.insert(kind, value)),
            }
        }
        result
    }

    /// The names that were given away.
    pub fn names(&self) -> BTreeSet<FilePath> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep(&self, kind: &str, value: &str, number: usize) -> Option<Artifact> {
        let (extension, is_text) = extension(kind);
        let path = format!(".results/{number}.{extension}");
        let path = FilePath::parse(path.into_bytes()).ok()?;
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        if names.contains(&path) {
            return None;
        }
        let data = if is_text { Vec::from(value) } else { decoded(value)? };
        let size = u64::try_from(data.len()).ok()?;
        let kept = Kept::Artifact(path.clone());
        let until = self.store.keep_behind(&self.execution, kept, &self.owner, data)?;
        names.insert(path.clone());
        Some(Artifact { path, size, until })
    }
}

/// The bytes that some base64 means, which may be broken into lines.
fn decoded(value: &str) -> Option<Vec<u8>> {
    let joined: Vec<u8> = value.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    STANDARD.decode(joined).ok()
}

/// How the names of such files end, and whether their values are text.
fn extension(kind: &str) -> (&'static str, bool) {
    match kind {
        "image/png" => ("png", false),
        "image/jpeg" => ("jpg", false),
        "image/gif" => ("gif", false),
        "image/webp" => ("webp", false),
        "application/pdf" => ("pdf", false),
        "image/svg+xml" => ("svg", true),
        "application/json" => ("json", true),
        "application/vnd.crucible.chart+json" => ("chart.json", true),
        "application/vnd.crucible.table+json" => ("table.json", true),
        "text/html" => ("html", true),
        "text/csv" => ("csv", true),
        "text/latex" => ("tex", true),
        "text/markdown" => ("md", true),
        text if text.starts_with("text/") => ("txt", true),
        // Of an application's own kinds nobody knows which are base64.
        _ => ("data", true),
    }
}
