//! What is remembered of connections: never what went over them.

use serde::{Deserialize, Serialize};

/// Records that are kept of one session; older ones go, and are counted.
pub const MOST_RECORDS: usize = 256;

/// One connection, or one plain request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// When it ended, or was refused: Unix time, milliseconds.
    pub at_ms: u64,
    /// As it was asked for, in its canonical form; at most 255 characters.
    pub host: String,
    /// 1 to 65,535.
    pub port: u16,
    /// Bytes that went out.
    pub sent: u64,
    /// Bytes that came.
    pub received: u64,
    /// What became of it.
    pub verdict: Verdict,
}

/// What became of a connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// It was made, and is over.
    Allowed,
    /// It was made and cut off by a limit or a change of the policy: by that.
    Cut(String),
    /// It was not made, by this rule.
    Refused(String),
    /// It was allowed and could not be made.
    Failed(String),
}
