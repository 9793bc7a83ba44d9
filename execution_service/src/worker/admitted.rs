//! A run that was accepted: what it is given, and what comes of it.

use tokio::time;
use tokio_util::sync::CancellationToken;

use super::admission::Ticket;
use super::cleanup::Cleanup;
use crate::execution::limits::Limits;
use crate::execution::outcome::Phases;
use crate::execution::request::Request;
use crate::execution::run::Completed;
use crate::execution::sharing::What;
use crate::execution::sink::Sink;

/// An accepted run, with what it may use and may be stopped by.
pub(super) struct Admitted<'a> {
    pub(super) request: &'a Request,
    pub(super) limits: Limits,
    pub(super) cancelled: &'a CancellationToken,
    pub(super) sink: &'a Sink,
}

/// The right to run, some time.
pub(super) struct Turn {
    pub(super) ticket: Ticket,
    /// When it is too late to begin.
    pub(super) latest: Option<time::Instant>,
}

/// How an accepted run came to its end.
pub(super) enum Ended {
    /// It ran.
    Ran(Box<Ran>),
    /// It was cancelled while it waited.
    Waiting,
}

/// A run that ran.
pub(super) struct Ran {
    pub(super) completed: Completed,
    pub(super) phases: Phases,
    /// In a session: what earlier runs have left in the interpreter is gone.
    pub(super) state_lost: bool,
    /// In a session: what is to be done behind the answer.
    pub(super) cleanup: Option<Cleanup>,
}

impl Admitted<'_> {
    /// What it may use of the sandbox that it runs in.
    pub(super) fn wants(&self) -> What {
        What::Run { cpu: self.limits.cpu, sandbox: self.limits.sandbox }
    }
}
