//! What can go wrong between the gateway and the worker.

use std::error::Error as StdError;
use std::time::Duration;

use proto::wire::{ERROR_FIELD, ERROR_REASON, QUEUE_LENGTH, QUEUE_POSITION, RETRY_AFTER, reason};
use thiserror::Error as ThisError;
use tonic::{Code, ConnectError, Status};

use crate::domain::field_error::FieldError;
use crate::domain::files::FileProblem;
use crate::domain::queue::QueuePlace;

/// How long a caller should wait when the worker does not say.
const DEFAULT_RETRY_AFTER: Duration = Duration::from_secs(1);

/// A call that did not succeed.
#[derive(Debug, Clone, ThisError)]
pub enum Error {
    /// The configured URL is none.
    #[error("the worker's URL cannot be used")]
    UnusableUrl,
    /// The configured token holds characters that cannot be sent.
    #[error("the internal token cannot be sent")]
    UnusableToken,
    /// The request id holds characters that cannot be sent.
    #[error("the request id cannot be sent")]
    UnusableRequestId,
    /// There is no connection to the worker, and the call was never sent.
    #[error("the worker cannot be reached")]
    Unreachable(#[source] Box<Status>),
    /// The connection was lost after the call was sent: it may have had any effect.
    #[error("the connection to the worker was lost")]
    Lost(#[source] Box<Status>),
    /// The worker is ending, and took nothing on.
    #[error("the worker is ending")]
    ShuttingDown(Duration),
    /// Every slot is taken and the queue is full or too slow; or there are too many sessions, which
    /// have no queue.
    #[error("the worker is full")]
    Full(Duration, Option<QueuePlace>),
    /// The owner has as many runs waiting as one may have.
    #[error("too many runs of this owner wait")]
    OwnerFull(Duration, Option<QueuePlace>),
    /// The owner's sandboxes have been promised as much as those of one owner may; the text says of what.
    #[error("{1}")]
    ShareFull(Duration, String),
    /// The owner has as many sessions as one may have.
    #[error("too many sessions")]
    TooManySessions,
    /// No such session for that owner.
    #[error("no such session")]
    SessionNotFound,
    /// The session's time ran out.
    #[error("the session has expired")]
    SessionExpired,
    /// The session's sandbox is gone.
    #[error("the session was lost")]
    SessionLost,
    /// The session is paused, and its use does not resume it.
    #[error("the session is paused")]
    SessionPaused,
    /// A run goes on in the session.
    #[error("a run goes on in the session")]
    SessionBusy,
    /// The session has as many contexts as one may have; the text says of what.
    #[error("{0}")]
    SessionFull(String),
    /// The session has no such context.
    #[error("no such context")]
    ContextNotFound,
    /// Nothing by that id runs for that owner.
    #[error("no such execution")]
    ExecutionNotFound,
    /// The worker does not store what it wrote, or not any more.
    #[error("no such output")]
    OutputNotFound,
    /// The standard input of the run is not open, or not any more.
    #[error("the input is not open")]
    InputClosed,
    /// The run does not read its standard input.
    #[error("the input is full")]
    InputFull(Duration),
    /// The session has no such process, or has forgotten it.
    #[error("no such process")]
    ProcessNotFound,
    /// The process has ended.
    #[error("the process has ended")]
    ProcessEnded,
    /// The process has no terminal.
    #[error("the process has no terminal")]
    NoTerminal,
    /// The program of a command cannot be executed; the text says why.
    #[error("{0}")]
    NotExecutable(String),
    /// The session, or its owner, has as many processes as there may be; the text says of what.
    #[error("{0}")]
    TooManyProcesses(String),
    /// Something could not be done with a file; the text says more where there is more to say.
    #[error("{1}")]
    File(FileProblem, String),
    /// The context runs another language.
    #[error("the context runs another language")]
    LanguageMismatch,
    /// A network policy allows more than the worker's operator does; the text names the field.
    #[error("{0}")]
    NetworkRefused(String),
    /// Nobody connects for sandboxes at the moment.
    #[error("there is no network at the moment")]
    NetworkUnavailable,
    /// The worker cannot run the language.
    #[error("the worker cannot run this language")]
    LanguageUnavailable,
    /// The worker refuses a value; the text names the field and is meant for the caller.
    #[error("the worker refuses {}: {}", .0.loc, .0.msg)]
    InvalidArgument(FieldError),
    /// The worker does not know our token.
    #[error("the worker refuses the internal token")]
    Unauthenticated,
    /// The worker took longer than it was given.
    #[error("the worker did not answer in time")]
    DeadlineExceeded,
    /// A fault of the worker.
    #[error("the worker failed")]
    Internal(#[source] Box<Status>),
    /// The worker sent what the contract does not allow.
    #[error("the worker's answer is malformed: {0}")]
    Malformed(&'static str),
}

impl From<Status> for Error {
    fn from(status: Status) -> Self {
        let word = status.metadata().get(ERROR_REASON).and_then(|value| value.to_str().ok());
        if let Some(problem) = word.and_then(problem_of_file) {
            return Self::File(problem, String::from(status.message()));
        }
        match word {
            Some(reason::NETWORK_REFUSED) => Self::NetworkRefused(String::from(status.message())),
            Some(reason::NETWORK_UNAVAILABLE) => Self::NetworkUnavailable,
            Some(reason::SESSION_NOT_FOUND) => Self::SessionNotFound,
            Some(reason::SESSION_EXPIRED) => Self::SessionExpired,
            Some(reason::SESSION_LOST) => Self::SessionLost,
            Some(reason::SESSION_PAUSED) => Self::SessionPaused,
            Some(reason::SESSION_BUSY) => Self::SessionBusy,
            Some(reason::SESSION_FULL) => Self::SessionFull(String::from(status.message())),
            Some(reason::CONTEXT_NOT_FOUND) => Self::ContextNotFound,
            Some(reason::EXECUTION_NOT_FOUND) => Self::ExecutionNotFound,
            Some(reason::OUTPUT_NOT_FOUND) => Self::OutputNotFound,
            Some(reason::STDIN_CLOSED) => Self::InputClosed,
            Some(reason::STDIN_FULL) => Self::InputFull(retry_after(&status)),
            Some(reason::PROCESS_NOT_FOUND) => Self::ProcessNotFound,
            Some(reason::PROCESS_ENDED) => Self::ProcessEnded,
            Some(reason::NO_TERMINAL) => Self::NoTerminal,
            Some(reason::NOT_EXECUTABLE) => Self::NotExecutable(String::from(status.message())),
            Some(reason::TOO_MANY_PROCESSES) => {
                Self::TooManyProcesses(String::from(status.message()))
            }
            Some(reason::LANGUAGE_MISMATCH) => Self::LanguageMismatch,
            Some(reason::LANGUAGE_UNAVAILABLE) => Self::LanguageUnavailable,
            Some(reason::WORKER_FULL) => Self::Full(retry_after(&status), queue_place(&status)),
            Some(reason::OWNER_FULL) => Self::OwnerFull(retry_after(&status), queue_place(&status)),
            Some(reason::SHARE_FULL) => {
                Self::ShareFull(retry_after(&status), String::from(status.message()))
            }
            Some(reason::TOO_MANY_SESSIONS) => Self::TooManySessions,
            Some(reason::INVALID_ARGUMENT) => Self::InvalidArgument(wrong_field(&status)),
            Some(reason::SHUTTING_DOWN) => Self::ShuttingDown(retry_after(&status)),
            Some(reason::UNAUTHENTICATED) => Self::Unauthenticated,
            Some(_) => Self::Internal(Box::new(status)),
            None => without_reason(status),
        }
    }
}

/// What a reason says of a file.
fn problem_of_file(word: &str) -> Option<FileProblem> {
    Some(match word {
        reason::FILE_NOT_FOUND => FileProblem::NotFound,
        reason::FILE_IS_DIRECTORY => FileProblem::Directory,
        reason::FILE_NO_DIRECTORY => FileProblem::NotADirectory,
        reason::FILE_SPECIAL => FileProblem::Special,
        reason::FILE_EXISTS => FileProblem::Exists,
        reason::FILE_NOT_EMPTY => FileProblem::NotEmpty,
        reason::FILE_CHANGED => FileProblem::Changed,
        reason::FILE_REFUSED => FileProblem::Refused,
        reason::FILE_TOO_LARGE => FileProblem::TooLarge,
        reason::DISK_FULL => FileProblem::DiskFull,
        reason::ARCHIVE_REFUSED => FileProblem::Archive,
        reason::FILES_BUSY => FileProblem::Busy,
        _ => return None,
    })
}

fn wrong_field(status: &Status) -> FieldError {
    let field = status.metadata().get(ERROR_FIELD).and_then(|value| value.to_str().ok());
    FieldError::new(field.unwrap_or("body"), status.message())
}

/// A call that failed in between: the worker's own code did not say why.
fn without_reason(status: Status) -> Error {
    if was_never_sent(&status) {
        return Error::Unreachable(Box::new(status));
    }
    if status.code() == Code::DeadlineExceeded {
        return Error::DeadlineExceeded;
    }
    // A status with a source was made on this side, by the transport.
    if status.source().is_some() || status.code() == Code::Unavailable {
        return Error::Lost(Box::new(status));
    }
    Error::Internal(Box::new(status))
}

/// True when the call provably never left: there was no connection, or it closed before the
/// request was written.
pub(super) fn was_never_sent(status: &Status) -> bool {
    let mut cause = status.source();
    while let Some(error) = cause {
        let canceled = error.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_canceled);
        if canceled || error.is::<ConnectError>() {
            return true;
        }
        cause = error.source();
    }
    false
}

fn retry_after(status: &Status) -> Duration {
    number(status, RETRY_AFTER).map_or(DEFAULT_RETRY_AFTER, Duration::from_secs)
}

fn queue_place(status: &Status) -> Option<QueuePlace> {
    let (position, length) = (number(status, QUEUE_POSITION)?, number(status, QUEUE_LENGTH)?);
    Some(QueuePlace { position, length })
}

fn number(status: &Status, key: &str) -> Option<u64> {
    status.metadata().get(key)?.to_str().ok()?.parse().ok()
}
