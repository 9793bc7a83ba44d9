//! What can be done to a run from outside while it goes on: it is interrupted, or ended for a reason that its
//! caller is told.

use std::sync::OnceLock;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::language::diagnostic::{Diagnostic, Kind};

/// Why a run was ended that nobody has cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The owner of its session ended that.
    SessionDeleted,
    /// The time of its session ran out.
    SessionExpired,
    /// The sandbox of its session is gone.
    SessionLost,
    /// The owner of its context ended that.
    ContextDeleted,
    /// Its context got another interpreter.
    ContextRestarted,
}

impl Cause {
    /// What its caller is told.
    pub fn diagnostic(self) -> Diagnostic {
        let (name, message, hint) = match self {
            Self::SessionDeleted => {
                ("SessionEnded", "the session was deleted while this ran", "make another session")
            }
            Self::SessionExpired => (
                "SessionEnded",
                "the session's time to live ran out while this ran",
                "make another session with a longer ttl, or extend it in time",
            ),
            Self::SessionLost => (
                "SessionEnded",
                "the session was ended while this ran: its sandbox is gone",
                "make another session",
            ),
            Self::ContextDeleted => {
                ("ContextEnded", "the context was deleted while this ran", "make another context")
            }
            Self::ContextRestarted => (
                "ContextRestarted",
                "the context was restarted while this ran",
                "run it again; what earlier runs have defined is gone",
            ),
        };
        Diagnostic::new(Kind::Signal, name, message).hint(hint)
    }
}

/// One run that goes on.
#[derive(Debug)]
pub struct Handle {
    interrupt: Notify,
    stop: CancellationToken,
    cause: OnceLock<Cause>,
}

impl Handle {
    /// Of a run that ends when `stop` fires.
    pub fn new(stop: CancellationToken) -> Self {
        Self { interrupt: Notify::new(), stop, cause: OnceLock::new() }
    }

    /// Has the program stop what it does, as a keyboard would. One that does not begin before later is interrupted
    /// then.
    pub fn interrupt(&self) {
        self.interrupt.notify_one();
    }

    /// Ends the run. The first cause counts.
    pub fn end(&self, cause: Cause) {
        let _ = self.cause.set(cause);
        self.stop.cancel();
    }

    /// Why it was ended, if [`Handle::end`] did that.
    pub fn cause(&self) -> Option<Cause> {
        self.cause.get().copied()
    }

    /// Completes when it is to be interrupted, for one who waits.
    pub async fn interrupted(&self) {
        self.interrupt.notified().await;
    }

    /// Fires when it is to end.
    pub fn stop(&self) -> &CancellationToken {
        &self.stop
    }
}
