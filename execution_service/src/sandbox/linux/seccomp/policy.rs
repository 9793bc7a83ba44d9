//! What filters can differ in.

/// What the host can do decides a few rows.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// Memory is limited by a cgroup. Without one, memory that belongs to no process (memfd, System V
    /// shared memory) could not be counted, and its calls are refused; and sockets keep the buffers that
    /// they are born with, so that what each can hold is known.
    pub memory_cgroup: bool,
}
