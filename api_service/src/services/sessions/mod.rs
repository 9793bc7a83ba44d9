//! Sessions. The gateway remembers whose they are; whether they live is the worker's to say.
//!
//! ```text
//! create ── with a worker's sandbox     change ── extend, pause, resume, metadata
//! show ──── one, or a list of them      contexts ── made, interrupted, restarted, deleted
//! end                                   network ─── what it may reach, what it has reached
//! ```

mod change;
mod contexts;
mod create;
mod end;
mod network;
mod show;
mod wanted;

use std::time::Duration;

use super::Error;
use super::background::Background;
use crate::domain::ids::{BootId, SessionId, UserId};
use crate::domain::session::{EndReason, LiveSession, Session, SessionStage, SessionStatus};
use crate::storage::Database;
use crate::workers::client::{self, Call};
use crate::workers::{Worker, Workers};

/// How long the worker may take to look at a session.
const LOOK_DEADLINE: Duration = Duration::from_secs(10);
/// How long it may take to make or change one.
const CHANGE_DEADLINE: Duration = Duration::from_secs(60);

/// Makes, shows, changes and ends sessions.
#[derive(Clone)]
pub struct Sessions {
    /// Where they are remembered.
    pub database: Database,
    /// Where they live.
    pub workers: Workers,
    /// Makes them to the end, even when the caller goes away.
    pub background: Background,
    /// This life of the gateway.
    pub boot: BootId,
}

impl Sessions {
    /// The session, when a run may be tried in it.
    pub(super) async fn usable(&self, user: &UserId, id: &SessionId) -> Result<Session, Error> {
        let session = self.find(user, id).await?;
        match session.stage {
            SessionStage::Starting | SessionStage::Live => Ok(session),
            SessionStage::Ended(EndReason::Expired) => Err(Error::SessionExpired),
            SessionStage::Ended(EndReason::Lost) => Err(Error::SessionLost),
            SessionStage::Ended(EndReason::Deleted) => Err(Error::SessionNotFound),
        }
    }

    /// What it means that a call about a session, which we took for live, failed with `error`; an end
    /// of the session is noted. `None` when it says nothing of the session.
    pub(super) async fn over(
        &self,
        session: &Session,
        error: &client::Error,
    ) -> Result<Option<Error>, Error> {
        let Some(reason) = end_reason(error, session) else {
            return Ok(None);
        };
        self.database.end_session(&session.id, reason).await?;
        Ok(Some(match reason {
            EndReason::Expired => Error::SessionExpired,
            EndReason::Lost | EndReason::Deleted => Error::SessionLost,
        }))
    }

    /// The worker that a session lives on.
    pub(super) fn home(&self, session: &Session) -> Result<&Worker, Error> {
        let home = self.workers.home(session.worker_instance.as_deref());
        home.ok_or(Error::Fault("no worker is configured"))
    }

    async fn find(&self, user: &UserId, id: &SessionId) -> Result<Session, Error> {
        self.database.session_of(user, id).await?.ok_or(Error::SessionNotFound)
    }
}

fn call(request_id: &str, deadline: Duration) -> Call {
    Call { request_id: request_id.to_owned(), deadline }
}

fn status_of(live: &LiveSession) -> SessionStatus {
    match live {
        LiveSession { paused: true, .. } => SessionStatus::Paused,
        LiveSession { busy: true, .. } => SessionStatus::Busy,
        _ => SessionStatus::Active,
    }
}

/// Why a session that we took for live is over, if the worker says that it is. A worker that does
/// not know it has forgotten it after its time, or has lost it.
fn end_reason(error: &client::Error, session: &Session) -> Option<EndReason> {
    match error {
        client::Error::SessionExpired => Some(EndReason::Expired),
        client::Error::SessionLost | client::Error::SessionNotFound => {
            let in_time = !session.expires_at.has_passed();
            Some(if in_time { EndReason::Lost } else { EndReason::Expired })
        }
        _ => None,
    }
}
