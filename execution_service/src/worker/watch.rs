//! Looks now and then whether the worker and the kernel agree on what there is, and often at what sessions
//! hold.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::Worker;
use super::inventory::{Inventory, InventoryItem};
use crate::owners::Evicted;
use crate::sandbox::spec::Footprint;

/// Between two looks at what sessions hold beyond their limits while nothing is run in them.
const HOARDS: Duration = Duration::from_millis(500);
/// Between two looks at what the owners use. Two processors fill some hundred MiB in this time.
const SHARES: Duration = Duration::from_millis(100);
/// For what has to go to be gone, before another one has to.
const LEAVING: Duration = Duration::from_millis(500);
/// After a look that found a difference, in which whatever was on its way has arrived.
const SECOND_LOOK: Duration = Duration::from_secs(5);

impl Worker {
    /// Watches for ever. Every `every` the accounts are compared.
    pub async fn watch(self: Arc<Self>, every: Duration) {
        tokio::join!(self.watch_inventory(every), self.watch_hoards(), self.watch_owners());
    }

    /// Divides the processors by owner, and has the largest owner give when the machine runs short.
    async fn watch_owners(&self) {
        let mut last = Vec::new();
        loop {
            sleep(SHARES).await;
            for evicted in self.owners.divide_processors().await {
                self.evict(&evicted, false, "an idle sandbox holds more than it may");
            }
            let all = self.owners.too_much(self.backend.footprint()).await;
            for evicted in &all {
                // What goes on in it is stopped first. What it holds may be in files, or in what is left running.
                let again = last.iter().any(|last| Arc::ptr_eq(last, &evicted.sandbox));
                self.evict(evicted, again, "a sandbox of the largest owner has to go");
            }
            if !all.is_empty() {
                sleep(LEAVING).await;
            }
            last = all.into_iter().map(|evicted| evicted.sandbox).collect();
        }
    }

    /// Stops what runs in a sandbox; a session in which nothing runs is lost, and any if `wholly`.
    fn evict(&self, Evicted { sandbox, activity, held }: &Evicted, wholly: bool, why: &str) {
        let Footprint { memory_bytes, processes } = *held;
        tracing::warn!(memory_bytes, processes, "{why}");
        activity.evict();
        if let Some(session) = self.sessions.of_sandbox(sandbox)
            && (wholly || !activity.has_runs())
        {
            self.owners.leaves(sandbox);
            self.lose(&session);
        }
    }

    /// Also in sessions between two runs: what these leave running goes on. And of each owner's together.
    async fn watch_hoards(&self) {
        loop {
            sleep(HOARDS).await;
            for evicted in self.owners.too_many_files().await {
                self.evict(&evicted, true, "the sandboxes of an owner have too many open files");
            }
            for session in self.sessions.unwatched() {
                if session.hoards().await {
                    tracing::warn!(
                        session_id = session.id,
                        "ended: what is left in it holds more than it may"
                    );
                    self.lose(&session);
                }
            }
        }
    }

    async fn watch_inventory(&self, every: Duration) {
        let mut told = Vec::new();
        loop {
            sleep(every).await;
            let first = self.differences().await;
            if first.is_empty() {
                told.clear();
                continue;
            }
            sleep(SECOND_LOOK.min(every)).await;
            let persist = lasting(&first, &self.differences().await);
            for InventoryItem { kind, worker, kernel } in
                persist.iter().filter(|it| !told.contains(*it))
            {
                tracing::warn!(kind, worker, kernel, "the worker and the kernel count differently");
            }
            told = persist;
        }
    }

    async fn differences(&self) -> Vec<InventoryItem> {
        // Not to be had is not the same as different, and is told of by the pulse.
        self.inventory().await.map_or_else(|_| Vec::new(), |inventory| at_rest(&inventory))
    }
}

/// What differs when nothing is under way; nothing while something is.
fn at_rest(inventory: &Inventory) -> Vec<InventoryItem> {
    if inventory.running > 0 {
        return Vec::new();
    }
    // A session may have left processes running that nobody but the user knows.
    let known = |held: &&InventoryItem| held.kind != "processes" || inventory.sessions == 0;
    inventory.items.iter().filter(known).filter(|held| held.differs()).copied().collect()
}

/// What has not changed between two looks.
fn lasting(first: &[InventoryItem], second: &[InventoryItem]) -> Vec<InventoryItem> {
    first.iter().filter(|held| second.contains(held)).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::worker::tally::Counts;

    fn inventory(running: u64, sessions: u64, held: Vec<InventoryItem>) -> Inventory {
        let counts = Counts::default();
        Inventory { items: held, running, queued: 0, warm: 0, sessions, compiled_bytes: 0, counts }
    }

    fn held(kind: &'static str, worker: u64, kernel: u64) -> InventoryItem {
        InventoryItem { kind, worker, kernel: Some(kernel) }
    }

    #[test]
    fn only_what_differs_at_rest_counts_and_only_while_it_stays_the_same() {
        let leak = held("cgroups", 8, 12);
        let fine = held("sandboxes", 8, 8);
        assert_eq!(at_rest(&inventory(0, 0, vec![fine, leak])), [leak]);
        assert_eq!(at_rest(&inventory(1, 0, vec![fine, leak])), []);
        assert_eq!(lasting(&[leak], &[held("cgroups", 8, 11)]), []);
        assert_eq!(lasting(&[leak], &[leak]), [leak]);
    }

    #[test]
    fn descriptors_may_be_fewer_and_users_processes_are_their_own() {
        assert!(!held("descriptors", 300, 91).differs() && held("descriptors", 300, 301).differs());
        let busy = held("processes", 4, 9);
        assert_eq!(at_rest(&inventory(0, 1, vec![busy])), []);
        assert_eq!(at_rest(&inventory(0, 0, vec![busy])), [busy]);
        let uncounted = InventoryItem { kind: "zygotes", worker: 1, kernel: None };
        assert!(!uncounted.differs());
    }
}
