//! The languages that gcc's drivers compile. What is true of all of them is here; what one of them
//! is, a [`Dialect`], is in its own folder.
//!
//! ```text
//! dialect ──▶ compile     the command; sources: which files are compiled along
//!         ├─▶ flags       what a request may give
//!         ├─▶ diagnose    what the compiler said; hints: what to do about it
//!         └─▶ last_words  what a program said when a signal or a sanitizer ended it
//! discovery               is everything installed that such a language needs?
//! ```

mod compile;
mod diagnose;
pub mod discovery;
pub mod flags;
mod hints;
mod last_words;
mod place;
mod sources;

use crate::language::compiler_flags::CompilerFlags;

/// A language, as one of gcc's drivers has it.
#[derive(Debug)]
pub struct Dialect {
    /// Where the text of a request is put.
    pub source_file: &'static str,
    /// How the names of its other sources end.
    pub endings: &'static [&'static str],
    /// Flags that requests may give.
    pub flags: CompilerFlags,
    /// Whether a program of this text alone may need the mathematical library named. A driver that always
    /// links it needs nothing.
    pub needs_libm: fn(source: &str, flags: &[String]) -> bool,
    /// Whether it is C++ rather than C.
    pub is_cpp: bool,
}
