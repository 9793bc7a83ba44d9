//! What filters can differ in.

/// What the host can do decides a few rows.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// Memory is limited by a cgroup. Without one, memory that belongs to no process (memfd, System V
    /// shared memory) could not be counted, and its calls are refused; and sockets keep the buffers that
    /// they are born with, so that what each can hold is known.
    pub memory_cgroup: bool,
    /// Whose it is.
    pub of: Confined,
}

/// Who is behind a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confined {
    /// Init, which opens files beneath a directory and nowhere else (`openat2`), and gives what it starts one
    /// filter more: [`lost_by_programs`](super::lost_by_programs).
    Init,
    /// User code. What flags it would give to `openat2` lies in memory, where a filter cannot look.
    Program,
}
