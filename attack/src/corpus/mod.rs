//! The attacks as data: the files in `attacks/`, which are part of this executable.
//!
//! ```text
//! attacks/<group>.toml ─▶ [[attack]] [[ordinary]] ─▶ Program   what is run, and what it may come to
//!                         [[request]]             ─▶ RequestAttack   what is sent, and how it is answered
//!                         [[crowd]]               ─▶ Crowd     what is run in many sandboxes at once
//! ```

mod crowd;
mod program;
mod request_attack;
mod request_template;

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::Deserialize;
use thiserror::Error;

pub use crowd::Crowd;
pub use program::{Denial, Expectation, Language, Program, Text};
pub use request_attack::{RequestAttack, Volley};
pub use request_template::{Actor, Body, Expected, RequestTemplate};

/// Every file of `attacks/`, by name without the extension; `build.rs` lists them.
const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/corpus.rs"));

/// One file.
#[derive(Debug)]
pub struct Group {
    /// The file's name.
    pub name: String,
    /// What it tries, and which walls have to hold.
    pub why: String,
    /// Its entries, in the file's order.
    pub entries: Vec<Entry>,
}

/// One attack, or one program that has to go on working.
#[derive(Debug)]
pub enum Entry {
    /// Something that is run.
    Program(Box<Program>),
    /// Something that is sent.
    Request(Box<RequestAttack>),
    /// Something that is run in many sandboxes at once.
    Crowd(Box<Crowd>),
}

/// A file that cannot be used.
#[derive(Debug, Error)]
pub enum CorpusError {
    /// It is not there.
    #[error("{path}: {source}")]
    File {
        /// Where it should be.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is not what `attacks/README.md` describes.
    #[error("{group}: {source}")]
    Malformed {
        /// The file's name.
        group: String,
        /// Where and what.
        source: Box<toml::de::Error>,
    },
    /// A finding must name one entry.
    #[error("two entries are called {0:?}")]
    SameName(String),
}

/// A file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    why: String,
    #[serde(default)]
    attack: Vec<program::Attack>,
    #[serde(default)]
    ordinary: Vec<program::Ordinary>,
    #[serde(default)]
    request: Vec<RequestAttack>,
    #[serde(default)]
    crowd: Vec<Crowd>,
}

impl Entry {
    /// Unique in the corpus.
    pub fn name(&self) -> &str {
        match self {
            Self::Program(program) => &program.name,
            Self::Request(request) => &request.name,
            Self::Crowd(crowd) => &crowd.name,
        }
    }

    /// What the counts are made of: the language, or `api`.
    pub fn language(&self) -> &'static str {
        match self {
            Self::Program(program) => program.language.name(),
            Self::Request(_) => "api",
            Self::Crowd(crowd) => crowd.language.name(),
        }
    }
}

/// Everything that is built in, and more files.
///
/// # Errors
/// [`CorpusError`], naming the file.
pub fn load(also: &[PathBuf]) -> Result<Vec<Group>, CorpusError> {
    let mut groups = Vec::new();
    for (name, text) in FILES {
        groups.push(parse(name, text)?);
    }
    for path in also {
        let read = std::fs::read_to_string(path);
        let text =
            read.map_err(|source| CorpusError::File { path: path.display().to_string(), source })?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        groups.push(parse(&name, &text)?);
    }
    let mut names = BTreeSet::new();
    for entry in groups.iter().flat_map(|group| &group.entries) {
        if !names.insert(String::from(entry.name())) {
            return Err(CorpusError::SameName(String::from(entry.name())));
        }
    }
    Ok(groups)
}

/// One file's text.
///
/// # Errors
/// [`CorpusError::Malformed`].
pub fn parse(name: &str, text: &str) -> Result<Group, CorpusError> {
    let File { why, attack, ordinary, request, crowd } =
        toml::from_str(text).map_err(|source| CorpusError::Malformed {
            group: String::from(name),
            source: Box::new(source),
        })?;
    let programs = attack.into_iter().map(Program::from);
    let programs = programs.chain(ordinary.into_iter().map(Program::from));
    let crowds = crowd.into_iter().map(|crowd| Entry::Crowd(Box::new(crowd)));
    let requests = request.into_iter().map(|request| Entry::Request(Box::new(request)));
    Ok(Group {
        name: String::from(name),
        why,
        entries: programs
            .map(|one| Entry::Program(Box::new(one)))
            .chain(requests)
            .chain(crowds)
            .collect(),
    })
}

/// Leaves those whose group is called `part`, whose name has it in it, or who re-enact the public escape
/// of that number.
pub fn only(groups: &mut Vec<Group>, part: &str) {
    let wanted = |entry: &Entry| {
        entry.name().contains(part)
            || matches!(entry, Entry::Program(program) if program.like.iter().any(|cve| cve == part))
    };
    for group in groups.iter_mut().filter(|group| group.name != part) {
        group.entries.retain(wanted);
    }
    groups.retain(|group| !group.entries.is_empty());
}

#[cfg(test)]
mod tests;
