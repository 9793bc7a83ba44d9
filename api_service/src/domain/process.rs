//! Commands in a session, beside its runs.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;

use crate::domain::event::OutputStream;
use crate::domain::timestamp::Timestamp;
use crate::domain::workspace::WorkspacePath;

/// Most words of a command.
pub const MAX_WORDS: usize = 256;
/// Most bytes that its input begins with.
pub const MAX_STDIN: usize = 4 << 20;
/// Longest tag, in characters.
pub const MAX_TAG: usize = 64;
/// Longest time limit of one that nobody waits for: as long as a session lives.
pub const MAX_TIMEOUT: Duration = Duration::from_secs(24 * 3600);
/// Most lines of a terminal, and most characters in one.
pub const MAX_SIDE: u16 = 1000;

/// The signals that can be sent, by their names. The real-time ones have none.
pub const SIGNALS: [&str; 31] = [
    "SIGHUP",
    "SIGINT",
    "SIGQUIT",
    "SIGILL",
    "SIGTRAP",
    "SIGABRT",
    "SIGBUS",
    "SIGFPE",
    "SIGKILL",
    "SIGUSR1",
    "SIGSEGV",
    "SIGUSR2",
    "SIGPIPE",
    "SIGALRM",
    "SIGTERM",
    "SIGSTKFLT",
    "SIGCHLD",
    "SIGCONT",
    "SIGSTOP",
    "SIGTSTP",
    "SIGTTIN",
    "SIGTTOU",
    "SIGURG",
    "SIGXCPU",
    "SIGXFSZ",
    "SIGVTALRM",
    "SIGPROF",
    "SIGWINCH",
    "SIGIO",
    "SIGPWR",
    "SIGSYS",
];

/// Names a process in its session: its number there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProcessId(pub u32);

impl ProcessId {
    /// `None` when the text cannot be such a number.
    pub fn parse(text: &str) -> Option<Self> {
        let plain = text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|_| plain).map(Self)
    }
}

/// A checked request to start a command.
#[derive(Debug, Clone)]
pub struct NewProcess {
    /// The program and its arguments; at least one.
    pub command: Vec<String>,
    /// Its environment, beside the session's.
    pub env: BTreeMap<String, String>,
    /// Where it begins; `None` for the workspace itself.
    pub cwd: Option<WorkspacePath>,
    /// What its standard input begins with.
    pub stdin: Vec<u8>,
    /// Whether that stays open.
    pub open_stdin: bool,
    /// How long it may run; `None` for as long as the session lives.
    pub timeout: Option<Duration>,
    /// The size of its terminal, if it is to have one.
    pub terminal: Option<TerminalSize>,
    /// What its caller calls it; may be empty.
    pub tag: String,
    /// Whether nobody waits for it.
    pub background: bool,
}

/// How many characters a terminal shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TerminalSize {
    /// In a line: 1 to [`MAX_SIDE`].
    pub cols: u16,
    /// Lines: 1 to [`MAX_SIDE`].
    pub rows: u16,
}

impl TerminalSize {
    /// What most programs expect.
    pub const USUAL: Self = Self { cols: 80, rows: 24 };
}

/// A process, running or ended.
#[derive(Debug, Clone)]
pub struct Process {
    /// Which.
    pub id: ProcessId,
    /// The beginning of its command.
    pub command: Vec<String>,
    /// What its caller calls it.
    pub tag: String,
    /// When it was started.
    pub started_at: Timestamp,
    /// Whether it has a terminal.
    pub has_terminal: bool,
    /// Whether it can be sent something.
    pub stdin_open: bool,
    /// How it ended, if it has.
    pub end: Option<ProcessEnd>,
    /// Bytes that it wrote to standard output, or showed on its terminal.
    pub stdout_bytes: u64,
    /// Bytes that it wrote to standard error.
    pub stderr_bytes: u64,
}

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessEnd {
    /// Absent when a signal ended it.
    pub exit_code: Option<i32>,
    /// Its name.
    pub signal: Option<String>,
    /// Why.
    pub cause: EndCause,
    /// When.
    pub at: Timestamp,
    /// Processor time of the process and the children that it has waited for.
    pub cpu: Duration,
    /// Largest resident memory of one of them.
    pub peak_memory_bytes: u64,
}

/// Why a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndCause {
    /// By itself, or somebody ended it.
    Itself,
    /// Its time was up.
    TimedOut,
    /// With its session.
    SessionEnded,
}

/// How a process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProcessStatus {
    /// It runs.
    Running,
    /// It has ended by itself, with a code.
    Exited,
    /// A signal has ended it.
    Killed,
    /// Its time was up.
    TimedOut,
    /// It has ended with its session.
    SessionEnded,
}

impl ProcessStatus {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Running, Self::Exited, Self::Killed, Self::TimedOut, Self::SessionEnded];

    /// Of one that ended so, or has not.
    pub fn of(end: Option<&ProcessEnd>) -> Self {
        match end {
            None => Self::Running,
            Some(ProcessEnd { cause: EndCause::TimedOut, .. }) => Self::TimedOut,
            Some(ProcessEnd { cause: EndCause::SessionEnded, .. }) => Self::SessionEnded,
            Some(ProcessEnd { signal: Some(_), .. }) => Self::Killed,
            Some(_) => Self::Exited,
        }
    }

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Exited => "exited",
            Self::Killed => "killed",
            Self::TimedOut => "timed_out",
            Self::SessionEnded => "session_ended",
        }
    }
}

/// What a worker tells about a process.
#[derive(Debug, Clone)]
pub enum ProcessEvent {
    /// It runs.
    Started,
    /// It wrote something: whole characters, where it is text.
    Output {
        /// Where to; what is on a terminal is standard output.
        stream: OutputStream,
        /// Position of the first byte in the whole stream.
        offset: u64,
        /// The bytes.
        data: Bytes,
    },
    /// It ended. The last.
    Ended(ProcessEnd),
}

/// Some events of a process.
#[derive(Debug)]
pub struct ProcessEvents {
    /// With their numbers. A jump means that those between are not kept any more.
    pub events: Vec<(u64, ProcessEvent)>,
    /// Nothing comes behind these.
    pub over: bool,
}

/// What is said to a terminal.
#[derive(Debug)]
pub enum ToTerminal {
    /// Typed.
    Input(Bytes),
    /// It has another size.
    Resize(TerminalSize),
    /// All that was shown before this byte was taken.
    Acknowledged(u64),
}

/// What is seen of a terminal.
#[derive(Debug)]
pub enum FromTerminal {
    /// Its program shows something; with the position of the first byte in all that it has shown.
    Output(u64, Bytes),
    /// So many bytes of what was typed have gone into it.
    InputTaken(u64),
    /// Its program has ended. The last.
    Ended(ProcessEnd),
    /// Somebody else is attached to it now. The last.
    TakenOver,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_one_however_it_is_not_written() {
        assert_eq!(ProcessId::parse("17"), Some(ProcessId(17)));
        for text in ["", "+17", "-1", "0x11", "4294967296", "17 ", "1.0"] {
            assert_eq!(ProcessId::parse(text), None, "{text:?}");
        }
    }
}
