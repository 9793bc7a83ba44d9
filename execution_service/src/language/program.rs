//! A program to run, as languages see it.

use std::collections::BTreeMap;

use super::request_place::RequestPlace;
use crate::sandbox::workspace::WorkspaceFile;

/// What a request says of its program.
#[derive(Clone, Copy, Debug)]
pub struct Program<'a> {
    /// The source text.
    pub code: &'a str,
    /// Arguments of the program.
    pub args: &'a [String],
    /// Variables added to its environment.
    pub env: &'a BTreeMap<String, String>,
    /// Path inside the sandbox of what it reads on standard input.
    pub stdin: Option<&'a str>,
    /// Those that were put into the workspace for it.
    pub files: &'a [WorkspaceFile],
    /// For compilers; checked by [`Language::check_compiler_flags`](super::Language::check_compiler_flags).
    pub compiler_flags: &'a [String],
    /// Absolute path inside the sandbox. An interpreter that has been started already stays where it is.
    pub working_directory: &'a str,
    /// Where its files are handed over.
    pub place: RequestPlace,
}

/// Whether a kernel runs one program or keeps state over many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// One program; then the process ends as the language would end it.
    Once,
    /// A session: the process lives on.
    Session,
}
