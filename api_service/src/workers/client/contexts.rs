//! Contexts of sessions, each named by the session and its owner.

use proto::execution_v1 as wire;

use super::{Call, Error, WorkerClient, sessions_from_wire, to_wire};
use crate::domain::context::{Context, NewContext};
use crate::domain::ids::{ContextId, SessionId, UserId};
use crate::domain::session::LiveSession;

impl WorkerClient {
    /// Makes one more context in a session.
    ///
    /// # Errors
    /// When there is no such session, its directory cannot be had, or there are too many.
    pub async fn create_context(
        &self,
        call: &Call,
        of: (&SessionId, &UserId),
        id: &ContextId,
        new: &NewContext,
    ) -> Result<Context, Error> {
        let message = to_wire::create_context(of, id, new);
        let answer = self
            .call(call, message, async |rpc, request| rpc.sessions().create_context(request).await);
        sessions_from_wire::context(answer.await?)
    }

    /// Interrupts what runs in a context, or in all of the session. Whether something did.
    ///
    /// # Errors
    /// When there is no such session or context.
    pub async fn interrupt_contexts(
        &self,
        call: &Call,
        (session, owner): (&SessionId, &UserId),
        context: Option<&ContextId>,
    ) -> Result<bool, Error> {
        let message = wire::InterruptContextsRequest {
            session_id: session.as_str().to_owned(),
            owner: owner.as_str().to_owned(),
            context_id: context.map_or_else(String::new, ToString::to_string),
        };
        let answer = self.call(call, message, async |rpc, request| {
            rpc.sessions().interrupt_contexts(request).await
        });
        Ok(answer.await?.interrupted)
    }

    /// Gives a context a new interpreter, or all of the session; gives the session.
    ///
    /// # Errors
    /// When there is no such session or context.
    pub async fn restart_contexts(
        &self,
        call: &Call,
        (session, owner): (&SessionId, &UserId),
        context: Option<&ContextId>,
    ) -> Result<LiveSession, Error> {
        let message = wire::RestartContextsRequest {
            session_id: session.as_str().to_owned(),
            owner: owner.as_str().to_owned(),
            context_id: context.map_or_else(String::new, ToString::to_string),
        };
        let answer = self.call(call, message, async |rpc, request| {
            rpc.sessions().restart_contexts(request).await
        });
        sessions_from_wire::session(answer.await?)
    }

    /// Deletes a context.
    ///
    /// # Errors
    /// When there is no such session or context.
    pub async fn delete_context(
        &self,
        call: &Call,
        (session, owner): (&SessionId, &UserId),
        context: &ContextId,
    ) -> Result<(), Error> {
        let message = wire::DeleteContextRequest {
            session_id: session.as_str().to_owned(),
            owner: owner.as_str().to_owned(),
            context_id: context.to_string(),
        };
        let answer = self
            .call(call, message, async |rpc, request| rpc.sessions().delete_context(request).await);
        answer.await.map(|wire::DeleteContextResponse {}| ())
    }
}
