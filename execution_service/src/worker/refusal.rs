//! Why the worker does not do what it was asked.

use std::io;

use super::admission::QueueFull;
use crate::broker::NoWayOut;
use crate::execution::input::InputError;
use crate::execution::kernel::KernelError;
use crate::execution::limits::OutOfRange;
use crate::execution::outputs::Unreadable;
use crate::files::Busy;
use crate::language::{FlagError, Language};
use crate::owners::{NotPaused, Overcommitted};
use crate::sandbox::backend::SandboxError;
use crate::sandbox::files::FileError;
use crate::session::processes::ProcessError;
use crate::session::{ContextError, NotAwake, SessionError};

/// Why a run or a session was refused, or could not be had. Never how a user's program ended.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// A wish outside of the range.
    #[error(transparent)]
    Limits(#[from] OutOfRange),
    /// A compiler flag that is not on the list.
    #[error(transparent)]
    Flag(#[from] FlagError),
    /// A limit that a session fixes.
    #[error("is fixed when the session is created")]
    FixedInSession(&'static str),
    /// See [`SessionError`].
    #[error(transparent)]
    Session(#[from] SessionError),
    /// See [`ContextError`].
    #[error(transparent)]
    Context(#[from] ContextError),
    /// See [`ProcessError`].
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// A session that only its owner's word resumes.
    #[error("the session is paused")]
    Paused,
    /// A session in which a run goes on cannot be paused.
    #[error("a run goes on in the session")]
    Busy,
    /// A directory that a context is to begin in cannot be had.
    #[error("must be a directory of the workspace: {0}")]
    NoDirectory(FileError),
    /// A file that a session is to begin with cannot be written: its path, and why.
    #[error("cannot be written: {1}")]
    NotWritten(String, io::Error),
    /// A command without a program.
    #[error("must name a program")]
    EmptyCommand,
    /// A command whose program cannot be executed in its session.
    #[error("cannot be executed: {0}")]
    NotExecutable(io::Error),
    /// See [`FileError`].
    #[error(transparent)]
    File(#[from] FileError),
    /// What should be unpacked is no archive, or holds what may not be unpacked; or what should be packed is too much.
    #[error("{0}")]
    Archive(String),
    /// The workspace does not take an entry of an archive.
    #[error("{entry}: {error}")]
    FileInArchive {
        /// Its name, as text.
        entry: String,
        /// Why.
        error: FileError,
    },
    /// See [`Busy`].
    #[error(transparent)]
    FilesBusy(#[from] Busy),
    /// No toolchain for it here.
    #[error("{0} is not available here")]
    LanguageUnavailable(Language),
    /// An execution with that id runs already.
    #[error("is running already")]
    ExecutionExists,
    /// Nothing by that id runs here for that owner.
    #[error("no such execution is running")]
    ExecutionNotFound,
    /// See [`InputError`].
    #[error(transparent)]
    Input(#[from] InputError),
    /// What it wrote is not stored, not any more, or not for that owner.
    #[error("no such output is stored")]
    OutputNotFound,
    /// A stored output cannot be read, or not yet: a fault of ours, or of the disk.
    #[error(transparent)]
    Output(#[from] Unreadable),
    /// See [`QueueFull`].
    #[error(transparent)]
    Queue(#[from] QueueFull),
    /// See [`Overcommitted`].
    #[error(transparent)]
    Overcommitted(#[from] Overcommitted),
    /// A policy allows more than the operator does.
    #[error("{asked} is beyond what the operator of this service allows (EGRESS_ALLOW)")]
    Network {
        /// Which of the patterns that it allows.
        index: usize,
        /// That pattern. What the operator allows names hosts that are nobody's business.
        asked: String,
    },
    /// A run in a session cannot have a policy of its own.
    #[error("is the session's, for a run in one: change it there")]
    NetworkOfSession,
    /// See [`NoWayOut`].
    #[error(transparent)]
    NoWayOut(NoWayOut),
    /// The worker is ending.
    #[error("the worker is ending")]
    ShuttingDown,
    /// Its sandboxes do not answer; it may be better soon.
    #[error("the worker cannot make sandboxes at the moment")]
    Stalled,
    /// A fault of ours.
    #[error(transparent)]
    Kernel(KernelError),
}

impl From<NotAwake> for WorkerError {
    fn from(error: NotAwake) -> Self {
        match error {
            NotAwake::Paused => Self::Paused,
            NotAwake::Overcommitted(full) => Self::Overcommitted(full),
        }
    }
}

impl From<NotPaused> for WorkerError {
    fn from(error: NotPaused) -> Self {
        match error {
            NotPaused::RunGoesOn => Self::Busy,
            NotPaused::Sandbox(error) => Self::from(KernelError::from(error)),
        }
    }
}

impl From<KernelError> for WorkerError {
    fn from(error: KernelError) -> Self {
        match error {
            // The worker cannot go on without it, and is about to notice.
            KernelError::Sandbox(SandboxError::BackendGone) => Self::ShuttingDown,
            KernelError::Sandbox(SandboxError::Silent) => Self::Stalled,
            KernelError::Sandbox(_) | KernelError::NotReady(_) | KernelError::Stopped(_) => {
                Self::Kernel(error)
            }
        }
    }
}
