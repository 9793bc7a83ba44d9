//! The system calls that no safe crate offers, each as a safe function.

mod descriptors;
mod files;
mod loopback;
mod memory;
mod privileges;
mod process;
mod wait;

use std::io;

pub use descriptors::{become_descriptors, keep_only, null_device, register};
pub use files::{mount_setattr, open_beneath, open_within};
pub use loopback::loopback_up;
pub use memory::wipe_arguments_and_environment;
pub use privileges::{
    install_seccomp, keep_capabilities, limit_bounding_set, set_capabilities, set_rlimit,
};
pub use process::{
    ChildProcess, Cloned, clone_process, clone_process_into, default_signal, exit_now, fork,
};
pub use wait::{Reaped, exit_of, reap};

/// Turns the C convention (-1 and errno) into a result.
fn check(value: libc::c_long) -> io::Result<libc::c_long> {
    if value < 0 { Err(io::Error::last_os_error()) } else { Ok(value) }
}
