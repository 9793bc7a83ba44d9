//! The ids that a worker and its sandboxes have on the host.

/// First of the host's ids that a worker of uid 0 uses; the range is 65,536 long. The numbers are
/// those of the first entry that `useradd` would write into `/etc/subuid`.
pub const FIRST_HOST_ID: u32 = 100_000;
/// How many ids the worker's user namespace has when it was made by uid 0.
pub const HOST_IDS: u32 = 65_536;
/// The worker's own uid in its user namespace, where there is more than one: the spawner is 0, so
/// that the worker can neither signal nor trace it.
pub const WORKER_ID: u32 = 1;
/// The same one as the host sees it: whose the files of a worker are that was started by uid 0.
pub const WORKER_HOST_ID: u32 = FIRST_HOST_ID + WORKER_ID;
/// That of a process beside the worker, in the same namespace: neither may signal or trace the other.
pub const ASIDE_ID: u32 = 2;
/// The same one as the host sees it.
pub const ASIDE_HOST_ID: u32 = FIRST_HOST_ID + ASIDE_ID;
