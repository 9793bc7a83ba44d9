//! What the worker holds, as the wire says it.

use proto::execution_v1 as wire;

use crate::worker::{Counts, Inventory, InventoryItem};

/// All of it.
pub fn inventory(inventory: Inventory) -> wire::Inventory {
    let Inventory { items, running, queued, warm, sessions, compiled_bytes, counts } = inventory;
    let Counts { runs, cold_starts } = counts;
    wire::Inventory {
        items: items.into_iter().map(item).collect(),
        running,
        queued,
        warm,
        sessions,
        compiled_bytes,
        runs: runs.into_iter().map(|(status, count)| (String::from(status), count)).collect(),
        cold_starts,
    }
}

fn item(InventoryItem { kind, worker, kernel }: InventoryItem) -> wire::InventoryItem {
    wire::InventoryItem { kind: String::from(kind), worker, kernel }
}
