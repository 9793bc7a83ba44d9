//! What a worker tells about a run while it goes on.

use std::sync::Arc;

use bytes::Bytes;

use crate::domain::report::{Outcome, RichResult};

/// One event; an [`Event::Outcome`] is the last.
#[derive(Debug, Clone)]
pub enum Event {
    /// The run was accepted and begins.
    Started,
    /// The program wrote something.
    Output {
        /// Where to.
        stream: OutputStream,
        /// Position of the first byte in the whole stream.
        offset: u64,
        /// The bytes.
        data: Bytes,
    },
    /// The program displayed something.
    Result(Arc<RichResult>),
    /// The program ended.
    Outcome(Box<Outcome>),
}

impl Event {
    /// Roughly what it takes in memory, in bytes.
    pub fn size(&self) -> usize {
        const OVERHEAD: usize = 64;
        match self {
            Self::Started | Self::Outcome(_) => OVERHEAD,
            Self::Output { data, .. } => OVERHEAD + data.len(),
            Self::Result(result) => OVERHEAD + result.size(),
        }
    }
}

/// The two streams of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputStream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

impl OutputStream {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }

    /// By its name.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Stdout, Self::Stderr].into_iter().find(|stream| stream.name() == text)
    }
}
