//! What one run may use.

use std::time::Duration;

/// Limits as a request or a worker states them; `None` means the worker's default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits {
    /// Wall-clock time.
    pub wall: Option<Duration>,
    /// Processor time, summed over all processes.
    pub cpu: Option<Duration>,
    /// Memory of all processes together, in bytes.
    pub memory_bytes: Option<u64>,
    /// Processes and threads at once.
    pub processes: Option<u32>,
    /// Size of everything writable, in bytes.
    pub disk_bytes: Option<u64>,
    /// Files and directories in everything writable.
    pub inodes: Option<u64>,
    /// Bytes kept of each of stdout and stderr.
    pub output_bytes: Option<u64>,
    /// Open files of one process.
    pub open_files: Option<u32>,
}
