//! What a process takes on when it comes to be in a sandbox and init must not have.

use std::io;

use nix::sys::resource::Resource;

use super::Host;
use crate::sandbox::linux::syscall;
use crate::sandbox::spec::SandboxLimits;

/// The limits that a process of a program has and its sandbox's init has not.
#[derive(Clone, Copy, Debug)]
pub struct ProcessLimits {
    /// Its own limit of descriptors. Linux refuses to send a descriptor to whoever has more of his user's in
    /// flight than he may open: where all sandboxes and the service are one user, a low limit of ours
    /// would let any program stop us by keeping some in flight.
    pub open_files: u32,
    /// Steps by which others go before it, 0 to 19.
    pub niceness: u8,
}

impl ProcessLimits {
    /// Of a sandbox with `limits`.
    pub fn of(host: Host, limits: SandboxLimits) -> Self {
        // Where init keeps the account, it must get its turn among any number that compute. Five steps are a
        // third of the weight.
        let niceness = if host.cgroups { 0 } else { 5 };
        Self { open_files: limits.open_files, niceness }
    }

    /// Takes it on.
    pub fn apply(self) -> io::Result<()> {
        syscall::set_rlimit(Resource::RLIMIT_NOFILE, u64::from(self.open_files))?;
        if self.niceness > 0 {
            rustix::process::setpriority_process(None, i32::from(self.niceness))?;
        }
        Ok(())
    }
}
