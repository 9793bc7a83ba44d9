//! What there is to say of one wall.

use super::Host;
use crate::sandbox::isolation::{Need, WallState};

/// One wall.
pub struct Row {
    /// Short and stable.
    pub wall: &'static str,
    /// Whether there is a service without it.
    pub need: Need,
    /// For the operator, in a line.
    pub tried: &'static str,
    /// Attempts by name, and what must come of each.
    pub evidence: &'static [(&'static str, Must)],
    /// The steps of building a sandbox that fail where this cannot be had.
    pub stages: &'static [&'static str],
    /// What there is instead on a host that is known not to allow it.
    pub instead: fn(&Host) -> Option<(WallState, String)>,
    /// What the operator of this host can do.
    pub remedy: fn() -> String,
}

/// What must come of an attempt.
#[derive(Clone, Copy, Debug)]
pub enum Must {
    /// The kernel refuses it with one of these numbers.
    BeRefused(&'static [i32]),
    /// One of these signals ends it.
    BeKilled(&'static [i32]),
    /// It ends by SIGKILL, or is refused with one of these numbers.
    BeStopped(&'static [i32]),
    /// One of these is what is seen.
    Show(&'static [&'static str]),
    /// Something else is seen than what the worker sees of itself.
    Differ,
    /// So much is counted.
    AtLeast(u64),
    /// No more is counted.
    AtMost(u64),
    /// It goes well.
    Succeed,
}
