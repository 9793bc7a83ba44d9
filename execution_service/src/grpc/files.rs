//! Files of sessions: wire to ours, one call of the worker, ours to wire.

use std::sync::Arc;

use proto::execution_v1 as wire;
use tonic::{Request, Response, Status};

use super::status::status;
use super::{from_wire, to_wire};
use crate::worker::Worker;

/// Serves `execution.v1.Files`.
pub struct Files {
    worker: Arc<Worker>,
}

impl Files {
    /// For `worker`.
    pub fn new(worker: Arc<Worker>) -> Self {
        Self { worker }
    }
}

#[tonic::async_trait]
impl wire::files_server::Files for Files {
    async fn list_files(
        &self,
        request: Request<wire::ListFilesRequest>,
    ) -> Result<Response<wire::ListFilesResponse>, Status> {
        let wire::ListFilesRequest { session_id, owner, path } = request.into_inner();
        let path = from_wire::path("path", &path)?;
        let listing = self.worker.list_files((&session_id, &owner), path.as_ref()).await;
        let listing = listing.map_err(|error| status(&error))?;
        Ok(Response::new(to_wire::listing(listing)))
    }
}
