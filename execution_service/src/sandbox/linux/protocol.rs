//! What worker, spawner and init say to each other.
//!
//! ```text
//! worker ──ToSpawner──▶ spawner        one reply for each request, by its number
//! worker ──ToInit─────▶ init           one reply for each request, by its number,
//! worker ◀─FromInit──── init           and reports of ended processes in between
//! spawner ─SetUp──────▶ init (once)    what to become
//! ```

use std::io;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::sandbox::backend::Place;
use crate::sandbox::isolation::Isolation;
use crate::sandbox::spec::{Command, Exit, SandboxLimits, Usage};

/// Numbers a request, so that its reply finds its way.
pub type Sequence = u64;
/// Names a sandbox between worker and spawner.
pub type SandboxId = u64;

/// A request to the spawner.
#[derive(Debug, Serialize, Deserialize)]
pub struct ToSpawner {
    /// Comes back in the reply.
    pub sequence: Sequence,
    /// What is wanted.
    pub request: SpawnerRequest,
}

/// What the spawner can do.
#[derive(Debug, Serialize, Deserialize)]
pub enum SpawnerRequest {
    /// Make a sandbox. The reply carries the worker's end of init's socket.
    Create { limits: SandboxLimits },
    /// Change its limits where they differ and reset its peak counters.
    Prepare { sandbox: SandboxId, limits: SandboxLimits },
    /// Tell what it has used.
    Usage { sandbox: SandboxId },
    /// Kill its init, and with it everything inside. Its account can still be asked for.
    Kill { sandbox: SandboxId },
    /// Kill it if it lives, and forget it; the reply comes when nothing is left.
    End { sandbox: SandboxId },
}

/// The spawner's answer.
#[derive(Debug, Serialize, Deserialize)]
pub struct FromSpawner {
    /// Of the request; 0 for [`SpawnerReply::Ready`].
    pub sequence: Sequence,
    /// What came of it.
    pub reply: SpawnerReply,
}

/// What came of a request.
#[derive(Debug, Serialize, Deserialize)]
pub enum SpawnerReply {
    /// Sent once, unasked: a first sandbox could be made, and these are its walls.
    Ready { isolation: Isolation },
    /// A sandbox exists; its init reports on its own when the set-up is done.
    Created { sandbox: SandboxId },
    /// Done.
    Done,
    /// As asked.
    Usage(CgroupUsage),
    /// Nothing of it is left.
    Ended,
    /// Could not be done.
    Failed(Failure),
}

/// What the cgroup of a sandbox says; without cgroups everything is absent.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct CgroupUsage {
    /// User and system time.
    pub cpu: Option<Duration>,
    /// Since the last reset.
    pub peak_memory_bytes: Option<u64>,
    /// Init included.
    pub peak_processes: Option<u32>,
    /// Processes killed for lack of memory.
    pub oom_kills: u64,
    /// Forks refused.
    pub fork_refusals: u64,
}

/// A step that failed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Failure {
    /// The step, in words.
    pub stage: String,
    /// The error number.
    pub errno: i32,
}

impl Failure {
    /// Of `error` at `stage`.
    pub fn at(stage: &str, error: &io::Error) -> Self {
        Self { stage: String::from(stage), errno: error.raw_os_error().unwrap_or(libc::EIO) }
    }

    /// As the standard error type.
    pub fn error(&self) -> io::Error {
        io::Error::from_raw_os_error(self.errno)
    }
}

/// What the spawner tells a new init, once its user namespace and cgroup are in place.
#[derive(Debug, Serialize, Deserialize)]
pub struct SetUp {
    /// The limits it must put on itself.
    pub limits: SandboxLimits,
}

/// A request to init.
#[derive(Debug, Serialize, Deserialize)]
pub struct ToInit {
    /// Comes back in the reply.
    pub sequence: Sequence,
    /// What is wanted.
    pub request: InitRequest,
}

/// What init can do.
#[derive(Debug, Serialize, Deserialize)]
pub enum InitRequest {
    /// Start a process; the reply carries the other ends of its descriptors 1, 2 and perhaps 3.
    Start { command: Command },
    /// Write a piece of a file: the first one makes or empties it, the others append.
    Write { place: Place, path: String, first: bool, chunk: Vec<u8> },
    /// Make a FIFO in the request directory and open it for both reading and writing; the reply
    /// carries the descriptor.
    Fifo { path: String },
    /// Signal a process started here, and its group.
    Signal { pid: i32, signal: i32 },
    /// Kill everything but init.
    KillAll,
    /// Tell what the workspace and, if asked, the live processes hold.
    Usage { processes: bool },
}

/// From init to the worker.
#[derive(Debug, Serialize, Deserialize)]
pub enum FromInit {
    /// Sent once: the sandbox is closed and can be used.
    Ready,
    /// Sent once instead: the set-up failed, and init is gone.
    SetUpFailed(Failure),
    /// The answer to a request.
    Reply { sequence: Sequence, reply: InitReply },
    /// A process started here has ended.
    Ended { pid: i32, exit: Exit, cpu: Duration },
}

/// What came of a request.
#[derive(Debug, Serialize, Deserialize)]
pub enum InitReply {
    /// The process runs.
    Started { pid: i32 },
    /// Done; with a descriptor where one was asked for.
    Done,
    /// As asked.
    Usage(InitUsage),
    /// Could not be done.
    Failed(Failure),
}

/// What init can see from inside.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct InitUsage {
    /// Bytes of the workspace's file system in use.
    pub disk_bytes: u64,
    /// No block or no inode is free.
    pub disk_full: bool,
    /// Processes now, init not counted.
    pub processes: u32,
    /// Sum of the resident memory of the processes now, and of what the workspace holds.
    pub memory_bytes: u64,
    /// Largest resident memory of one process among those that have ended.
    pub largest_ended: u64,
    /// Time of the live processes and of those reaped so far.
    pub cpu: Duration,
}

/// Turns what the two observers saw into one account.
pub fn account(cgroup: CgroupUsage, init: InitUsage) -> Usage {
    Usage {
        cpu: cgroup.cpu.unwrap_or(init.cpu),
        memory_bytes: init.memory_bytes,
        peak_memory_bytes: cgroup
            .peak_memory_bytes
            .unwrap_or(init.memory_bytes.max(init.largest_ended)),
        peak_processes: cgroup
            .peak_processes
            // There was one at least, even if nobody looked while it lived.
            .map_or(init.processes.max(1), |count| count.saturating_sub(1)),
        disk_bytes: init.disk_bytes,
        disk_full: init.disk_full,
        oom_kills: cgroup.oom_kills,
        fork_refusals: cgroup.fork_refusals,
    }
}
