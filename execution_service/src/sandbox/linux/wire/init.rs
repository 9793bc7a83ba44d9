//! What worker and init say to each other, and what the spawner tells a new init.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Sequence;
use super::failure::Failure;
use super::files::{DirectoryFrom, FilesReply, FilesRequest, Listed};
use crate::sandbox::backend::ProcessEnd;
use crate::sandbox::files::{FileMode, Root};
use crate::sandbox::linux::host::disk::Disk;
use crate::sandbox::linux::wire::probe::{Probe, Targets};
use crate::sandbox::spec::{Command, SandboxLimits};

/// `USER_HZ`, which is 100 on every Linux that Rust runs on: the unit of times in `/proc/<pid>/stat`.
pub const TICKS_PER_SECOND: u64 = 100;

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
    /// Start a process. The request carries its descriptors 1, 2 and, with a control channel, 3 and 4; before
    /// them 0, if that is a pipe or a terminal.
    Start { command: Command },
    /// As [`InitRequest::Start`], of a command that is too long for a packet. It is in a file, whose descriptor
    /// comes before the others.
    StartLong,
    /// As [`InitRequest::Start`], but the process tries what nobody may do here, and its standard output
    /// is a list of [`crate::sandbox::linux::probe::Finding`]s.
    Probe { probe: Probe, targets: Targets },
    /// Nobody joins any more. After any other request no zygote could join, either.
    Seal,
    /// Write a piece of a file.
    Write { root: Root, path: String, piece: Piece, chunk: Vec<u8> },
    /// Read a piece of a regular file.
    Read { root: Root, path: String, offset: u64 },
    /// List the first of these directories, with all that is known of what is in them.
    Tree { directories: Vec<DirectoryFrom> },
    /// Do something else with files of the workspace.
    Files(FilesRequest),
    /// Make a FIFO in the request directory, which the worker opens by its name.
    Fifo { path: String },
    /// Signal a process of the sandbox, and its group.
    Signal { pid: i32, signal: i32 },
    /// Signal everything but init.
    SignalAll { signal: i32 },
    /// Kill everything but init.
    KillAll,
    /// Kill one process with all that came of it.
    KillTree(KillTree),
    /// Tell what the workspace and the live processes hold.
    Usage,
    /// Count the locks on files, which is dear.
    Locks,
    /// Count the open files of all processes.
    OpenFiles,
    /// Tell what is in the buffers of sockets.
    Sockets,
}

/// Which part of a file a chunk is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Piece {
    /// Makes the file, in place of what may have its name.
    First(FileMode),
    /// Is appended.
    Next,
}

/// What init says once, when nobody else is in the sandbox: the only message of it that carries
/// descriptors.
#[derive(Debug, Serialize, Deserialize)]
pub enum FirstWord {
    /// The sandbox is closed and can be used. Carries the root of its workspace, to ask how full it is,
    /// and the request directory, to open FIFOs there; where there may be a way out, a socket for it.
    Ready,
    /// The set-up failed, and init is gone.
    SetUpFailed(Failure),
}

/// From init to the worker.
#[derive(Debug, Serialize, Deserialize)]
pub enum FromInit {
    /// The answer to a request.
    Reply { sequence: Sequence, reply: InitReply },
    /// A process started here has ended.
    Ended { pid: i32, end: ProcessEnd },
}

/// What came of a request.
#[derive(Debug, Serialize, Deserialize)]
pub enum InitReply {
    /// The process runs.
    Started { pid: i32 },
    /// Done.
    Done,
    /// A piece of a file, and the size of the whole. Only the last piece is shorter than
    /// [`super::channel::MAX_CHUNK`].
    Content { size: u64, chunk: Vec<u8> },
    /// What is in the first of the directories that were asked for; at least one.
    Tree(Vec<Listed>),
    /// What came of something else.
    Files(FilesReply),
    /// Killed; those that were to be spared as well, if `everything`.
    Killed { everything: bool },
    /// As asked.
    Usage(InitUsage),
    /// As asked.
    Locks(u64),
    /// As asked.
    OpenFiles(u64),
    /// As asked, in bytes as the kernel counts them.
    Sockets { bytes: u64, of_tcp: u64 },
    /// Could not be done.
    Failed(Failure),
}

/// What init can see from inside.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct InitUsage {
    /// The workspace.
    pub disk: Disk,
    /// Processes now, init not counted.
    pub processes: u32,
    /// Sum of the resident memory of the processes now, and of what the workspace holds.
    pub memory_bytes: u64,
    /// Largest resident memory of one process among those that have ended.
    pub largest_ended: u64,
    /// Time of the live processes and of those reaped so far.
    pub cpu: Duration,
}

/// [`ProcessTree`](crate::sandbox::backend::ProcessTree) in the numbers of its sandbox.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KillTree {
    /// This one, and all that has come of it since.
    pub root: i32,
    /// Never these, nor what came of them.
    pub spared: Vec<i32>,
    /// In ticks since the machine was started: what is older stays.
    pub since: u64,
    /// Whoever is not older, and belongs to none that is spared, dies as well.
    pub orphans: bool,
}
