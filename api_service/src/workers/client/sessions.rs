//! Sessions.

use std::time::Duration;

use proto::execution_v1 as wire;

use super::{Call, Error, WorkerClient, sessions_from_wire, to_wire};
use crate::domain::ids::{SessionId, UserId};
use crate::domain::session::{LiveSession, NewSession};

impl WorkerClient {
    /// Makes a session.
    ///
    /// # Errors
    /// When the worker cannot be reached or does not make it.
    pub async fn create_session(
        &self,
        call: &Call,
        id: &SessionId,
        owner: &UserId,
        new: &NewSession,
    ) -> Result<LiveSession, Error> {
        let message = to_wire::create_session(id, owner, new);
        let answer = self
            .call(call, message, async |rpc, request| rpc.sessions().create_session(request).await);
        sessions_from_wire::session(answer.await?)
    }

    /// Looks at a session.
    ///
    /// # Errors
    /// [`Error::SessionNotFound`], [`Error::SessionExpired`] or [`Error::SessionLost`].
    pub async fn session(
        &self,
        call: &Call,
        id: &SessionId,
        owner: &UserId,
    ) -> Result<LiveSession, Error> {
        let message = wire::GetSessionRequest {
            session_id: id.as_str().to_owned(),
            owner: owner.as_str().to_owned(),
        };
        let answer = self
            .call(call, message, async |rpc, request| rpc.sessions().get_session(request).await);
        sessions_from_wire::session(answer.await?)
    }

    /// All sessions of an owner that live.
    ///
    /// # Errors
    /// When the worker cannot be reached.
    pub async fn sessions(&self, call: &Call, owner: &UserId) -> Result<Vec<LiveSession>, Error> {
        let message = wire::ListSessionsRequest { owner: owner.as_str().to_owned() };
        let answer = self
            .call(call, message, async |rpc, request| rpc.sessions().list_sessions(request).await);
        answer.await?.sessions.into_iter().map(sessions_from_wire::session).collect()
    }

    /// Moves the end of a session: to `ttl` from now.
    ///
    /// # Errors
    /// [`Error::SessionNotFound`], [`Error::SessionExpired`] or [`Error::SessionLost`].
    pub async fn extend_session(
        &self,
        call: &Call,
        id: &SessionId,
        owner: &UserId,
        ttl: Duration,
    ) -> Result<LiveSession, Error> {
        let message = wire::ExtendSessionRequest {
            session_id: id.as_str().to_owned(),
            owner: owner.as_str().to_owned(),
            ttl_seconds: to_wire::seconds(ttl),
        };
        let answer = self
            .call(call, message, async |rpc, request| rpc.sessions().extend_session(request).await);
        sessions_from_wire::session(answer.await?)
    }

    /// Has everything in a session stand still.
    ///
    /// # Errors
    /// [`Error::SessionBusy`], and as [`WorkerClient::session`].
    pub async fn pause_session(
        &self,
        call: &Call,
        id: &SessionId,
        owner: &UserId,
    ) -> Result<LiveSession, Error> {
        let message = wire::PauseSessionRequest {
            session_id: id.as_str().to_owned(),
            owner: owner.as_str().to_owned(),
        };
        let answer = self
            .call(call, message, async |rpc, request| rpc.sessions().pause_session(request).await);
        sessions_from_wire::session(answer.await?)
    }

    /// Has everything in a session go on.
    ///
    /// # Errors
    /// As [`WorkerClient::session`], or when there is no room for it.
    pub async fn resume_session(
        &self,
        call: &Call,
        id: &SessionId,
        owner: &UserId,
    ) -> Result<LiveSession, Error> {
        let message = wire::ResumeSessionRequest {
            session_id: id.as_str().to_owned(),
            owner: owner.as_str().to_owned(),
        };
        let answer = self
            .call(call, message, async |rpc, request| rpc.sessions().resume_session(request).await);
        sessions_from_wire::session(answer.await?)
    }

    /// Ends a session.
    ///
    /// # Errors
    /// [`Error::SessionNotFound`], [`Error::SessionExpired`] or [`Error::SessionLost`].
    pub async fn end_session(
        &self,
        call: &Call,
        id: &SessionId,
        owner: &UserId,
    ) -> Result<(), Error> {
        let message = wire::EndSessionRequest {
            session_id: id.as_str().to_owned(),
            owner: owner.as_str().to_owned(),
        };
        let answer = self
            .call(call, message, async |rpc, request| rpc.sessions().end_session(request).await);
        answer.await.map(|wire::EndSessionResponse {}| ())
    }
}
