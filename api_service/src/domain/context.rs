//! The interpreters of a session.

use std::collections::BTreeMap;

use crate::domain::ids::ContextId;
use crate::domain::language::LanguageName;
use crate::domain::workspace::WorkspacePath;

/// A checked request for a context.
#[derive(Debug, Clone)]
pub struct NewContext {
    /// Its language.
    pub language: LanguageName,
    /// Where its programs begin; absent for the workspace itself.
    pub directory: Option<WorkspacePath>,
    /// Environment of what runs in it, beside the session's.
    pub env: BTreeMap<String, String>,
}

/// A context as the worker sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// Which.
    pub id: ContextId,
    /// What it runs.
    pub language: LanguageName,
    /// How it is.
    pub state: ContextState,
    /// Where its programs begin, below the workspace; empty for the workspace itself.
    pub directory: String,
}

/// How a context is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContextState {
    /// The next run starts its interpreter.
    New,
    /// The next run can begin.
    Idle,
    /// A run goes on.
    Busy,
    /// Its interpreter has ended by itself; the next run starts another one.
    Lost,
}

impl ContextState {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::New, Self::Idle, Self::Busy, Self::Lost];

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Idle => "idle",
            Self::Busy => "busy",
            Self::Lost => "lost",
        }
    }
}
