//! What sandboxes may reach: wire to ours, one call of the worker, ours to wire.

use std::sync::Arc;

use proto::execution_v1 as wire;
use tonic::{Request, Response, Status};

use super::network_from_wire as convert;
use super::status::status;
use crate::worker::Worker;

/// Serves `execution.v1.Network`.
pub struct Network {
    worker: Arc<Worker>,
}

impl Network {
    /// For `worker`.
    pub fn new(worker: Arc<Worker>) -> Self {
        Self { worker }
    }
}

#[tonic::async_trait]
impl wire::network_server::Network for Network {
    async fn change_network(
        &self,
        request: Request<wire::ChangeNetworkRequest>,
    ) -> Result<Response<wire::NetworkPolicy>, Status> {
        let wire::ChangeNetworkRequest { session_id, owner, policy } = request.into_inner();
        let policy = convert::policy(policy.unwrap_or_default())?;
        let changed = self.worker.change_network((&session_id, &owner), policy.clone()).await;
        changed.map_err(|error| status(&error))?;
        Ok(Response::new(convert::told(&policy)))
    }

    async fn read_network_log(
        &self,
        request: Request<wire::ReadNetworkLogRequest>,
    ) -> Result<Response<wire::NetworkLog>, Status> {
        let wire::ReadNetworkLogRequest { session_id, owner } = request.into_inner();
        let log = self.worker.network_log((&session_id, &owner));
        Ok(Response::new(convert::log(log.map_err(|error| status(&error))?)))
    }
}
