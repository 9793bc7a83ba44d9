//! What can be done to a session that lives: it is extended, paused, resumed, and given another note.

use std::time::Duration;

use super::show::lives;
use super::{CHANGE_DEADLINE, Sessions, call};
use crate::domain::ids::{SessionId, UserId};
use crate::domain::session::{LiveSession, Session, SessionView};
use crate::services::Error;
use crate::workers::client;

impl Sessions {
    /// Moves the end of a user's session: to `ttl` from now, earlier or later than it was.
    ///
    /// # Errors
    /// When there is none that lives, or its worker cannot be reached.
    pub async fn extend(
        &self,
        user: &UserId,
        id: &SessionId,
        ttl: Duration,
        request_id: &str,
    ) -> Result<SessionView, Error> {
        let session = self.usable(user, id).await?;
        let call = call(request_id, CHANGE_DEADLINE);
        let extended = self.home(&session)?.client().extend_session(&call, id, user, ttl).await;
        let live = self.of_live(&session, extended).await?;
        self.database.session_ends_at(id, live.expires_at).await?;
        Ok(lives(session, live))
    }

    /// Has everything in a user's session stand still until it is used again, or resumed.
    ///
    /// # Errors
    /// [`Error::SessionBusy`] while a run goes on; when there is none that lives, or its worker cannot be reached.
    pub async fn pause(
        &self,
        user: &UserId,
        id: &SessionId,
        request_id: &str,
    ) -> Result<SessionView, Error> {
        let session = self.usable(user, id).await?;
        let call = call(request_id, CHANGE_DEADLINE);
        let paused = self.home(&session)?.client().pause_session(&call, id, user).await;
        let live = self.of_live(&session, paused).await?;
        Ok(lives(session, live))
    }

    /// Has everything in a user's session go on.
    ///
    /// # Errors
    /// When there is none that lives, or its worker cannot be reached or has no room for it.
    pub async fn resume(
        &self,
        user: &UserId,
        id: &SessionId,
        request_id: &str,
    ) -> Result<SessionView, Error> {
        let session = self.usable(user, id).await?;
        let call = call(request_id, CHANGE_DEADLINE);
        let resumed = self.home(&session)?.client().resume_session(&call, id, user).await;
        let live = self.of_live(&session, resumed).await?;
        Ok(lives(session, live))
    }

    /// Gives a user's session another note, a JSON object.
    ///
    /// # Errors
    /// [`Error::SessionNotFound`], or [`Error::WorkerUnavailable`] when nobody can say how it is.
    pub async fn set_metadata(
        &self,
        user: &UserId,
        id: &SessionId,
        metadata: &str,
        request_id: &str,
    ) -> Result<SessionView, Error> {
        if !self.database.set_session_metadata(user, id, metadata).await? {
            return Err(Error::SessionNotFound);
        }
        self.get(user, id, request_id).await
    }

    /// What the worker has answered about a session that we took for live.
    pub(in crate::services) async fn of_live<T>(
        &self,
        session: &Session,
        answer: Result<T, client::Error>,
    ) -> Result<T, Error> {
        match answer {
            Ok(live) => Ok(live),
            Err(error) => Err(self.over(session, &error).await?.unwrap_or(Error::from(error))),
        }
    }

    /// What its worker says of a session in which something is to be found.
    pub(super) async fn live(
        &self,
        session: &Session,
        request_id: &str,
    ) -> Result<LiveSession, Error> {
        let call = call(request_id, super::LOOK_DEADLINE);
        let asked = self.home(session)?.client().session(&call, &session.id, &session.user).await;
        self.of_live(session, asked).await
    }
}
