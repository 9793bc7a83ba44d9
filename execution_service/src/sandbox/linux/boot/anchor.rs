//! The process that stays outside of the worker's namespaces. It has nothing to do but to pass on
//! the wish to stop, to wait until the worker and all that it started are gone, and to remove the
//! cgroups, which belong to the real uid.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl;
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::unistd::{Gid, Pid, Uid, setgroups, setresgid, setresuid};

use super::ids::{ASIDE_HOST_ID, FIRST_HOST_ID};
use crate::sandbox::linux::cgroup::Delegation;
use crate::sandbox::linux::host::processes;
use crate::sandbox::linux::syscall;
use crate::sandbox::spec::Exit;

/// Uid and gid of "nobody" on Linux: `/proc/sys/kernel/overflowuid`.
const NOBODY: u32 = 65_534;
/// Of `include/uapi/linux/capability.h`. The second one is for hosts whose top cgroup directory not
/// even its owner may write to; a container may have been denied it, and does not need it.
const CAP_SETUID: u64 = 1 << 7;
const CAP_DAC_OVERRIDE: u64 = 1 << 1;
/// What the launcher sees when the worker was ended by a signal: as a shell would report it.
const SIGNAL_EXIT_BASE: i32 = 128;

/// How long a spawner without a worker may take to remove the sandboxes. A stopped one never does, and one
/// that is killed on the way leaves nothing that we do not remove.
const LEAVE: Duration = Duration::from_secs(5);
/// How long the kernel may take to end a process. One that hangs in a device does not end, and must not keep
/// the next worker from starting, which removes what it can of this one.
const DIE: Duration = Duration::from_secs(10);

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
    // The spawner outlives the worker for as long as it takes to remove its sandboxes.
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
    let signals = SignalFd::with_flags(&signals, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?;
    let (mut stop, mut exit) = (Some(stop), Exit::Code(1));
    // When whoever is left has to be gone, and whether that has been said with SIGKILL.
    let (mut deadline, mut killed) = (None, false);
    loop {
        while let Some(reaped) = syscall::reap(-1)? {
            if reaped.pid == worker {
                exit = reaped.end.exit;
                deadline = Some(Instant::now() + LEAVE);
            }
        }
        if no_children()? {
            return Ok(exit);
        }
        if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            if killed {
                eprintln!("execution_service: what the worker has left cannot be killed");
                return Ok(exit);
            }
            kill_children(privileged)?;
            (deadline, killed) = (Some(Instant::now() + DIE), true);
        }
        wait(&signals, deadline)?;
        while let Some(signal) = signals.read_signal()? {
            // A closed pipe is the message.
            if signal.ssi_signo != Signal::SIGCHLD as u32 {
                drop(stop.take());
            }
        }
    }
}

/// Waits for a signal, or until `deadline`.
fn wait(signals: &SignalFd, deadline: Option<Instant>) -> io::Result<()> {
    let mut wanted = [PollFd::new(signals.as_fd(), PollFlags::POLLIN)];
    let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
    // Rounded up, or the last millisecond would be spent asking again.
    let left = left.map(|left| PollTimeout::try_from(left + Duration::from_millis(1)));
    match poll(&mut wanted, left.transpose().map_err(io::Error::other)?) {
        Ok(_) | Err(Errno::EINTR) => Ok(()),
        Err(error) => Err(io::Error::from(error)),
    }
}

/// Kills the spawner and who is aside, which have become our children. What they have made dies with them.
fn kill_children(privileged: bool) -> io::Result<()> {
    let nobody = Uid::from_raw(NOBODY);
    for owner in [FIRST_HOST_ID, ASIDE_HOST_ID] {
        if privileged {
            // Nobody may not signal them, and their own user may.
            setresuid(nobody, Uid::from_raw(owner), nobody)?;
        }
        for pid in processes::children().unwrap_or_default() {
            // An error means that it has just ended, or is the other user's.
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
        if privileged {
            setresuid(nobody, nobody, nobody)?;
        }
    }
    Ok(())
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
