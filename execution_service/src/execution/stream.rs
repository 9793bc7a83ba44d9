//! The two output streams of a program, and how much went through them.

use std::time::SystemTime;

/// One of the two output streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stream {
    /// Descriptor 1.
    Stdout,
    /// Descriptor 2.
    Stderr,
}

/// How much there was of a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StreamTotals {
    /// Everything that was written.
    pub bytes: u64,
    /// Whether a part was left out.
    pub truncated: bool,
    /// What can be had of it later; absent when that is nothing beyond the answer.
    pub stored: Option<Stored>,
}

/// A stream that is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    /// How many of its bytes, from the first one on.
    pub bytes: u64,
    /// Until when, unless room is needed before.
    pub until: SystemTime,
}
