//! The one place that knows gRPC status codes: what each of our errors means on the wire.

use proto::wire::{ERROR_FIELD, ERROR_REASON, QUEUE_LENGTH, QUEUE_POSITION, RETRY_AFTER, reason};
use tonic::metadata::MetadataValue;
use tonic::{Code, Status};

use crate::execution::input::InputError;
use crate::execution::outputs::Unreadable;
use crate::owners::Overcommitted;
use crate::sandbox::files::FileError;
use crate::session::processes::ProcessError;
use crate::session::{ContextError, SessionError};
use crate::worker::{Bound, QueueFull, WorkerError};

/// Seconds that a caller should wait when there are too many sessions, or too much is promised: they end one by one.
/// Or when a program does not read, which has been waited for already.
const RETRY_WHEN_FULL: u64 = 1;

/// The status for `error`. The text of our own faults goes to the log and not to the caller.
pub fn status(error: &WorkerError) -> Status {
    use WorkerError as E;
    match error {
        E::Limits(out) => invalid(&format!("limits.{}", out.field), &error.to_string()),
        E::FixedInSession(field) => invalid(&format!("limits.{field}"), &error.to_string()),
        E::Flag(_) => invalid("compiler_flags", &error.to_string()),
        E::ExecutionExists => invalid("execution_id", &error.to_string()),
        E::Context(context) => context_status(context),
        E::Process(process) => process_status(process),
        E::Paused => reasoned(Code::FailedPrecondition, reason::SESSION_PAUSED, &error.to_string()),
        E::Busy => reasoned(Code::FailedPrecondition, reason::SESSION_BUSY, &error.to_string()),
        E::NoDirectory(_) => invalid("cwd", &error.to_string()),
        E::NotWritten(path, _) => invalid(&format!("files.{path}"), &error.to_string()),
        E::EmptyCommand => invalid("command", &error.to_string()),
        E::NotExecutable(_) => {
            reasoned(Code::FailedPrecondition, reason::NOT_EXECUTABLE, &error.to_string())
        }
        E::File(cause) | E::FileInArchive { error: cause, .. } => {
            file_status(*cause, &error.to_string())
        }
        E::Archive(text) => reasoned(Code::FailedPrecondition, reason::ARCHIVE_REFUSED, cut(text)),
        E::FilesBusy(_) => busy(&error.to_string()),
        E::LanguageUnavailable(_) => {
            reasoned(Code::FailedPrecondition, reason::LANGUAGE_UNAVAILABLE, &error.to_string())
        }
        E::ExecutionNotFound => {
            reasoned(Code::NotFound, reason::EXECUTION_NOT_FOUND, &error.to_string())
        }
        E::Input(InputError::Closed) => {
            reasoned(Code::FailedPrecondition, reason::STDIN_CLOSED, &error.to_string())
        }
        E::Input(InputError::Full) => {
            let full = reasoned(Code::ResourceExhausted, reason::STDIN_FULL, &error.to_string());
            with_number(full, RETRY_AFTER, RETRY_WHEN_FULL)
        }
        E::OutputNotFound => reasoned(Code::NotFound, reason::OUTPUT_NOT_FOUND, &error.to_string()),
        E::Output(cause @ Unreadable::Behind) => {
            tracing::warn!(
                "the disk of OUTPUT_DIR takes nothing: a reader of an output waits in vain"
            );
            reasoned(Code::Unavailable, reason::SHUTTING_DOWN, &cause.to_string())
        }
        E::Output(Unreadable::Disk(cause)) => {
            tracing::error!(error = %cause, "could not read a stored output");
            reasoned(Code::Internal, reason::INTERNAL, "the worker could not read the output")
        }
        E::Queue(full) => queue_full(full),
        E::Overcommitted(full) => overcommitted(full),
        // For callers it is the same: nothing was taken on, and another try later may be.
        E::ShuttingDown | E::Stalled => {
            reasoned(Code::Unavailable, reason::SHUTTING_DOWN, &error.to_string())
        }
        E::Network { index, .. } => {
            let text = format!("network.allow[{index}]: {error}");
            reasoned(Code::PermissionDenied, reason::NETWORK_REFUSED, cut(&text))
        }
        E::NetworkOfSession => invalid("network", &error.to_string()),
        E::NoWayOut(cause) => {
            tracing::warn!(error = %cause, "a sandbox got no way out");
            reasoned(
                Code::Unavailable,
                reason::NETWORK_UNAVAILABLE,
                "there is no network at the moment",
            )
        }
        E::Session(session) => session_status(*session),
        E::Kernel(cause) => {
            tracing::error!(error = %cause, "could not run a program");
            reasoned(Code::Internal, reason::INTERNAL, "the worker could not run the program")
        }
    }
}

fn session_status(error: SessionError) -> Status {
    let text = error.to_string();
    match error {
        SessionError::NotFound => reasoned(Code::NotFound, reason::SESSION_NOT_FOUND, &text),
        SessionError::Expired => reasoned(Code::NotFound, reason::SESSION_EXPIRED, &text),
        SessionError::Lost => reasoned(Code::NotFound, reason::SESSION_LOST, &text),
        SessionError::Exists => invalid("session_id", &text),
        SessionError::TooMany(_) => {
            reasoned(Code::ResourceExhausted, reason::TOO_MANY_SESSIONS, &text)
        }
        SessionError::Full => with_number(worker_full(&text), RETRY_AFTER, RETRY_WHEN_FULL),
    }
}

fn file_status(error: FileError, text: &str) -> Status {
    let word = match error {
        FileError::NotFound => {
            return reasoned(Code::NotFound, reason::FILE_NOT_FOUND, cut(text));
        }
        FileError::Busy => return busy(text),
        FileError::Other(_) => {
            tracing::error!(%error, "could not do something with a file");
            return reasoned(Code::Internal, reason::INTERNAL, "the worker could not do that");
        }
        FileError::NotADirectory => reason::FILE_NO_DIRECTORY,
        FileError::Directory => reason::FILE_IS_DIRECTORY,
        FileError::Special => reason::FILE_SPECIAL,
        FileError::Exists => reason::FILE_EXISTS,
        FileError::NotEmpty => reason::FILE_NOT_EMPTY,
        FileError::Changed => reason::FILE_CHANGED,
        FileError::OutOfWorkspace | FileError::Refused => reason::FILE_REFUSED,
        FileError::Full => reason::DISK_FULL,
        FileError::TooLarge => reason::FILE_TOO_LARGE,
        FileError::NameTooLong => return invalid("path", text),
    };
    reasoned(Code::FailedPrecondition, word, cut(text))
}

fn busy(text: &str) -> Status {
    let status = reasoned(Code::ResourceExhausted, reason::FILES_BUSY, text);
    with_number(status, RETRY_AFTER, RETRY_WHEN_FULL)
}

fn context_status(error: &ContextError) -> Status {
    let text = error.to_string();
    match error {
        ContextError::NotFound => reasoned(Code::NotFound, reason::CONTEXT_NOT_FOUND, &text),
        ContextError::LanguageMismatch(_) => {
            reasoned(Code::FailedPrecondition, reason::LANGUAGE_MISMATCH, &text)
        }
        ContextError::Exists => invalid("context_id", &text),
        ContextError::TooMany => reasoned(Code::ResourceExhausted, reason::SESSION_FULL, &text),
    }
}

fn process_status(error: &ProcessError) -> Status {
    let text = error.to_string();
    match error {
        ProcessError::NotFound => reasoned(Code::NotFound, reason::PROCESS_NOT_FOUND, &text),
        ProcessError::Ended => reasoned(Code::FailedPrecondition, reason::PROCESS_ENDED, &text),
        ProcessError::NoTerminal => reasoned(Code::FailedPrecondition, reason::NO_TERMINAL, &text),
        ProcessError::InputFull => reasoned(Code::FailedPrecondition, reason::STDIN_FULL, &text),
        ProcessError::NoInput => reasoned(Code::FailedPrecondition, reason::STDIN_CLOSED, &text),
        ProcessError::TooMany | ProcessError::TooManyOfOwner => {
            reasoned(Code::ResourceExhausted, reason::TOO_MANY_PROCESSES, &text)
        }
    }
}

/// As much of a text as goes with a status. It travels as a header, of which a whole answer may have 16 KiB; what it
/// quotes may be as long as a request.
fn cut(text: &str) -> &str {
    /// Bytes.
    const LONGEST: usize = 1024;
    &text[..text.floor_char_boundary(LONGEST)]
}

/// The value of `field`, as the API names it, is wrong.
pub fn invalid(field: &str, message: &str) -> Status {
    /// Characters of a field, which travels as a header as well.
    const LONGEST: usize = 256;
    let mut status = reasoned(Code::InvalidArgument, reason::INVALID_ARGUMENT, cut(message));
    // A path may hold anything, and a header value may not.
    let field: String = field.chars().take(LONGEST).flat_map(char::escape_default).collect();
    if let Ok(field) = MetadataValue::try_from(field) {
        status.metadata_mut().insert(ERROR_FIELD, field);
    }
    status
}

/// The caller's deadline has passed.
pub fn too_late() -> Status {
    Status::new(Code::DeadlineExceeded, "the deadline has passed; the run was cancelled")
}

/// The caller has not shown the token.
pub fn unauthenticated() -> Status {
    reasoned(
        Code::Unauthenticated,
        reason::UNAUTHENTICATED,
        "the internal token is missing or wrong",
    )
}

/// A task of ours panicked.
pub fn broken() -> Status {
    reasoned(Code::Internal, reason::INTERNAL, "the worker could not run the program")
}

fn queue_full(full: &QueueFull) -> Status {
    let text = full.to_string();
    let QueueFull { bound, position, length, retry_after } = *full;
    let status = match bound {
        Bound::Owner => reasoned(Code::ResourceExhausted, reason::OWNER_FULL, &text),
        Bound::Worker => worker_full(&text),
    };
    let seconds = retry_after.as_secs() + u64::from(retry_after.subsec_nanos() > 0);
    let status = with_number(status, RETRY_AFTER, seconds);
    let status = with_number(status, QUEUE_POSITION, position as u64);
    with_number(status, QUEUE_LENGTH, length as u64)
}

fn overcommitted(full: &Overcommitted) -> Status {
    let text = full.to_string();
    let status = match full.bound {
        Bound::Owner => reasoned(Code::ResourceExhausted, reason::SHARE_FULL, &text),
        Bound::Worker => worker_full(&text),
    };
    with_number(status, RETRY_AFTER, RETRY_WHEN_FULL)
}

fn worker_full(text: &str) -> Status {
    reasoned(Code::Unavailable, reason::WORKER_FULL, text)
}

fn with_number(mut status: Status, key: &'static str, number: u64) -> Status {
    status.metadata_mut().insert(key, MetadataValue::from(number));
    status
}

fn reasoned(code: Code, reason: &'static str, text: &str) -> Status {
    let mut status = Status::new(code, text);
    status.metadata_mut().insert(ERROR_REASON, MetadataValue::from_static(reason));
    status
}
