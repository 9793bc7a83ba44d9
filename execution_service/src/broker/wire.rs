//! What worker and broker say to each other.

use serde::{Deserialize, Serialize};

use crate::network::{Policy, Record};

/// Names a sandbox's way out. Never used again.
pub type GateId = u64;

/// From the worker.
#[derive(Debug, Serialize, Deserialize)]
pub enum ToBroker {
    /// Serve the listening socket that this carries; said again, it means [`ToBroker::Change`].
    Open { gate: GateId, policy: Policy },
    /// Another policy holds from now on, for connections that are there as well.
    Change { gate: GateId, policy: Policy },
    /// Let go of the socket and of every connection.
    Close { gate: GateId },
}

/// From the broker.
#[derive(Debug, Serialize, Deserialize)]
pub enum FromBroker {
    /// It has just begun, and knows of no sandbox.
    Ready { pid: u32 },
    /// A connection is over, or was refused.
    Seen { gate: GateId, record: Record },
}
