//! The process that stays outside of the worker's namespaces. It has nothing to do but to pass on
//! the wish to stop, to wait until the worker and all that it started are gone, and to remove the
//! cgroups, which belong to the real uid.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use nix::sys::prctl;
use nix::sys::signal::{SigSet, Signal};
use nix::unistd::{Gid, Uid, setgroups, setresgid, setresuid};

use super::cgroup::Delegation;
use super::syscall;
use crate::sandbox::spec::Exit;

/// Uid and gid of "nobody" on Linux: `/proc/sys/kernel/overflowuid`.
const NOBODY: u32 = 65_534;
/// Of `include/uapi/linux/capability.h`. The second one is for hosts whose top cgroup directory not
/// even its owner may write to; a container may have been denied it, and does not need it.
const CAP_SETUID: u64 = 1 << 7;
const CAP_DAC_OVERRIDE: u64 = 1 << 1;
/// What the launcher sees when the worker was ended by a signal: as a shell would report it.
const SIGNAL_EXIT_BASE: i32 = 128;

/// Waits for `worker` and exits as it did.
pub fn stay(
    worker: libc::pid_t,
    stop: OwnedFd,
    privileged: bool,
    delegation: Delegation,
    leftover: Option<&Path>,
) -> ! {
    let leftover = leftover.and_then(|file| Some((file, identity(file)?)));
    let code = match wait_for_everything(worker, stop, privileged) {
        Ok(Exit::Code(code)) => code,
        Ok(Exit::Signal(signal)) => SIGNAL_EXIT_BASE + signal,
        Err(error) => {
            eprintln!("execution_service: the process that waits for the worker failed: {error}");
            1
        }
    };
    if privileged {
        // The directories belong to the real root. Its uid comes back for this moment only, when
        // every process that a user's code could have reached is gone.
        let root = Uid::from_raw(0);
        let _ = setresuid(root, root, root);
    }
    delegation.remove();
    if let Some((file, own)) = leftover
        && identity(file) == Some(own)
    {
        let _ = std::fs::remove_file(file);
    }
    syscall::exit_now(code)
}

/// What tells a file from a later one with its name: a worker that took our place while we were ending has
/// bound a socket there.
fn identity(file: &Path) -> Option<[i64; 3]> {
    use std::os::unix::fs::MetadataExt;
    let seen = std::fs::symlink_metadata(file).ok()?;
    Some([seen.ino().cast_signed(), seen.ctime(), seen.ctime_nsec()])
}

fn wait_for_everything(worker: libc::pid_t, stop: OwnedFd, privileged: bool) -> io::Result<Exit> {
    // The spawner outlives a killed worker for as long as it takes to remove its sandboxes.
    prctl::set_child_subreaper(true)?;
    if privileged {
        become_nobody()?;
    }
    prctl::set_pdeathsig(Signal::SIGTERM)?;
    let mut signals = SigSet::empty();
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP, Signal::SIGCHLD] {
        signals.add(signal);
    }
    signals.thread_block()?;
    let mut stop = Some(stop);
    let mut exit = Exit::Code(1);
    loop {
        while let Some(reaped) = syscall::reap(-1)? {
            if reaped.pid == worker {
                exit = reaped.end.exit;
            }
        }
        if no_children()? {
            return Ok(exit);
        }
        match signals.wait()? {
            Signal::SIGCHLD => {}
            // A closed pipe is the message.
            Signal::SIGTERM | Signal::SIGINT | Signal::SIGHUP => drop(stop.take()),
            other => return Err(io::Error::other(format!("unexpected signal {other}"))),
        }
    }
}

fn become_nobody() -> io::Result<()> {
    syscall::keep_capabilities()?;
    setgroups(&[])?;
    let (uid, gid) = (Uid::from_raw(NOBODY), Gid::from_raw(NOBODY));
    setresgid(gid, gid, gid)?;
    setresuid(uid, uid, uid)?;
    // Permitted only: the second one wakes up with uid 0.
    syscall::set_capabilities(CAP_SETUID | CAP_DAC_OVERRIDE, CAP_SETUID)
        .or_else(|_| syscall::set_capabilities(CAP_SETUID, CAP_SETUID))
}

fn no_children() -> io::Result<bool> {
    use nix::sys::wait::{Id, WaitPidFlag, waitid};
    let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
    match waitid(Id::All, flags) {
        Ok(_) => Ok(false),
        Err(nix::errno::Errno::ECHILD) => Ok(true),
        Err(error) => Err(io::Error::from(error)),
    }
}
