//! What spawner and zygotes say to each other: `runtimes/python/crucible_zygote/wire.py` is the other half.

use serde::{Deserialize, Serialize};

use super::Sequence;

/// From the spawner to a zygote.
#[derive(Debug, Serialize, Deserialize)]
pub enum ToZygote {
    /// First: the seccomp program, as the bytes of its `struct sock_filter`s.
    Filter(Vec<u8>),
    /// Fork into the sandbox. Carries its init's pidfd, the descriptors 1 to 4 of the new process,
    /// and the files through which it enters its cgroup. The rest is what the process shall have of
    /// [`crate::sandbox::linux::confine::process_limits::ProcessLimits`].
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
