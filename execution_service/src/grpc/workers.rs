//! What the worker is, and what it holds.

use std::sync::Arc;

use proto::execution_v1 as wire;
use tonic::{Request, Response, Status};

use super::status::status;
use super::{inventory_to_wire, to_wire};
use crate::worker::Worker;

/// Serves `execution.v1.Workers`.
pub struct Workers {
    worker: Arc<Worker>,
}

impl Workers {
    /// For `worker`.
    pub fn new(worker: Arc<Worker>) -> Self {
        Self { worker }
    }
}

#[tonic::async_trait]
impl wire::workers_server::Workers for Workers {
    async fn get_capabilities(
        &self,
        _request: Request<wire::GetCapabilitiesRequest>,
    ) -> Result<Response<wire::Capabilities>, Status> {
        // A worker that cannot do its work is no worker at the moment.
        self.worker.can_make_sandboxes().map_err(|error| status(&error))?;
        Ok(Response::new(to_wire::capabilities(&self.worker)))
    }

    async fn get_inventory(
        &self,
        _request: Request<wire::GetInventoryRequest>,
    ) -> Result<Response<wire::Inventory>, Status> {
        let inventory = self.worker.inventory().await.map_err(|error| status(&error))?;
        Ok(Response::new(inventory_to_wire::inventory(inventory)))
    }
}
