//! The system calls that user code may make: groups of them with a reason each ([`groups`]), what becomes
//! of every number ([`table`]), what may be asked of those that are many in one ([`arguments`]), and its translation into a program for the kernel ([`bpf`]).

mod arguments;
mod bpf;
pub mod groups;
mod policy;
mod table;
#[cfg(test)]
mod tests;

pub use policy::{Confined, Policy};

/// The filter for `policy`, ready for [`super::syscall::install_seccomp`].
pub fn filter(policy: Policy) -> Vec<libc::sock_filter> {
    bpf::compile(&table::rules(policy))
}

/// What a child of init adds to the filter that it has from init, before it is a program.
pub fn lost_by_programs() -> Vec<libc::sock_filter> {
    bpf::compile(&table::lost_by_programs())
}

/// What a process beside the worker adds to the filter of a program: it starts no other.
pub fn lost_by_those_aside() -> Vec<libc::sock_filter> {
    bpf::compile(&table::lost_by_those_aside())
}
