//! What worker, spawner, zygotes and init say to each other.
//!
//! ```text
//! worker ──ToSpawner──▶ spawner        one reply for each request, by its number,
//! worker ◀─FromSpawner─ spawner        and reports of ended processes in between
//! spawner ─ToZygote───▶ zygote         (`runtimes/python/crucible_zygote/wire.py`)
//! spawner ◀FromZygote── zygote
//! worker ◀─FirstWord─── init (once)    before there is user code
//! worker ──ToInit─────▶ init           one reply for each request, by its number,
//! worker ◀─FromInit──── init           and reports of ended processes in between
//! spawner ─SetUp──────▶ init (once)    what to become
//! ```

use std::io;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::account::Disk;
use super::init::Tree;
use super::probe::{Probe, Targets};
use crate::sandbox::backend::ProcessEnd;
use crate::sandbox::files::{FileEntry, FileMode, Root};
use crate::sandbox::spec::{Command, SandboxLimits};

/// Numbers a request, so that its reply finds its way.
pub type Sequence = u64;
/// Names a sandbox between worker and spawner.
pub type SandboxId = u64;
/// Names a zygote between worker and spawner.
pub type ZygoteId = u64;

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
    /// Make a sandbox.
    Create { limits: SandboxLimits },
    /// Make the pipes of one more process of the sandbox, with one for descriptor 0 if `stdin`.
    Pipes { sandbox: SandboxId, stdin: bool },
    /// Put other limits in force.
    SetLimits { sandbox: SandboxId, limits: SandboxLimits },
    /// Kill its init, and with it everything inside. Its account can still be asked for.
    Kill { sandbox: SandboxId },
    /// Kill it if it lives, and forget it; the reply comes when nothing is left.
    End { sandbox: SandboxId },
    /// Start a zygote; the reply comes when it has loaded everything.
    StartZygote { command: Command },
    /// Have the zygote fork a process into the sandbox, which no user code has seen yet. The request
    /// carries the descriptors 1 to 4 of the new process.
    Fork { zygote: ZygoteId, sandbox: SandboxId },
    /// Kill the zygote. What it has forked lives on.
    EndZygote { zygote: ZygoteId },
    /// Count what there is.
    Count,
}

/// From the spawner to the worker.
#[derive(Debug, Serialize, Deserialize)]
pub enum FromSpawner {
    /// Sent once: a first sandbox could be made, and has a `/proc` of its own if `fresh_proc`.
    Ready { fresh_proc: bool },
    /// Sent once instead: none could be made, and the spawner is gone.
    Unable(Failure),
    /// The answer to a request.
    Reply { sequence: Sequence, reply: SpawnerReply },
    /// A forked process has ended; `pid` is that of [`SpawnerReply::Forked`].
    ProcessEnded { pid: i32, end: ProcessEnd },
    /// A zygote that was ready is gone.
    ZygoteEnded { zygote: ZygoteId },
}

/// What came of a request.
#[derive(Debug, Serialize, Deserialize)]
pub enum SpawnerReply {
    /// A sandbox exists; its init reports on its own when the set-up is done. Carries the worker's ends of
    /// the [`super::link`] to it, the [`super::ends::Pipes`] of a first process and, where there are cgroups,
    /// the file of its memory peak.
    Created { sandbox: SandboxId },
    /// Carries the [`super::ends::Pipes`] of a process.
    Pipes,
    /// Done.
    Done,
    /// Nothing of it is left.
    Ended,
    /// The zygote can fork; `report` is what it says of itself.
    ZygoteReady { zygote: ZygoteId, report: String },
    /// What there is.
    Counted(Counted),
    /// The process exists: its number in the spawner's pid namespace, and in the sandbox's.
    Forked { pid: i32, inside: i32 },
    /// Could not be done.
    Failed(Failure),
}

/// What the spawner sees, and nobody else can tell apart.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Counted {
    /// Its children that are inits; absent where the kernel does not list children.
    pub inits: Option<u64>,
    /// Its children that are zygotes.
    pub zygotes: Option<u64>,
    /// Mounts in its namespace.
    pub mounts: Option<u64>,
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

/// From the spawner to a zygote.
#[derive(Debug, Serialize, Deserialize)]
pub enum ToZygote {
    /// First: the seccomp program, as the bytes of its `struct sock_filter`s.
    Filter(Vec<u8>),
    /// Fork into the sandbox. Carries its init's pidfd, the descriptors 1 to 4 of the new process,
    /// and the files through which it enters its cgroup. The rest is what the process shall have of
    /// [`super::recipe::Burden`].
    Fork { sequence: Sequence, open_files: u32, niceness: u8 },
}

/// From a zygote to the spawner.
#[derive(Debug, Serialize, Deserialize)]
pub enum FromZygote {
    /// Sent once: everything is loaded.
    Ready { report: String },
    /// Sent once instead, and why.
    Failed { why: String },
    /// Forked: half of the answer.
    Forked { sequence: Sequence, pid: u32 },
    /// The other half, from the child: it is in its sandbox and has this number there.
    Joined { sequence: Sequence, inside: u32 },
    /// Not forked, or not joined.
    Refused { sequence: Sequence, errno: u32 },
    /// A child has ended, with the raw status of `wait4` and the peak of its resident memory.
    Ended { pid: u32, status: u32, cpu_micros: u64, peak_kib: u64 },
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
    /// Start a process. The request carries its descriptors 1, 2 and, with a control channel, 3 and 4; before
    /// them 0, if that is a pipe.
    Start { command: Command },
    /// As [`InitRequest::Start`], but the process tries what nobody may do here, and its standard output
    /// is a list of [`super::probe::Finding`]s.
    Probe { probe: Probe, targets: Targets },
    /// Nobody joins any more. After any other request no zygote could join, either.
    Seal,
    /// Write a piece of a file.
    Write { root: Root, path: String, piece: Piece, chunk: Vec<u8> },
    /// Read a piece of a regular file.
    Read { root: Root, path: String, offset: u64 },
    /// List a directory; without a path, the root itself.
    List { root: Root, path: Option<String>, limit: u64 },
    /// Make a FIFO in the request directory, which the worker opens by its name.
    Fifo { path: String },
    /// Signal a process of the sandbox, and its group.
    Signal { pid: i32, signal: i32 },
    /// Kill everything but init.
    KillAll,
    /// Kill one process with all that came of it.
    KillTree(Tree),
    /// Tell what the workspace and the live processes hold.
    Usage,
    /// Count the locks on files, which is dear.
    Locks,
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
    /// and the request directory, to open FIFOs there.
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
    /// What is in a directory, and whether there is more.
    Listed { entries: Vec<FileEntry>, truncated: bool },
    /// Killed; those that were to be spared as well, if `everything`.
    Killed { everything: bool },
    /// As asked.
    Usage(InitUsage),
    /// As asked.
    Locks(u64),
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::strategy::LazyJust;
    use serde::de::DeserializeOwned;

    use super::*;
    use crate::sandbox::files::FileKind;
    use crate::sandbox::spec::Exit;

    fn end() -> impl Strategy<Value = ProcessEnd> {
        let exit =
            prop_oneof![any::<i32>().prop_map(Exit::Code), any::<i32>().prop_map(Exit::Signal)];
        (exit, any::<Duration>(), any::<u64>())
            .prop_map(|(exit, cpu, peak_memory_bytes)| ProcessEnd { exit, cpu, peak_memory_bytes })
    }

    fn listed() -> impl Strategy<Value = FileEntry> {
        let kind = prop_oneof![
            LazyJust::new(|| FileKind::Regular),
            LazyJust::new(|| FileKind::Directory),
            LazyJust::new(|| FileKind::Symlink),
            LazyJust::new(|| FileKind::Special),
        ];
        (proptest::collection::vec(any::<u8>(), 0..40), kind, any::<u64>())
            .prop_map(|(name, kind, size)| FileEntry { name, kind, size })
    }

    fn from_init() -> impl Strategy<Value = FromInit> {
        let usage = (any::<(u64, bool, u32, u64)>(), any::<(u64, Duration)>()).prop_map(
            |((bytes, full, processes, memory_bytes), (largest_ended, cpu))| {
                let disk = Disk { bytes, full };
                InitUsage { disk, processes, memory_bytes, largest_ended, cpu }
            },
        );
        let failure = (".*", any::<i32>()).prop_map(|(stage, errno)| Failure { stage, errno });
        let reply = prop_oneof![
            any::<i32>().prop_map(|pid| InitReply::Started { pid }),
            LazyJust::new(|| InitReply::Done),
            (any::<u64>(), proptest::collection::vec(any::<u8>(), 0..200))
                .prop_map(|(size, chunk)| InitReply::Content { size, chunk }),
            usage.prop_map(InitReply::Usage),
            any::<(u64, u64)>().prop_map(|(bytes, of_tcp)| InitReply::Sockets { bytes, of_tcp }),
            any::<u64>().prop_map(InitReply::Locks),
            any::<bool>().prop_map(|everything| InitReply::Killed { everything }),
            (proptest::collection::vec(listed(), 0..9), any::<bool>())
                .prop_map(|(entries, truncated)| InitReply::Listed { entries, truncated }),
            failure.prop_map(InitReply::Failed),
        ];
        prop_oneof![
            (any::<u64>(), reply).prop_map(|(sequence, reply)| FromInit::Reply { sequence, reply }),
            (any::<i32>(), end()).prop_map(|(pid, end)| FromInit::Ended { pid, end }),
        ]
    }

    fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
        postcard::from_bytes(bytes).ok()
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_message_or_none(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = decode::<ToInit>(&bytes);
            let _ = decode::<FirstWord>(&bytes);
            let _ = decode::<FromInit>(&bytes);
            let _ = decode::<ToSpawner>(&bytes);
            let _ = decode::<FromSpawner>(&bytes);
            let _ = decode::<ToZygote>(&bytes);
            let _ = decode::<FromZygote>(&bytes);
            let _ = decode::<SetUp>(&bytes);
        }

        #[test]
        fn a_message_comes_whole_or_not_at_all(message in from_init()) {
            let bytes = postcard::to_stdvec(&message).expect("room");
            let decoded = decode::<FromInit>(&bytes).map(|decoded| format!("{decoded:?}"));
            prop_assert_eq!(decoded, Some(format!("{message:?}")));
            for length in 0..bytes.len() {
                prop_assert!(decode::<FromInit>(&bytes[..length]).is_none(), "{} bytes", length);
            }
        }
    }
}
