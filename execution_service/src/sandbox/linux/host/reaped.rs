//! The sum of what ended processes have used.

use std::time::Duration;

use crate::sandbox::backend::ProcessEnd;

/// What processes that are gone have used.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reaped {
    /// Time of all of them.
    pub cpu: Duration,
    /// Memory of the largest.
    pub largest: u64,
}

impl Reaped {
    /// One more is gone.
    pub fn add(&mut self, end: ProcessEnd) {
        // Told by somebody who may make it up.
        self.cpu = self.cpu.saturating_add(end.cpu);
        self.largest = self.largest.max(end.peak_memory_bytes);
    }
}
