//! A run, checked and complete.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::language::Language;
use crate::network::Policy;
use crate::sandbox::workspace::WorkspaceFile;

use super::artifacts::Patterns;
use super::input::Input;
use super::limits::RequestedLimits;

/// What somebody wants to run.
#[derive(Clone, Debug)]
pub struct Request {
    /// Unique; chosen by the caller.
    pub id: String,
    /// On whose behalf.
    pub owner: String,
    /// In which language.
    pub language: Language,
    /// The source text.
    pub code: String,
    /// What the program reads on standard input; nothing when empty. Where it stays open, nothing is here.
    pub stdin: Vec<u8>,
    /// Its standard input, where that stays open.
    pub input: Option<Arc<Input>>,
    /// Arguments of the program.
    pub args: Vec<String>,
    /// Variables added to its environment.
    pub env: BTreeMap<String, String>,
    /// Files to put into the workspace first.
    pub files: Vec<WorkspaceFile>,
    /// What it may reach, where it is in no session; absent for nothing.
    pub network: Option<Policy>,
    /// What it asks to be allowed.
    pub limits: RequestedLimits,
    /// For compilers.
    pub compiler_flags: Vec<String>,
    /// Which files are stored when it has ended; absent for none.
    pub collect: Option<Patterns>,
    /// Longer values of results, in bytes, are stored instead of sent; absent where all are sent.
    pub large_results: Option<usize>,
    /// In a session: whether it tells which files were changed.
    pub report_changes: bool,
}
