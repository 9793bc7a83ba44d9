//! What a worker holds, and how busy it is.

use std::collections::BTreeMap;

/// One kind of thing, counted twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InventoryItem {
    /// `sandboxes`, `zygotes`, `cgroups`, `processes`, `mounts`, `descriptors`.
    pub kind: String,
    /// As many as the worker knows of; of descriptors, as many as it may have.
    pub worker: u64,
    /// As many as there are, if its host says.
    pub kernel: Option<u64>,
}

/// Everything, at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inventory {
    /// Both counts of each kind.
    pub items: Vec<InventoryItem>,
    /// Runs that were accepted and have not ended.
    pub running: u64,
    /// Those of them that wait for their turn.
    pub queued: u64,
    /// Warm sandboxes.
    pub warm: u64,
    /// Sessions that live.
    pub sessions: u64,
    /// Bytes of compiled programs that are kept.
    pub compiled_bytes: u64,
    /// Runs that have ended since the worker's start, by status.
    pub runs: BTreeMap<String, u64>,
    /// Runs that found no warm sandbox, since then.
    pub cold_starts: u64,
}

impl Inventory {
    /// What two workers hold together.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        let Self { items, running, queued, warm, sessions, compiled_bytes, runs, cold_starts } =
            other;
        for item in items {
            match self.items.iter_mut().find(|known| known.kind == item.kind) {
                Some(known) => {
                    known.worker = known.worker.saturating_add(item.worker);
                    // A host that does not say makes the sum unknown.
                    known.kernel = known.kernel.zip(item.kernel).map(|(a, b)| a.saturating_add(b));
                }
                None => self.items.push(item),
            }
        }
        for (status, count) in runs {
            let known = self.runs.entry(status).or_default();
            *known = known.saturating_add(count);
        }
        for (mine, others) in [
            (&mut self.running, running),
            (&mut self.queued, queued),
            (&mut self.warm, warm),
            (&mut self.sessions, sessions),
            (&mut self.compiled_bytes, compiled_bytes),
            (&mut self.cold_starts, cold_starts),
        ] {
            *mine = mine.saturating_add(others);
        }
        self
    }
}
