//! What a worker is, and what it holds.

use proto::execution_v1 as wire;

use super::{Call, Error, WorkerClient, from_wire, inventory_from_wire};
use crate::domain::capabilities::Capabilities;
use crate::domain::inventory::Inventory;

impl WorkerClient {
    /// Asks the worker what it is.
    ///
    /// # Errors
    /// When the worker cannot be reached.
    pub async fn capabilities(&self, call: &Call) -> Result<Capabilities, Error> {
        let message = wire::GetCapabilitiesRequest {};
        let answer = self.call(call, message, async |rpc, request| {
            rpc.workers().get_capabilities(request).await
        });
        from_wire::capabilities(answer.await?)
    }

    /// Asks the worker what it holds.
    ///
    /// # Errors
    /// When the worker cannot be reached.
    pub async fn inventory(&self, call: &Call) -> Result<Inventory, Error> {
        let message = wire::GetInventoryRequest {};
        let answer = self
            .call(call, message, async |rpc, request| rpc.workers().get_inventory(request).await);
        answer.await.map(inventory_from_wire::inventory)
    }
}
