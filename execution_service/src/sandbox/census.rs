//! What the kernel says there is of a backend's making, to be held against what the worker believes.

/// Counts of one moment. What this host does not tell is absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Sandboxes whose process 1 lives.
    pub sandboxes: Option<u64>,
    /// Zygotes that live.
    pub zygotes: Option<u64>,
    /// Everything below the process that makes sandboxes.
    pub processes: Option<u64>,
    /// Cgroup directories of sandboxes, in all hierarchies.
    pub cgroups: Option<u64>,
    /// In how many hierarchies a sandbox has one; 0 where there are no cgroups.
    pub hierarchies: u64,
    /// Open descriptors of this process.
    pub descriptors: Option<u64>,
    /// Mounts that this process and the one that makes sandboxes see.
    pub mounts: Option<u64>,
}
