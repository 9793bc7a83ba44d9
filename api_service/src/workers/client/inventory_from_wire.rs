//! What a worker says that it holds.

use proto::execution_v1 as wire;

use crate::domain::inventory::{Inventory, InventoryItem};

pub(super) fn inventory(inventory: wire::Inventory) -> Inventory {
    let wire::Inventory {
        items,
        running,
        queued,
        warm,
        sessions,
        compiled_bytes,
        runs,
        cold_starts,
    } = inventory;
    Inventory {
        items: items.into_iter().map(item).collect(),
        running,
        queued,
        warm,
        sessions,
        compiled_bytes,
        runs: runs.into_iter().collect(),
        cold_starts,
    }
}

fn item(wire::InventoryItem { kind, worker, kernel }: wire::InventoryItem) -> InventoryItem {
    InventoryItem { kind, worker, kernel }
}
