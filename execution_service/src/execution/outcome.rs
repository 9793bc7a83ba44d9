//! How a run ended, as its caller is told.

use std::time::Duration;

use crate::language::diagnostic::Diagnostic;
use crate::sandbox::spec::Usage;

use super::artifacts::Collected;
use super::changes::Changes;
use super::stream::StreamTotals;

/// How a run ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// In a word.
    pub status: Status,
    /// Of the user's program, where it exited.
    pub exit_code: Option<i32>,
    /// Name of the signal that ended it.
    pub signal: Option<String>,
    /// From acceptance to outcome.
    pub duration: Duration,
    /// Of descriptor 1.
    pub stdout: StreamTotals,
    /// Of descriptor 2.
    pub stderr: StreamTotals,
    /// Rich results that were left out.
    pub results_omitted: u32,
    /// What it used.
    pub usage: Usage,
    /// Something else went on in its session meanwhile, and its share is in that.
    pub shared: bool,
    /// Whether usage is the kernel's own account or ours.
    pub accounting: Accounting,
    /// Where the time went.
    pub phases: Phases,
    /// What went wrong.
    pub diagnostic: Option<Diagnostic>,
    /// In a session: the interpreter was restarted, or will be.
    pub state_lost: bool,
    /// The files that were to be collected; absent where none were.
    pub collected: Option<Collected>,
    /// The files that were changed; absent where nobody wants to know.
    pub changes: Option<Changes>,
}

/// In a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Exit status 0.
    Succeeded,
    /// Exception or another exit status.
    Failed,
    /// The compiler refused.
    CompileFailed,
    /// Wall or CPU time.
    TimedOut,
    /// Memory.
    OutOfMemory,
    /// The hard cap of output.
    OutputLimitExceeded,
    /// Bytes or inodes of the workspace.
    DiskLimitExceeded,
    /// By a signal.
    Killed,
    /// By its owner.
    Cancelled,
}

impl Status {
    /// As in the contract, in small letters.
    pub fn name(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::CompileFailed => "compile_failed",
            Self::TimedOut => "timed_out",
            Self::OutOfMemory => "out_of_memory",
            Self::OutputLimitExceeded => "output_limit_exceeded",
            Self::DiskLimitExceeded => "disk_limit_exceeded",
            Self::Killed => "killed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// How exact a [`Usage`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accounting {
    /// By cgroups.
    Enforced,
    /// By looking now and then.
    BestEffort,
}

/// Where the time of a run went.
#[derive(Clone, Copy, Debug, Default)]
pub struct Phases {
    /// Waiting for a free slot.
    pub queue: Duration,
    /// Getting a sandbox ready.
    pub start: Duration,
    /// Compiling, where there is a compiler.
    pub compile: Option<Duration>,
    /// Running.
    pub run: Duration,
    /// No warm sandbox was there.
    pub cold_start: bool,
}
