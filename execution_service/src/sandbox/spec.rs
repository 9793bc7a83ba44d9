//! What a sandbox and a process in it are asked to be: pure data, shared by every backend.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::workspace::WorkspacePath;

/// The workspace inside every sandbox: home, working directory, the one place users see as theirs.
pub const WORKSPACE: &str = "/home/user";
/// Where the worker leaves request files and FIFOs for a kernel, inside the sandbox.
pub const REQUEST_DIR: &str = "/run/crucible";
/// Where the kernels' own sources are, read-only, inside the sandbox.
pub const RUNTIMES_DIR: &str = "/opt/crucible/runtimes";

/// Programs of ours that a sandbox has beside those of the system, found last.
pub const PROGRAMS_DIR: &str = "/opt/crucible/runtimes/bin";

/// The worker's own executable, inside the sandbox: there it is what translates TypeScript.
pub const OWN_EXECUTABLE: &str = "/opt/crucible/worker";

/// Locks on files that all processes of a sandbox may hold: 2 MB of the kernel's memory, which no limit includes.
/// A database takes some few.
pub const MOST_LOCKS: u64 = 10_000;

/// Open files that all processes of a sandbox may have. Also whatever locks belong to open files and to no process that
/// lives, and are therefore in nobody's list, are no more than these.
pub const MOST_OPEN_FILES: u64 = 16_384;

/// Open files that all sandboxes of one owner may have: those of eight with as many as there may be.
pub const MOST_OPEN_FILES_OF_OWNER: u64 = 8 * MOST_OPEN_FILES;

/// What a sandbox is asked to be when it is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SandboxSpec {
    /// What it may use.
    pub limits: SandboxLimits,
    /// What it can reach outside of itself.
    pub network: NetworkPolicy,
    /// What it must see of the host beside the system's own directories.
    pub mounts: Vec<Mount>,
}

impl SandboxSpec {
    /// A sandbox that reaches nothing and needs no mounts of its own.
    pub fn closed(limits: SandboxLimits) -> Self {
        Self { limits, network: NetworkPolicy::Closed, mounts: Vec::new() }
    }
}

/// What a sandbox can reach outside of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetworkPolicy {
    /// Nothing: it has its own loopback interface and no other.
    Closed,
}

/// A directory of the host that a sandbox sees, read-only and at the same path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// Absolute, and the same inside and outside.
    pub path: PathBuf,
}

/// What one sandbox may use. The wall and output limits belong to a run, not to a sandbox, and live
/// in [`crate::execution::limits::Limits`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SandboxLimits {
    /// Everything that its processes hold, tmpfs and shared memory included, in bytes.
    pub memory_bytes: u64,
    /// Processes and threads at once, init not counted.
    pub processes: u32,
    /// Workspace, `/tmp` and `/dev/shm` together, in bytes.
    pub disk_bytes: u64,
    /// Files and directories in them.
    pub inodes: u64,
    /// Descriptors of one process.
    pub open_files: u32,
    /// CPU quota in thousandths of a core.
    pub milli_cpus: u32,
}

impl SandboxLimits {
    /// Of each the larger one.
    #[must_use]
    pub fn larger_of(self, other: Self) -> Self {
        Self {
            memory_bytes: self.memory_bytes.max(other.memory_bytes),
            processes: self.processes.max(other.processes),
            disk_bytes: self.disk_bytes.max(other.disk_bytes),
            inodes: self.inodes.max(other.inodes),
            open_files: self.open_files.max(other.open_files),
            milli_cpus: self.milli_cpus.max(other.milli_cpus),
        }
    }

    /// Whether none of them is more than that of `most`.
    pub fn are_within(self, most: Self) -> bool {
        let Self { memory_bytes, processes, disk_bytes, inodes, open_files, milli_cpus } = self;
        memory_bytes <= most.memory_bytes
            && processes <= most.processes
            && disk_bytes <= most.disk_bytes
            && inodes <= most.inodes
            && open_files <= most.open_files
            && milli_cpus <= most.milli_cpus
    }
}

/// What sandboxes hold, or may hold, of what one machine has once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Footprint {
    /// Bytes.
    pub memory_bytes: u64,
    /// Processes and threads.
    pub processes: u64,
}

impl Footprint {
    /// What a sandbox with `limits` may come to.
    pub fn of(limits: SandboxLimits) -> Self {
        Self { memory_bytes: limits.memory_bytes, processes: u64::from(limits.processes) }
    }

    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            memory_bytes: self.memory_bytes.saturating_add(other.memory_bytes),
            processes: self.processes.saturating_add(other.processes),
        }
    }

    /// What is left of it without `other`.
    #[must_use]
    pub fn less(self, other: Self) -> Self {
        Self {
            memory_bytes: self.memory_bytes.saturating_sub(other.memory_bytes),
            processes: self.processes.saturating_sub(other.processes),
        }
    }

    /// Of each the larger one.
    #[must_use]
    pub fn larger_of(self, other: Self) -> Self {
        Self {
            memory_bytes: self.memory_bytes.max(other.memory_bytes),
            processes: self.processes.max(other.processes),
        }
    }

    /// Of each the smaller one.
    #[must_use]
    pub fn smaller_of(self, other: Self) -> Self {
        Self {
            memory_bytes: self.memory_bytes.min(other.memory_bytes),
            processes: self.processes.min(other.processes),
        }
    }

    /// The part of each of `count`, of all of it where there is none.
    #[must_use]
    pub fn divided_by(self, count: u64) -> Self {
        let count = count.max(1);
        Self { memory_bytes: self.memory_bytes / count, processes: self.processes / count }
    }

    /// So many hundredths of it.
    #[must_use]
    pub fn hundredths(self, count: u64) -> Self {
        let part = |of: u64| of.saturating_mul(count) / 100;
        Self { memory_bytes: part(self.memory_bytes), processes: part(self.processes) }
    }

    /// Whether neither is more than that of `most`.
    pub fn is_within(self, most: Self) -> bool {
        self.memory_bytes <= most.memory_bytes && self.processes <= most.processes
    }

    /// Of memory and processes, the larger part that this is of `whole`.
    pub fn largest_part_of(self, whole: Self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "it is only compared")]
        let part = |of: u64, all: u64| of as f64 / all.max(1) as f64;
        part(self.memory_bytes, whole.memory_bytes).max(part(self.processes, whole.processes))
    }
}

/// A process to start inside a sandbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// Absolute path, inside the sandbox.
    pub program: String,
    /// Arguments, without the program's own name.
    pub args: Vec<String>,
    /// The whole environment; nothing is inherited.
    pub env: BTreeMap<String, String>,
    /// Absolute path, inside the sandbox.
    pub working_directory: String,
    /// Where descriptor 0 leads.
    pub stdin: Stdin,
    /// How the process and the worker speak to each other beside the standard streams.
    pub control: ControlChannel,
}

/// The control channel of a process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ControlChannel {
    /// It has none.
    None,
    /// Two pipes: the process reads descriptor 3 and writes descriptor 4.
    Pipes,
    /// Two FIFOs in the request directory, for a process that opens them by name. They are held open both
    /// ways, so that one which opens and closes them around every message never sees (or causes) an end
    /// of file.
    Fifos {
        /// The process reads.
        incoming: WorkspacePath,
        /// The process writes.
        outgoing: WorkspacePath,
    },
}

/// Where a process's standard input comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stdin {
    /// `/dev/null`.
    Null,
    /// A file, by its absolute path inside the sandbox.
    File(String),
    /// A pipe that stays open for as long as the worker holds the other end:
    /// [`Process::stdin`](super::backend::Process::stdin).
    Pipe,
    /// A terminal, which descriptors 1 and 2 are as well and which controls the process's session:
    /// [`Process::terminal`](super::backend::Process::terminal). Such a process has no control channel.
    Terminal(TerminalSize),
}

/// How many characters a terminal shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TerminalSize {
    /// Lines.
    pub rows: u16,
    /// Characters in a line.
    pub columns: u16,
}

/// How a process ended, as the kernel reported it to its parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Exit {
    /// It called `exit`.
    Code(i32),
    /// A signal ended it.
    Signal(i32),
}

/// What a sandbox has used so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// User and system time of all its processes.
    pub cpu: Duration,
    /// Memory now; only where there is no cgroup to limit it.
    pub memory_bytes: u64,
    /// Highest amount of memory since the last reset.
    pub peak_memory_bytes: u64,
    /// Highest number of processes at once, init not counted.
    pub peak_processes: u32,
    /// Bytes in the workspace, `/tmp` and `/dev/shm` now.
    pub disk_bytes: u64,
    /// True when not one more block or inode is free.
    pub disk_full: bool,
    /// How many times the kernel killed a process of it for lack of memory.
    pub oom_kills: u64,
    /// How many times a process could not be made because the limit was reached.
    pub fork_refusals: u64,
    /// False when user code kept those from answering who alone can tell a part of it: that is then what
    /// it was when they last did.
    pub whole: bool,
}
