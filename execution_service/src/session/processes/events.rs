//! What happens to a command.

use std::time::{Duration, SystemTime};

use crate::execution::stream::Stream;
use crate::sandbox::backend::ProcessId;
use crate::sandbox::spec::Exit;

/// One thing that happened to a command. A [`ProcessEvent::Started`] is the first, an [`ProcessEvent::Ended`] the
/// last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProcessEvent {
    /// It runs.
    Started(ProcessId),
    /// It wrote something.
    Output {
        /// Where; what is on a terminal is standard output.
        stream: Stream,
        /// Position of the first byte in the whole stream.
        offset: u64,
        /// What; at most 16 KiB.
        data: Vec<u8>,
    },
    /// It has ended.
    Ended(End),
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// As the kernel reported it.
    pub exit: Exit,
    /// Why.
    pub cause: EndCause,
    /// When.
    pub at: SystemTime,
    /// Processor time of the process and the children that it has waited for.
    pub cpu: Duration,
    /// Largest resident memory of one of them.
    pub peak_memory_bytes: u64,
}

/// Why a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndCause {
    /// By itself, or somebody ended it.
    Itself,
    /// It had run as long as it was to run.
    TimedOut,
    /// With its session.
    SessionEnded,
}

/// Some of the events of a command.
#[derive(Debug, PartialEq, Eq)]
pub struct Batch {
    /// With their numbers.
    pub events: Vec<(u64, ProcessEvent)>,
    /// Nothing comes behind these.
    pub over: bool,
}
