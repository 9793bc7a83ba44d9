//! Tells from what was observed how a run ended.

use crate::language::diagnostic::{Diagnostic, Kind};
use crate::sandbox::spec::{Exit, MOST_LOCKS, MOST_OPEN_FILES, Usage};

use super::ending::{Ending, Stop, UNWATCHED_AFTER};
use super::limits::Limits;
use super::outcome::{Accounting, Status};
use super::signals;

/// Error numbers, as `errno(3)` has them.
mod errno {
    pub const EAGAIN: i32 = 11;
    pub const ENOMEM: i32 = 12;
    pub const EMFILE: i32 = 24;
    pub const EFBIG: i32 = 27;
    pub const ENOSPC: i32 = 28;
    pub const EDQUOT: i32 = 122;
}

/// What is known at the end of a run.
#[derive(Debug)]
pub struct Observed {
    /// Why it ended.
    pub ending: Ending,
    /// What the language said, where it said something.
    pub diagnostic: Option<Diagnostic>,
    /// Of this run: counters are differences.
    pub usage: Usage,
    /// Something else used the sandbox meanwhile: what its counters say may be of that.
    pub shared: bool,
    /// The workspace was full before it began: that it still is says nothing of this run.
    pub disk_was_full: bool,
    /// Without cgroups nobody counts refused forks.
    pub accounting: Accounting,
}

/// The verdict.
#[derive(Debug)]
pub struct Verdict {
    /// In a word.
    pub status: Status,
    /// Of the program.
    pub exit_code: Option<i32>,
    /// Name of the signal that ended it.
    pub signal: Option<String>,
    /// What went wrong; absent when nothing did.
    pub diagnostic: Option<Diagnostic>,
}

/// Tells how a run ended. A limit that was hit explains a failure better than the exception or the
/// signal it led to, so limits come first.
pub fn judge(observed: Observed, limits: &Limits) -> Verdict {
    let Observed { ending, diagnostic, usage, shared, disk_was_full, accounting } = observed;
    if ending == Ending::Stopped(Stop::Cancelled) {
        // It is its owner's wish, and no fault of the program that could be repaired.
        return Verdict {
            status: Status::Cancelled,
            exit_code: None,
            signal: None,
            diagnostic: None,
        };
    }
    if ending == Ending::Stopped(Stop::Interrupted) {
        let diagnostic = Diagnostic::new(
            Kind::Signal,
            "Interrupted",
            "it did not stop when it was interrupted, and was killed",
        );
        return Verdict {
            status: Status::Cancelled,
            exit_code: None,
            signal: None,
            diagnostic: Some(diagnostic),
        };
    }
    let (exit_code, signal) = match ending {
        Ending::Exited(Exit::Code(code)) | Ending::Finished { exit_code: code } => {
            (Some(code), None)
        }
        Ending::Exited(Exit::Signal(number)) => (None, Some(number)),
        // It is no limit that it is known to have passed.
        Ending::Stopped(Stop::Unwatched | Stop::Locks | Stop::Files) => {
            (None, Some(signals::SIGKILL))
        }
        Ending::Stopped(
            Stop::Wall
            | Stop::Cpu
            | Stop::Memory
            | Stop::Output
            | Stop::Cancelled
            | Stop::Interrupted,
        ) => (None, None),
    };
    let usage = if shared { without_others(usage, signal) } else { usage };
    let failed = exit_code != Some(0);
    let limit = stopped_by(ending, limits).or_else(|| {
        let running_into = || exhausted(signal, diagnostic.as_ref(), usage, accounting, limits);
        let filled = usage.disk_full && !disk_was_full;
        if failed || filled { running_into() } else { None }
    });
    let (status, found) = match (limit, signal, exit_code) {
        (Some((status, limit)), ..) => (status, Some(limit)),
        (None, Some(number), _) => (Status::Killed, Some(killed(number))),
        (None, None, Some(0)) => (Status::Succeeded, None),
        (None, None, Some(code)) => {
            let mut exit = Diagnostic::new(Kind::Exit, "ExitStatus", format!("exit status {code}"));
            if usage.fork_refusals > 0 && !shared {
                exit = limit_of_processes(limits);
            }
            (Status::Failed, Some(exit))
        }
        (None, None, None) => (Status::Cancelled, None),
    };
    // The language's own words locate the error; the limit says what it was.
    let diagnostic = match (found, diagnostic) {
        (Some(found), Some(said)) if found.kind == Kind::Limit => Some(Diagnostic {
            kind: found.kind,
            name: found.name,
            message: found.message,
            hint: found.hint,
            retryable: found.retryable,
            ..said
        }),
        (Some(_), Some(said)) => Some(said),
        (found, None) => found,
        (None, Some(_)) => None,
    };
    let signal = signal.map(signals::name);
    Verdict { status, exit_code, signal, diagnostic }
}

/// What a failure can be put down to when others have used the same sandbox: what its own end shows.
fn without_others(usage: Usage, signal: Option<i32>) -> Usage {
    let killed = signal == Some(signals::SIGKILL);
    Usage {
        oom_kills: if killed { usage.oom_kills } else { 0 },
        // The sum of all of them.
        peak_memory_bytes: 0,
        disk_full: false,
        ..usage
    }
}

fn stopped_by(ending: Ending, limits: &Limits) -> Option<(Status, Diagnostic)> {
    let limit = |name: &str, message: String| Diagnostic::new(Kind::Limit, name, message);
    let Ending::Stopped(stop) = ending else {
        return None;
    };
    Some(match stop {
        Stop::Wall => (
            Status::TimedOut,
            limit("wall_time", format!("still running after {} s", limits.wall.as_secs_f64()))
                .hint("make it faster, do less at once, or ask for a longer timeout"),
        ),
        Stop::Cpu => (
            Status::TimedOut,
            limit("cpu_time", format!("used {} s of processor time", limits.cpu.as_secs_f64()))
                .hint("make it faster, or ask for more limits.cpu_ms"),
        ),
        Stop::Memory => (Status::OutOfMemory, out_of_memory(limits)),
        Stop::Unwatched => (
            Status::Killed,
            limit(
                "unwatched",
                format!("let nobody look at its usage for {} s", UNWATCHED_AFTER.as_secs_f64()),
            )
            .hint("start fewer processes that compute at once"),
        ),
        Stop::Locks => (
            Status::Killed,
            limit("locks", format!("held more than {MOST_LOCKS} locks on files"))
                .hint("lock a whole file instead of many parts of it"),
        ),
        Stop::Files => (
            Status::Killed,
            limit("open_files", format!("had more than {MOST_OPEN_FILES} open files in all"))
                .hint("close files, or start fewer processes that have many"),
        ),
        Stop::Output => (
            Status::OutputLimitExceeded,
            limit("output", String::from("wrote far more than anybody can read"))
                .hint("print less; write large data to a file"),
        ),
        Stop::Cancelled | Stop::Interrupted => return None,
    })
}

/// A limit that the kernel enforced and the program ran into.
fn exhausted(
    signal: Option<i32>,
    said: Option<&Diagnostic>,
    usage: Usage,
    accounting: Accounting,
    limits: &Limits,
) -> Option<(Status, Diagnostic)> {
    let reason = said.and_then(|said| said.errno);
    let no_memory = reason == Some(errno::ENOMEM) || said.is_some_and(says_no_memory);
    // V8 ends itself, by one signal or another, when it cannot have more.
    let gave_up = signal.is_some_and(|signal| signals::FATAL.contains(&signal))
        && usage.peak_memory_bytes >= limits.sandbox.memory_bytes / 10 * 9;
    if usage.oom_kills > 0 || no_memory || gave_up {
        return Some((Status::OutOfMemory, out_of_memory(limits)));
    }
    let no_room = matches!(reason, Some(errno::ENOSPC | errno::EFBIG | errno::EDQUOT));
    if usage.disk_full || no_room || signal == Some(signals::SIGXFSZ) {
        let message = format!(
            "the workspace is full ({} bytes, {} files)",
            limits.sandbox.disk_bytes, limits.sandbox.inodes
        );
        let found = Diagnostic::new(Kind::Limit, "disk", message)
            .hint("delete what is not needed, or ask for more limits.disk_bytes or limits.inodes");
        return Some((Status::DiskLimitExceeded, found));
    }
    if reason == Some(errno::EMFILE) {
        let message = format!("{} open files at once", limits.sandbox.open_files);
        let found = Diagnostic::new(Kind::Limit, "open_files", message)
            .hint("close files that are not needed, or ask for more limits.open_files");
        return Some((Status::Failed, found));
    }
    let refused = usage.fork_refusals > 0 || accounting == Accounting::BestEffort;
    if reason == Some(errno::EAGAIN) && refused {
        return Some((Status::Failed, limit_of_processes(limits)));
    }
    None
}

/// Python's and Node's own words for it.
fn says_no_memory(said: &Diagnostic) -> bool {
    said.name == Diagnostic::NO_MEMORY
        || (said.name == "RangeError" && said.message.contains("allocation failed"))
}

fn out_of_memory(limits: &Limits) -> Diagnostic {
    let message = format!("needed more than {} bytes of memory", limits.sandbox.memory_bytes);
    Diagnostic::new(Kind::Limit, "memory", message)
        .hint("work on smaller pieces of data, or ask for more limits.memory_bytes")
}

fn limit_of_processes(limits: &Limits) -> Diagnostic {
    let message = format!("{} processes and threads at once", limits.sandbox.processes);
    Diagnostic::new(Kind::Limit, "processes", message)
        .hint("start fewer at once, or ask for more limits.processes")
}

fn killed(number: i32) -> Diagnostic {
    let diagnostic =
        Diagnostic::new(Kind::Signal, signals::name(number), signals::description(number));
    match signals::hint(number) {
        Some(hint) => diagnostic.hint(hint),
        None => diagnostic,
    }
}

#[cfg(test)]
mod tests;
