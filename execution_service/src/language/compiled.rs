//! Languages that are *compiled* for every run: a command that makes a file, then one that runs it.

use super::compiler_flags::CompilerFlags;
use super::diagnostic::Diagnostic;
use super::program::Program;
use crate::sandbox::spec::{Command, Exit};

/// A compiled language.
pub trait CompiledLanguage: Send + Sync {
    /// Where the source goes in the workspace.
    fn source_file(&self) -> &'static str;

    /// Where the compiler leaves what it made, in the request directory.
    fn executable_file(&self) -> &'static str;

    /// Flags that a request may give the compiler.
    fn flags(&self) -> &CompilerFlags;

    /// Compiles it with `executable`. Nothing of a program but its source, its files and its flags has a part
    /// in this: what was made of the same three is used again.
    fn compile(&self, executable: &str, program: Program<'_>) -> Command;

    /// Runs what was compiled; `executable` is the compiler, for a language whose programs need it again.
    fn run(&self, executable: &str, program: Program<'_>) -> Command;

    /// Reads what the compiler said, when it failed.
    fn diagnose(&self, compiler_output: &str) -> Diagnostic;

    /// Reads what the program said last on standard error, when it ended so: more than a status or a signal
    /// says of itself. It decides nothing but the words, because a program can print anything.
    fn explain(&self, _exit: Exit, _last_words: &str) -> Option<Diagnostic> {
        None
    }
}
