//! What worker and spawner say to each other.

use serde::{Deserialize, Serialize};

use super::Sequence;
use super::failure::Failure;
use crate::sandbox::backend::ProcessEnd;
use crate::sandbox::spec::{Command, SandboxLimits, TerminalSize};

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
    /// Make a terminal for a process of the sandbox.
    Terminal { sandbox: SandboxId, size: TerminalSize },
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
    /// the [`super::init_link`] to it, the [`super::pipes::Pipes`] of a first process and, where there are cgroups,
    /// the file of its memory peak and, with a cpu controller, that of its weight.
    Created { sandbox: SandboxId },
    /// Carries the [`super::pipes::Pipes`] of a process.
    Pipes,
    /// Carries the worker's end of a terminal, and the process's.
    Terminal,
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
