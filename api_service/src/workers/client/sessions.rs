//! Sessions.

use proto::execution_v1 as wire;

use super::{Call, Error, WorkerClient, from_wire, to_wire};
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
        from_wire::session(answer.await?)
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
        from_wire::session(answer.await?)
    }

    /// All sessions of an owner that live.
    ///
    /// # Errors
    /// When the worker cannot be reached.
    pub async fn sessions(&self, call: &Call, owner: &UserId) -> Result<Vec<LiveSession>, Error> {
        let message = wire::ListSessionsRequest { owner: owner.as_str().to_owned() };
        let answer = self
            .call(call, message, async |rpc, request| rpc.sessions().list_sessions(request).await);
        answer.await?.sessions.into_iter().map(from_wire::session).collect()
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
