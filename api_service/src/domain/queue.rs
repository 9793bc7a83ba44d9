//! The worker's queue, as a caller is told of it.

/// Where a run would have stood that was not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueuePlace {
    /// Whose turn it would have been: 1 is next.
    pub position: u64,
    /// Those who wait in that queue.
    pub length: u64,
}
