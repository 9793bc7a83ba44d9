//! What a service can answer instead of a result. Variants are meanings; what each is called over
//! HTTP is said in one table elsewhere.

use std::sync::Arc;
use std::time::Duration;

use thiserror::Error as ThisError;

use crate::domain::field_error::FieldError;
use crate::domain::files::FileProblem;
use crate::domain::ids::ExecutionId;
use crate::domain::language::LanguageName;
use crate::domain::queue::QueuePlace;
use crate::domain::scope::Scope;
use crate::storage;
use crate::workers::{NoPlacement, client};

/// How long to wait for a worker that is down.
const WORKER_RETRY_AFTER: Duration = Duration::from_secs(2);

/// A request that was not fulfilled.
#[derive(Debug, Clone, ThisError)]
pub enum Error {
    /// No such user, or another password: which of them is not told.
    #[error("the user name or the password is wrong")]
    BadCredentials,
    /// The password is right, and the user may not sign in.
    #[error("the user is disabled")]
    UserDisabled,
    /// The password to be changed is another one.
    #[error("the present password is wrong")]
    WrongPassword,
    /// Too many sign-ins by that name or from that address.
    #[error("too many sign-in attempts")]
    TooManyAttempts(Duration),
    /// More sign-ins at once than this machine can check.
    #[error("too many sign-ins at once")]
    SignInBusy,
    /// The refresh token is unknown, expired, revoked or used.
    #[error("the refresh token is not valid")]
    RefreshRefused,
    /// The credential is unknown, malformed or revoked.
    #[error("the credential is not valid")]
    CredentialInvalid,
    /// The credential was good once.
    #[error("the credential has expired")]
    CredentialExpired,
    /// The credential does not hold this scope.
    #[error("the credential lacks the scope {0}")]
    ScopeMissing(Scope),
    /// Somebody has the name.
    #[error("the user name is taken")]
    UsernameTaken,
    /// There is no user with that id.
    #[error("no such user")]
    UserNotFound,
    /// Nobody else can administer.
    #[error("the only administrator")]
    LastAdmin,
    /// Whoever changes the own password has to know the present one.
    #[error("the own password cannot be reset")]
    OwnPassword,
    /// The user has as many API keys as one may have.
    #[error("too many API keys")]
    TooManyApiKeys,
    /// No such key of that user.
    #[error("no such API key")]
    ApiKeyNotFound,
    /// No such execution of that user.
    #[error("no such execution")]
    ExecutionNotFound,
    /// The execution has ended.
    #[error("the execution is not running")]
    ExecutionNotRunning,
    /// The execution goes on in another gateway, which alone can say what happens in it.
    #[error("the execution goes on elsewhere")]
    ExecutionElsewhere,
    /// Whoever started it wants it no more.
    #[error("the execution {0} was cancelled by the end of its caller")]
    ExecutionCancelled(ExecutionId),
    /// The gateway ends, and with it what it runs.
    #[error("the gateway is stopping")]
    GatewayStopping,
    /// The execution has not ended.
    #[error("the execution is still running")]
    ExecutionStillRunning,
    /// The standard input of the execution was not left open, or is over.
    #[error("the input is not open")]
    InputClosed,
    /// The execution does not read what it was sent.
    #[error("the input is full")]
    InputFull(Duration),
    /// The operator allows no webhooks to this host.
    #[error("webhooks to {0} are not allowed")]
    WebhookRefused(String),
    /// What it wrote was too long, or no text, and is kept nowhere.
    #[error("the output was not kept")]
    OutputNotKept,
    /// The run has left no such file.
    #[error("no such artifact")]
    ArtifactNotFound,
    /// What it wrote was kept for a while.
    #[error("the output is not kept any more")]
    OutputGone {
        /// Its time was up; otherwise it had to go before.
        expired: bool,
    },
    /// The output has no byte in that range; it has so many.
    #[error("no such range of {0} bytes")]
    NoSuchRange(u64),
    /// The worker, or the gateway, was lost while the run went on.
    #[error("the worker was lost while it ran {0}")]
    ExecutionUnknown(ExecutionId, #[source] Option<client::Error>),
    /// No such session of that user.
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
    /// The session has as many of something as one may have; the text says of what.
    #[error("{0}")]
    SessionFull(String),
    /// No such context of that session.
    #[error("no such context")]
    ContextNotFound,
    /// No such process in that session, or not any more.
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
    /// The session or the user has as many of something as there may be; the text says of what.
    #[error("{0}")]
    TooManyProcesses(String),
    /// Something could not be done with a file; the text says more where there is more to say.
    #[error("{1}")]
    File(FileProblem, String),
    /// The context runs another language.
    #[error("the context runs another language")]
    LanguageMismatch,
    /// A network policy allows more than the operator does; the text names the field.
    #[error("{0}")]
    NetworkRefused(String),
    /// Nobody connects for sandboxes at the moment.
    #[error("there is no network at the moment")]
    NetworkUnavailable(Duration),
    /// The worker cannot run the language.
    #[error("{0} is not available here")]
    LanguageUnavailable(LanguageName),
    /// The user has as many sessions as one may have.
    #[error("too many sessions")]
    TooManySessions,
    /// Every slot of the worker is taken.
    #[error("the worker is full")]
    WorkerFull(Duration, Option<QueuePlace>),
    /// The user has as many runs waiting as one may have.
    #[error("too many runs of this user wait")]
    OwnerFull(Duration, Option<QueuePlace>),
    /// The user's sandboxes have been promised as much as those of one user may; the text says of what.
    #[error("{1}")]
    ShareFull(Duration, String),
    /// The worker cannot be reached.
    #[error("the worker is unavailable")]
    WorkerUnavailable(Duration, #[source] Option<client::Error>),
    /// A value is refused: by the worker, or because of what the workers are.
    #[error("{}: {}", .0.loc, .0.msg)]
    Refused(FieldError),
    /// The idempotency key came with another body before.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// The first request of the idempotency key is still running.
    #[error("the first request with this idempotency key is still running")]
    KeyInProgress,
    /// The first request of the idempotency key was cut off; this is what it began.
    #[error("the first request with this idempotency key was cut off")]
    KeyUnknown(Option<ExecutionId>),
    /// So much waits to be written that no more is taken on.
    #[error("the database does not keep up")]
    DatabaseBehind,
    /// The database failed.
    #[error(transparent)]
    Storage(Arc<storage::Error>),
    /// The worker failed, or does not keep the contract.
    #[error(transparent)]
    Worker(client::Error),
    /// Something that cannot happen on a machine that works.
    #[error("internal fault: {0}")]
    Fault(&'static str),
}

impl Error {
    /// What a failed call means for a run or a session in `language`.
    pub(super) fn of_call(error: client::Error, language: &LanguageName) -> Self {
        match error {
            client::Error::LanguageUnavailable => Self::LanguageUnavailable(language.clone()),
            error => Self::from(error),
        }
    }

    /// True when something broke on our side, which says nothing of what was asked.
    pub fn is_ours(&self) -> bool {
        matches!(self, Self::Storage(_) | Self::Fault(_))
    }

    /// True when the request may have had an effect all the same.
    pub fn leaves_doubt(&self) -> bool {
        use client::Error as Call;
        matches!(
            self,
            Self::ExecutionUnknown(..)
                | Self::ExecutionCancelled(_)
                | Self::GatewayStopping
                | Self::WorkerUnavailable(_, Some(Call::Lost(_) | Call::DeadlineExceeded))
                | Self::Worker(Call::Malformed(_))
        )
    }
}

impl From<storage::Error> for Error {
    fn from(error: storage::Error) -> Self {
        match error {
            // The credential outlived its user.
            storage::Error::NoSuchUser => Self::CredentialInvalid,
            error => Self::Storage(Arc::new(error)),
        }
    }
}

impl From<NoPlacement> for Error {
    fn from(none: NoPlacement) -> Self {
        match none {
            NoPlacement::Unreachable(Some(error)) => Self::from(error),
            NoPlacement::Unreachable(None) => Self::WorkerUnavailable(WORKER_RETRY_AFTER, None),
            NoPlacement::LanguageMissing(name) => Self::LanguageUnavailable(name),
            NoPlacement::UnknownLanguage(offer) => {
                Self::Refused(FieldError::new("language", offer.refusal()))
            }
        }
    }
}

impl From<client::Error> for Error {
    fn from(error: client::Error) -> Self {
        use client::Error as Call;
        match error {
            Call::Unreachable(_) | Call::Lost(_) | Call::DeadlineExceeded => {
                Self::WorkerUnavailable(WORKER_RETRY_AFTER, Some(error))
            }
            Call::ShuttingDown(after) => Self::WorkerUnavailable(after, Some(error)),
            Call::Full(after, place) => Self::WorkerFull(after, place),
            Call::OwnerFull(after, place) => Self::OwnerFull(after, place),
            Call::ShareFull(after, what) => Self::ShareFull(after, what),
            Call::TooManySessions => Self::TooManySessions,
            Call::SessionNotFound => Self::SessionNotFound,
            Call::SessionExpired => Self::SessionExpired,
            Call::SessionLost => Self::SessionLost,
            Call::SessionPaused => Self::SessionPaused,
            Call::SessionBusy => Self::SessionBusy,
            Call::SessionFull(of_what) => Self::SessionFull(of_what),
            Call::ContextNotFound => Self::ContextNotFound,
            Call::ExecutionNotFound => Self::ExecutionNotFound,
            Call::OutputNotFound => Self::OutputNotKept,
            Call::InputClosed => Self::InputClosed,
            Call::InputFull(after) => Self::InputFull(after),
            Call::ProcessNotFound => Self::ProcessNotFound,
            Call::ProcessEnded => Self::ProcessEnded,
            Call::NoTerminal => Self::NoTerminal,
            Call::NotExecutable(why) => Self::NotExecutable(why),
            Call::TooManyProcesses(what) => Self::TooManyProcesses(what),
            Call::File(problem, text) => Self::File(problem, text),
            Call::NetworkRefused(text) => Self::NetworkRefused(text),
            Call::NetworkUnavailable => Self::NetworkUnavailable(WORKER_RETRY_AFTER),
            Call::LanguageMismatch => Self::LanguageMismatch,
            Call::InvalidArgument(field) => Self::Refused(field),
            Call::LanguageUnavailable
            | Call::UnusableUrl
            | Call::UnusableToken
            | Call::UnusableRequestId
            | Call::Unauthenticated
            | Call::Internal(_)
            | Call::Malformed(_) => Self::Worker(error),
        }
    }
}
