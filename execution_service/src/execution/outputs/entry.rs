//! What a stored file is called.

use crate::execution::stream::Stream;
use crate::sandbox::files::FilePath;

/// Files are numbered in the order in which they were begun, which is that of their age.
pub(super) type Number = u64;

/// What was written where.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Name {
    pub(super) execution: String,
    pub(super) kept: Kept,
}

/// Something that is kept of a run.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Kept {
    /// All that it wrote to a stream.
    Stream(Stream),
    /// A file that it has left.
    Artifact(FilePath),
}

/// A file that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) number: Number,
    pub(super) bytes: u64,
    pub(super) total: u64,
    /// Otherwise it is still being written, and `bytes` is not the last word.
    pub(super) complete: bool,
}
