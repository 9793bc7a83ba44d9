//! What the worker believes it holds, beside what the kernel says there is.

use std::sync::PoisonError;
use std::time::Duration;

use tokio::time::timeout;

use super::tally::Counts;
use super::{Worker, WorkerError};
use crate::execution::kernel::KernelError;
use crate::sandbox::backend::SandboxError;
use crate::sandbox::census::Census;

/// How long the kernel's side may take. The backend answers in a millisecond, or is stopped.
const PATIENCE: Duration = Duration::from_secs(2);
/// Of an interpreter or a command in a session: standard streams and a control channel.
const DESCRIPTORS_OF_A_PROCESS: u64 = 6;
/// Descriptors of a sandbox without a process, where they are most: the two ways to its init, two directories,
/// both ends of four pipes, and on cgroup v1 the six files of its account.
const DESCRIPTORS_EACH: u64 = 18;
/// Connections, and what is on its way in or out at any moment.
const SPARE_DESCRIPTORS: u64 = 256;

/// One kind of thing, counted twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InventoryItem {
    /// `sandboxes`, `zygotes`, `cgroups`, `processes`, `mounts`, `descriptors`.
    pub kind: &'static str,
    /// As many as the worker knows of; of `descriptors`, as many as it may have.
    pub worker: u64,
    /// As many as there are; absent where this host does not say.
    pub kernel: Option<u64>,
}

/// Everything that is held, and how busy the worker is with it.
#[derive(Clone, Debug)]
pub struct Inventory {
    /// Both counts of each kind.
    pub items: Vec<InventoryItem>,
    /// Runs that were accepted and have not ended, those that wait included.
    pub running: u64,
    /// Runs that wait for their turn.
    pub queued: u64,
    /// Warm sandboxes on the shelves.
    pub warm: u64,
    /// Sessions, until their sandboxes have ended.
    pub sessions: u64,
    /// Bytes of compiled programs that are kept.
    pub compiled_bytes: u64,
    /// Since the start.
    pub counts: Counts,
}

impl InventoryItem {
    /// Whether one side has what the other knows nothing of. Descriptors may be fewer.
    pub fn differs(&self) -> bool {
        match self.kernel {
            Some(kernel) if self.kind == "descriptors" => kernel > self.worker,
            Some(kernel) => kernel != self.worker,
            None => false,
        }
    }
}

impl Worker {
    /// Counts everything on both sides. While runs begin and end the two cannot agree exactly.
    ///
    /// # Errors
    /// [`WorkerError::Stalled`] when the backend does not answer.
    pub async fn inventory(&self) -> Result<Inventory, WorkerError> {
        let census = timeout(PATIENCE, self.backend.census()).await;
        let census = census.unwrap_or(Err(SandboxError::Silent)).map_err(KernelError::from)?;
        let (running, queued) = (self.lock_running().len() as u64, self.admission.waiting());
        let (warm, sessions) = (self.pools.warm(), self.sessions.count());
        let compiled_bytes = self.compiled.as_ref().map_or(0, |compiled| {
            compiled.lock().unwrap_or_else(PoisonError::into_inner).bytes() as u64
        });
        Ok(Inventory {
            items: self.compare(census, running.saturating_sub(queued)),
            running,
            queued,
            warm,
            sessions,
            compiled_bytes,
            counts: self.tally.counts(),
        })
    }

    /// `in_hand` is the number of runs that have their turn.
    fn compare(&self, census: Census, in_hand: u64) -> Vec<InventoryItem> {
        let Census { sandboxes, zygotes, processes, cgroups, hierarchies, descriptors, mounts } =
            census;
        let places = self.pools.warm() + self.sessions.count() + in_hand;
        let own_zygotes = self.pools.zygotes();
        // A kernel in each that has one; what programs have started is known to the kernel only.
        let kernels = self.pools.warm_kernels() + self.sessions.kernels() + in_hand;
        // One process beside the spawner; and a socket of each sandbox that it may connect for.
        let broker = u64::from(self.network.broker.is_some());
        vec![
            InventoryItem { kind: "sandboxes", worker: places, kernel: sandboxes },
            InventoryItem { kind: "zygotes", worker: own_zygotes, kernel: zygotes },
            InventoryItem { kind: "cgroups", worker: places * hierarchies, kernel: cgroups },
            InventoryItem {
                kind: "processes",
                worker: places + kernels + self.sessions.processes() + own_zygotes + broker,
                kernel: processes,
            },
            InventoryItem {
                kind: "mounts",
                worker: self.first_mounts.unwrap_or_default(),
                kernel: mounts,
            },
            InventoryItem {
                kind: "descriptors",
                worker: places * (DESCRIPTORS_EACH + broker)
                    + (self.sessions.kernels() + self.sessions.processes())
                        * DESCRIPTORS_OF_A_PROCESS
                    + SPARE_DESCRIPTORS,
                kernel: descriptors,
            },
        ]
    }
}
