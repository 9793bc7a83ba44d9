//! A process beside the worker that has nothing of it: neither its rights nor its memory to come, its sockets or
//! its secrets. It is begun anew whenever it ends, and ends with the worker.
//!
//! ```text
//! worker ──── keeper      waits; of the same user as what it keeps, and with as few rights
//!             └ aside     does its work, until the worker's end of the socket is closed
//! ```

use std::ffi::CStr;
use std::io;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use nix::sys::prctl;
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{Gid, Pid, Uid, getppid, setresgid, setresuid, setsid};

use super::Namespaced;
use super::ids::ASIDE_ID;
use crate::sandbox::linux::seccomp::{self, Confined, Policy};
use crate::sandbox::linux::syscall;
use crate::sandbox::linux::wire::channel;

/// One that lives no longer than this is begun again only after as long: something is wrong with it.
const SHORT_LIFE: Duration = Duration::from_secs(1);

/// Starts a process called `name` that does `work` with its end of a pair of sockets; gives the other end. To be called while
/// this process has one thread and all of its rights.
///
/// # Errors
/// What the kernel says to the socket or the fork.
pub fn start_aside(
    namespaced: &Namespaced,
    name: &CStr,
    work: impl Fn(OwnedFd) -> io::Result<()>,
) -> io::Result<OwnedFd> {
    let (ours, theirs) = channel::pair(true)?;
    if syscall::fork()?.is_none() {
        let code = i32::from(keep(namespaced.distinct_ids, theirs, name, work).is_err());
        syscall::exit_now(code);
    }
    Ok(ours)
}

/// The keeper's whole life.
fn keep(
    distinct_ids: bool,
    socket: OwnedFd,
    name: &CStr,
    work: impl Fn(OwnedFd) -> io::Result<()>,
) -> io::Result<()> {
    let [socket] = syscall::keep_only([socket])?;
    syscall::wipe_arguments_and_environment()?;
    setsid()?;
    prctl::set_name(c"keeper")?;
    give_up_rights(distinct_ids)?;
    loop {
        let begun = Instant::now();
        let keeper = Pid::this();
        let Some(child) = syscall::fork()? else {
            let code = i32::from(begin(keeper, name).and_then(|()| work(socket)).is_err());
            syscall::exit_now(code);
        };
        // Whoever ends well has seen the worker go.
        if let WaitStatus::Exited(_, 0) = waitpid(Pid::from_raw(child), None)? {
            return Ok(());
        }
        if begun.elapsed() < SHORT_LIFE {
            std::thread::sleep(SHORT_LIFE);
        }
    }
}

fn give_up_rights(distinct_ids: bool) -> io::Result<()> {
    syscall::limit_bounding_set(&[])?;
    if distinct_ids {
        let (uid, gid) = (Uid::from_raw(ASIDE_ID), Gid::from_raw(ASIDE_ID));
        setresgid(gid, gid, gid)?;
        setresuid(uid, uid, uid)?;
    }
    syscall::set_capabilities(0, 0)?;
    prctl::set_no_new_privs()?;
    prctl::set_dumpable(false)?;
    Ok(())
}

/// Ends with `keeper`, and may call what programs in sandboxes may, but for starting another program.
fn begin(keeper: Pid, name: &CStr) -> io::Result<()> {
    prctl::set_name(name)?;
    prctl::set_pdeathsig(Signal::SIGKILL)?;
    if getppid() != keeper {
        return Err(io::ErrorKind::BrokenPipe.into());
    }
    syscall::install_seccomp(&seccomp::lost_by_those_aside())?;
    // The last one: a program installs none.
    let policy = Policy { memory_cgroup: true, of: Confined::Program };
    syscall::install_seccomp(&seccomp::filter(policy))
}
