//! What a worker tells about a run while it goes on.

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
        data: Vec<u8>,
    },
    /// The program displayed something.
    Result(RichResult),
    /// The program ended.
    Outcome(Box<Outcome>),
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
