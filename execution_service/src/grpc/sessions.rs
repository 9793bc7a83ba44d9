//! Sessions: wire to ours, one call of the worker, ours to wire.

use std::sync::Arc;

use proto::execution_v1 as wire;
use tonic::{Request, Response, Status};

use super::status::status;
use super::{sessions_from_wire, to_wire};
use crate::session::Session;
use crate::worker::Worker;

/// Serves `execution.v1.Sessions`.
pub struct Sessions {
    worker: Arc<Worker>,
}

impl Sessions {
    /// For `worker`.
    pub fn new(worker: Arc<Worker>) -> Self {
        Self { worker }
    }

    fn told(&self, session: &Session) -> Response<wire::Session> {
        Response::new(to_wire::session(&self.worker, session))
    }
}

#[tonic::async_trait]
impl wire::sessions_server::Sessions for Sessions {
    async fn create_session(
        &self,
        request: Request<wire::CreateSessionRequest>,
    ) -> Result<Response<wire::Session>, Status> {
        let (new, limits) = sessions_from_wire::new_session(request.into_inner())?;
        let session =
            self.worker.create_session(new, limits).await.map_err(|error| status(&error))?;
        Ok(self.told(&session))
    }

    async fn get_session(
        &self,
        request: Request<wire::GetSessionRequest>,
    ) -> Result<Response<wire::Session>, Status> {
        let wire::GetSessionRequest { session_id, owner } = request.into_inner();
        let session =
            self.worker.sessions.get(&session_id, &owner).map_err(|error| status(&error.into()))?;
        let usage = self.worker.usage_of(&session).await.map(to_wire::session_usage);
        Ok(Response::new(wire::Session { usage, ..to_wire::session(&self.worker, &session) }))
    }

    async fn list_sessions(
        &self,
        request: Request<wire::ListSessionsRequest>,
    ) -> Result<Response<wire::ListSessionsResponse>, Status> {
        let wire::ListSessionsRequest { owner } = request.into_inner();
        let sessions = self.worker.sessions.of(&owner);
        let sessions =
            sessions.iter().map(|session| to_wire::session(&self.worker, session)).collect();
        Ok(Response::new(wire::ListSessionsResponse { sessions }))
    }

    async fn extend_session(
        &self,
        request: Request<wire::ExtendSessionRequest>,
    ) -> Result<Response<wire::Session>, Status> {
        let wire::ExtendSessionRequest { session_id, owner, ttl_seconds } = request.into_inner();
        let ttl = sessions_from_wire::ttl(ttl_seconds)?;
        let session = self.worker.extend_session(&session_id, &owner, ttl);
        let session = session.map_err(|error| status(&error))?;
        Ok(self.told(&session))
    }

    async fn end_session(
        &self,
        request: Request<wire::EndSessionRequest>,
    ) -> Result<Response<wire::EndSessionResponse>, Status> {
        let wire::EndSessionRequest { session_id, owner } = request.into_inner();
        self.worker.end_session(&session_id, &owner).await.map_err(|error| status(&error))?;
        Ok(Response::new(wire::EndSessionResponse {}))
    }

    async fn pause_session(
        &self,
        request: Request<wire::PauseSessionRequest>,
    ) -> Result<Response<wire::Session>, Status> {
        let wire::PauseSessionRequest { session_id, owner } = request.into_inner();
        let session = self.worker.pause_session(&session_id, &owner).await;
        Ok(self.told(&*session.map_err(|error| status(&error))?))
    }

    async fn resume_session(
        &self,
        request: Request<wire::ResumeSessionRequest>,
    ) -> Result<Response<wire::Session>, Status> {
        let wire::ResumeSessionRequest { session_id, owner } = request.into_inner();
        let session = self.worker.resume_session(&session_id, &owner).await;
        Ok(self.told(&*session.map_err(|error| status(&error))?))
    }

    async fn create_context(
        &self,
        request: Request<wire::CreateContextRequest>,
    ) -> Result<Response<wire::Context>, Status> {
        let wire::CreateContextRequest {
            session_id,
            owner,
            context_id,
            language,
            env,
            working_directory,
        } = request.into_inner();
        let new = sessions_from_wire::new_context(context_id, &language, env, &working_directory)?;
        let context = self.worker.create_context((&session_id, &owner), new).await;
        let context = context.map_err(|error| status(&error))?;
        Ok(Response::new(to_wire::context(&context)))
    }

    async fn interrupt_contexts(
        &self,
        request: Request<wire::InterruptContextsRequest>,
    ) -> Result<Response<wire::InterruptContextsResponse>, Status> {
        let wire::InterruptContextsRequest { session_id, owner, context_id } = request.into_inner();
        let interrupted = self.worker.interrupt_contexts((&session_id, &owner), &context_id);
        let interrupted = interrupted.map_err(|error| status(&error))?;
        Ok(Response::new(wire::InterruptContextsResponse { interrupted }))
    }

    async fn restart_contexts(
        &self,
        request: Request<wire::RestartContextsRequest>,
    ) -> Result<Response<wire::Session>, Status> {
        let wire::RestartContextsRequest { session_id, owner, context_id } = request.into_inner();
        let restarted = self.worker.restart_contexts((&session_id, &owner), &context_id).await;
        Ok(self.told(&*restarted.map_err(|error| status(&error))?))
    }

    async fn delete_context(
        &self,
        request: Request<wire::DeleteContextRequest>,
    ) -> Result<Response<wire::DeleteContextResponse>, Status> {
        let wire::DeleteContextRequest { session_id, owner, context_id } = request.into_inner();
        let deleted = self.worker.delete_context((&session_id, &owner), &context_id).await;
        deleted.map_err(|error| status(&error))?;
        Ok(Response::new(wire::DeleteContextResponse {}))
    }
}
