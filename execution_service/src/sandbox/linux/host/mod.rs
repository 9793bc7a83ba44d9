//! What the kernel tells of this machine, and of processes on it.

pub mod disk;
pub mod locks;
pub mod look;
pub mod machine;
pub mod mounts;
pub mod open_files;
pub mod processes;
pub mod reaped;
pub mod tcp;
pub mod unaccounted_memory;
