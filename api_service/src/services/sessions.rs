//! Sessions. The gateway remembers whose they are; whether they live is the worker's to say.

use std::time::Duration;

use futures::future::try_join_all;

use super::Error;
use super::background::Background;
use crate::domain::ids::{BootId, SessionId, UserId};
use crate::domain::language::LanguageName;
use crate::domain::page::{Page, PageRequest};
use crate::domain::session::{
    EndReason, LiveSession, NewSession, Session, SessionStage, SessionStatus,
};
use crate::domain::timestamp::Timestamp;
use crate::storage::Database;
use crate::workers::client::{self, Call};
use crate::workers::{Placement, Worker, Workers};

/// How long the worker may take to look at a session.
const LOOK_DEADLINE: Duration = Duration::from_secs(10);
/// How long it may take to make or end one.
const CHANGE_DEADLINE: Duration = Duration::from_secs(60);

/// Makes, shows and ends sessions.
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
    /// Makes a session.
    ///
    /// # Errors
    /// When the worker does not make it.
    pub async fn create(
        &self,
        user: &UserId,
        new: NewSession,
        request_id: &str,
    ) -> Result<Session, Error> {
        let placement = self.workers.place(&new.language, request_id).await?;
        let new = NewSession { language: placement.language.name.clone(), ..new };
        let now = Timestamp::now();
        let session = Session {
            id: SessionId::generate(),
            user: user.clone(),
            language: new.language.clone(),
            created_at: now,
            expires_at: now.after(new.ttl),
            metadata: new.metadata.clone(),
            worker_instance: Some(placement.account.instance_id.clone()),
            stage: SessionStage::Starting,
        };
        let call = call(request_id, CHANGE_DEADLINE);
        // A caller who leaves half-way must not leave a sandbox behind that nobody knows of.
        let making = self.clone().make(placement, session, new, call);
        self.background.finish(making).await.ok_or(Error::Fault("a session's maker ended"))?
    }

    async fn make(
        self,
        placement: Placement,
        mut session: Session,
        new: NewSession,
        call: Call,
    ) -> Result<Session, Error> {
        self.database.insert_session(&session, &self.boot).await?;
        let made =
            placement.worker.client().create_session(&call, &session.id, &session.user, &new).await;
        match made {
            Ok(live) => {
                self.database.session_is_live(&live).await?;
                session.created_at = live.created_at;
                session.expires_at = live.expires_at;
                session.stage = SessionStage::Live;
                Ok(session)
            }
            Err(error) => {
                let error = Error::of_call(error, &session.language);
                if error.leaves_doubt() {
                    // It may live: whoever looks at it next will know.
                    let Session { id, created_at, expires_at, .. } = session;
                    let perhaps = LiveSession { id, created_at, expires_at, busy: false };
                    self.database.session_is_live(&perhaps).await?;
                } else {
                    self.database.delete_session_row(&session.id).await?;
                }
                Err(error)
            }
        }
    }

    /// A user's session and how it is.
    ///
    /// # Errors
    /// [`Error::SessionNotFound`], or [`Error::WorkerUnavailable`] when nobody can say how it is.
    pub async fn get(
        &self,
        user: &UserId,
        id: &SessionId,
        request_id: &str,
    ) -> Result<(Session, SessionStatus), Error> {
        let session = self.find(user, id).await?;
        let status = match session.stage {
            SessionStage::Starting | SessionStage::Live => {
                self.look_at(&session, request_id).await?
            }
            SessionStage::Ended(reason) => ended(reason)?,
        };
        Ok((session, status))
    }

    /// A user's sessions and how they are, newest first.
    ///
    /// # Errors
    /// [`Error::WorkerUnavailable`] when nobody can say how they are.
    pub async fn list(
        &self,
        user: &UserId,
        page: &PageRequest<SessionId>,
        request_id: &str,
    ) -> Result<Page<(Session, SessionStatus), SessionId>, Error> {
        let Page { items, next } = self.database.sessions_of(user, page).await?;
        let any_live = items.iter().any(|session| session.stage == SessionStage::Live);
        let live = if any_live {
            let call = call(request_id, LOOK_DEADLINE);
            let asked = self.workers.each().iter();
            try_join_all(asked.map(|worker| worker.client().sessions(&call, user))).await?.concat()
        } else {
            Vec::new()
        };
        let mut shown = Vec::with_capacity(items.len());
        for session in items {
            let known = live.iter().find(|live| live.id == session.id);
            let status = match (session.stage, known) {
                (SessionStage::Ended(reason), _) => ended(reason)?,
                (SessionStage::Starting | SessionStage::Live, Some(live)) => status_of(live),
                (SessionStage::Starting | SessionStage::Live, None) => {
                    self.look_at(&session, request_id).await?
                }
            };
            shown.push((session, status));
        }
        Ok(Page { items: shown, next })
    }

    /// Ends a user's session. One that had ended by itself is put away.
    ///
    /// # Errors
    /// [`Error::SessionNotFound`], also the second time.
    pub async fn end(&self, user: &UserId, id: &SessionId, request_id: &str) -> Result<(), Error> {
        let session = self.find(user, id).await?;
        let alive = match session.stage {
            SessionStage::Starting | SessionStage::Live => {
                let call = call(request_id, CHANGE_DEADLINE);
                match self.home(&session)?.client().end_session(&call, id, user).await {
                    Ok(()) => true,
                    Err(
                        client::Error::SessionNotFound
                        | client::Error::SessionExpired
                        | client::Error::SessionLost,
                    ) => false,
                    Err(error) => return Err(Error::from(error)),
                }
            }
            SessionStage::Ended(_) => false,
        };
        if !alive {
            self.database.put_away_session(id).await?;
        } else if !self.database.end_session(id, EndReason::Deleted).await? {
            // Two callers ended it at once: the other one did.
            return Err(Error::SessionNotFound);
        }
        Ok(())
    }

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

    /// What it means that a run in a session, which we took for live, failed with `error`; an end
    /// of the session is noted.
    pub(super) async fn failed_in(
        &self,
        session: &Session,
        error: client::Error,
        language: &LanguageName,
    ) -> Result<Error, Error> {
        let Some(reason) = end_reason(&error, session) else {
            return Ok(Error::of_call(error, language));
        };
        self.database.end_session(&session.id, reason).await?;
        Ok(match reason {
            EndReason::Expired => Error::SessionExpired,
            EndReason::Lost | EndReason::Deleted => Error::SessionLost,
        })
    }

    /// The worker that a session lives on.
    pub(super) fn home(&self, session: &Session) -> Result<&Worker, Error> {
        let home = self.workers.home(session.worker_instance.as_deref());
        home.ok_or(Error::Fault("no worker is configured"))
    }

    async fn find(&self, user: &UserId, id: &SessionId) -> Result<Session, Error> {
        self.database.session_of(user, id).await?.ok_or(Error::SessionNotFound)
    }

    /// Asks the worker about a session that we take for live, and notes when it is not.
    async fn look_at(&self, session: &Session, request_id: &str) -> Result<SessionStatus, Error> {
        let call = call(request_id, LOOK_DEADLINE);
        let asked = self.home(session)?.client().session(&call, &session.id, &session.user);
        let error = match asked.await {
            Ok(live) => return Ok(status_of(&live)),
            Err(error) => error,
        };
        let Some(reason) = end_reason(&error, session) else {
            return Err(Error::from(error));
        };
        self.database.end_session(&session.id, reason).await?;
        ended(reason)
    }
}

fn call(request_id: &str, deadline: Duration) -> Call {
    Call { request_id: request_id.to_owned(), deadline }
}

fn status_of(live: &LiveSession) -> SessionStatus {
    if live.busy { SessionStatus::Busy } else { SessionStatus::Active }
}

fn ended(reason: EndReason) -> Result<SessionStatus, Error> {
    match reason {
        EndReason::Expired => Ok(SessionStatus::Expired),
        EndReason::Lost => Ok(SessionStatus::Lost),
        EndReason::Deleted => Err(Error::SessionNotFound),
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
