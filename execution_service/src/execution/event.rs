//! What a run says while it goes on.

use std::collections::BTreeMap;

use super::artifacts::Artifact;
use super::outcome::Outcome;
use super::stream::Stream;

/// One thing that happened. An [`Event::Outcome`] is always the last.
#[derive(Clone, Debug)]
pub enum Event {
    /// The run has a sandbox and begins.
    Started,
    /// The program wrote something.
    Output {
        /// Where.
        stream: Stream,
        /// Position of the first byte in the whole stream. A jump means bytes left out.
        offset: u64,
        /// What.
        data: Vec<u8>,
    },
    /// A rich value. One without representations takes the place of all that was shown before.
    Result(RichResult),
    /// How it ended.
    Outcome(Box<Outcome>),
}

/// A value in one or more representations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RichResult {
    /// By MIME type; binary ones are base64.
    pub mime: BTreeMap<String, String>,
    /// Those that are stored instead, by MIME type as well.
    pub stored: BTreeMap<String, Artifact>,
    /// Whether it is the value of the last expression.
    pub is_main_result: bool,
}
