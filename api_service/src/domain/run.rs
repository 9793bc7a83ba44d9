//! A run that somebody asks for.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::domain::ids::{ContextId, SessionId};
use crate::domain::language::{LanguageFilter, LanguageName};
use crate::domain::limits::Limits;
use crate::domain::network::NetworkPolicy;
use crate::domain::wishes::Wishes;
use crate::domain::workspace::WorkspaceFile;

/// Longest code, in bytes.
pub const MAX_CODE: usize = 1 << 20;
/// Most files of a request.
pub const MAX_FILES: usize = 1000;
/// Most arguments of a request.
pub const MAX_ARGS: usize = 256;
/// Most environment variables of a request.
pub const MAX_ENV: usize = 256;
/// Longest argument or environment value, in bytes (the kernel's limit for one string).
pub const MAX_STRING: usize = 128 << 10;
/// Longest name of an environment variable, in bytes.
pub const MAX_ENV_NAME: usize = 255;
/// Most compiler flags of a request.
pub const MAX_COMPILER_FLAGS: usize = 64;
/// Longest compiler flag, in characters.
pub const MAX_COMPILER_FLAG: usize = 256;

/// Most bytes of standard input that are written at once to a run that goes on.
pub const MAX_INPUT: usize = 256 << 10;

/// A checked request to run code.
#[derive(Debug, Clone)]
pub struct RunRequest {
    /// In which session; `None` for a sandbox of its own.
    pub session: Option<SessionId>,
    /// In which of its contexts; `None` for its default one of the language.
    pub context: Option<ContextId>,
    /// In which language, by its name or an alias; a worker knows which it is. `None` only with a context, for its
    /// language.
    pub language: Option<LanguageName>,
    /// The code, not empty.
    pub code: String,
    /// Standard input: in full, or its beginning where it stays open.
    pub stdin: Vec<u8>,
    /// Whether standard input stays open for more.
    pub open_stdin: bool,
    /// Arguments of the program.
    pub args: Vec<String>,
    /// Its environment, beside what the language needs.
    pub env: BTreeMap<String, String>,
    /// Files to write first.
    pub files: Vec<WorkspaceFile>,
    /// What it may use.
    pub limits: Limits,
    /// Flags for the compiler; the worker has the last word.
    pub compiler_flags: Vec<String>,
    /// What it may reach, where it is in no session; absent for nothing.
    pub network: Option<NetworkPolicy>,
    /// What the answer is to hold.
    pub wishes: Wishes,
}

/// More for the standard input of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// The bytes, at most [`MAX_INPUT`].
    pub data: Vec<u8>,
    /// Whether they are the last.
    pub end: bool,
}

/// What this gateway lets requests ask for.
#[derive(Debug, Clone)]
pub struct RunRules {
    /// Time limit of a run that names none.
    pub default_timeout: Duration,
    /// Highest time limit of a run.
    pub max_timeout: Duration,
    /// Languages that the operator wants to offer.
    pub languages: LanguageFilter,
}
