//! Sessions: wire to ours, one call of the worker, ours to wire.

use std::sync::Arc;

use proto::execution_v1 as wire;
use tonic::{Request, Response, Status};

use super::status::status;
use super::{from_wire, to_wire};
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
}

#[tonic::async_trait]
impl wire::sessions_server::Sessions for Sessions {
    async fn create_session(
        &self,
        request: Request<wire::CreateSessionRequest>,
    ) -> Result<Response<wire::Session>, Status> {
        let (new, limits) = from_wire::new_session(request.into_inner())?;
        let session =
            self.worker.create_session(new, limits).await.map_err(|error| status(&error))?;
        Ok(Response::new(to_wire::session(&session)))
    }

    async fn get_session(
        &self,
        request: Request<wire::GetSessionRequest>,
    ) -> Result<Response<wire::Session>, Status> {
        let wire::GetSessionRequest { session_id, owner } = request.into_inner();
        let session =
            self.worker.sessions.get(&session_id, &owner).map_err(|error| status(&error.into()))?;
        Ok(Response::new(to_wire::session(&session)))
    }

    async fn list_sessions(
        &self,
        request: Request<wire::ListSessionsRequest>,
    ) -> Result<Response<wire::ListSessionsResponse>, Status> {
        let wire::ListSessionsRequest { owner } = request.into_inner();
        let sessions = self.worker.sessions.of(&owner);
        let sessions = sessions.iter().map(|session| to_wire::session(session)).collect();
        Ok(Response::new(wire::ListSessionsResponse { sessions }))
    }

    async fn extend_session(
        &self,
        request: Request<wire::ExtendSessionRequest>,
    ) -> Result<Response<wire::Session>, Status> {
        let wire::ExtendSessionRequest { session_id, owner, ttl_seconds } = request.into_inner();
        let ttl = from_wire::ttl(ttl_seconds)?;
        let session = self.worker.extend_session(&session_id, &owner, ttl);
        let session = session.map_err(|error| status(&error))?;
        Ok(Response::new(to_wire::session(&session)))
    }

    async fn end_session(
        &self,
        request: Request<wire::EndSessionRequest>,
    ) -> Result<Response<wire::EndSessionResponse>, Status> {
        let wire::EndSessionRequest { session_id, owner } = request.into_inner();
        self.worker.end_session(&session_id, &owner).await.map_err(|error| status(&error))?;
        Ok(Response::new(wire::EndSessionResponse {}))
    }

    async fn create_context(
        &self,
        request: Request<wire::CreateContextRequest>,
    ) -> Result<Response<wire::Context>, Status> {
        let message = request.into_inner();
        let wire::CreateContextRequest { session_id, owner, context_id, language, env } = message;
        let id = from_wire::context_id(context_id)?;
        let (language, env) = (from_wire::language(&language)?, from_wire::environment(env)?);
        let context = self.worker.create_context((&session_id, &owner), &id, language, env);
        let context = context.map_err(|error| status(&error))?;
        Ok(Response::new(to_wire::context(&context)))
    }
}
