//! Making processes, signalling one for certain, and leaving.

#![expect(unsafe_code)]

use std::io;
use std::mem;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use super::check;

/// Which of the two processes this is after [`clone_process`].
pub enum Cloned {
    /// The new one.
    Child,
    /// The old one.
    Parent(ChildProcess),
}

/// A child by number and by descriptor. The descriptor cannot come to mean another process.
pub struct ChildProcess {
    /// Its number in our pid namespace; valid until it is waited for.
    pub pid: libc::pid_t,
    /// Readable when it has ended.
    pub pidfd: OwnedFd,
}

/// `clone(2)` without a new stack, as `fork` with namespaces: the child goes on from here with a
/// copy of everything. Must be called while this process has one thread, or the child may find
/// locks held for ever; every caller is in a process that never starts a second one.
pub fn clone_process(namespaces: libc::c_int) -> io::Result<Cloned> {
    let mut pidfd: RawFd = -1;
    let flags = namespaces | libc::CLONE_PIDFD | libc::SIGCHLD;
    // SAFETY: with a null stack and without CLONE_VM the child runs on its own copy of our stack;
    // `pidfd` outlives the call and is where CLONE_PIDFD makes the kernel store a descriptor.
    let pid = check(unsafe {
        libc::syscall(
            libc::SYS_clone,
            libc::c_ulong::try_from(flags).unwrap_or_default(),
            std::ptr::null::<libc::c_void>(),
            &raw mut pidfd,
            std::ptr::null::<libc::c_void>(),
            std::ptr::null::<libc::c_void>(),
        )
    })?;
    cloned(pid, pidfd)
}

/// As [`clone_process`], with the child born inside the cgroup v2 directory `cgroup`.
pub fn clone_process_into(namespaces: libc::c_int, cgroup: BorrowedFd<'_>) -> io::Result<Cloned> {
    let mut pidfd: RawFd = -1;
    /// `include/uapi/linux/sched.h`: bit 33, outside of `c_int`.
    const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;
    // SAFETY: all zeroes is a valid `clone_args`: every field is an integer.
    let mut args: libc::clone_args = unsafe { mem::zeroed() };
    args.flags = u64::from((namespaces | libc::CLONE_PIDFD).cast_unsigned()) | CLONE_INTO_CGROUP;
    args.pidfd = (&raw mut pidfd) as u64;
    args.exit_signal = libc::SIGCHLD as u64;
    args.cgroup = cgroup.as_raw_fd() as u64;
    // SAFETY: `args` is initialised and its size is given; stack 0 without CLONE_VM copies our own;
    // `pidfd` outlives the call.
    let pid = check(unsafe {
        libc::syscall(libc::SYS_clone3, &raw const args, mem::size_of::<libc::clone_args>())
    })?;
    cloned(pid, pidfd)
}

fn cloned(pid: libc::c_long, pidfd: RawFd) -> io::Result<Cloned> {
    if pid == 0 {
        return Ok(Cloned::Child);
    }
    let pid = libc::pid_t::try_from(pid).map_err(io::Error::other)?;
    // SAFETY: the kernel has just made this descriptor for us and nobody else knows it.
    let pidfd = unsafe { OwnedFd::from_raw_fd(pidfd) };
    Ok(Cloned::Parent(ChildProcess { pid, pidfd }))
}

/// `fork`, for a process with one thread.
pub fn fork() -> io::Result<Option<libc::pid_t>> {
    // SAFETY: every caller has one thread, so the child finds no lock held by somebody who does not
    // exist in it.
    match unsafe { nix::unistd::fork() }? {
        nix::unistd::ForkResult::Child => Ok(None),
        nix::unistd::ForkResult::Parent { child } => Ok(Some(child.as_raw())),
    }
}

/// Ends this process at once: no destructors, no exit handlers, no flushing of what a parent left
/// in our copy of its buffers.
pub fn exit_now(code: i32) -> ! {
    // SAFETY: `_exit` never returns and touches no memory.
    unsafe { libc::_exit(code) }
}

/// Gives `signal` its default action.
pub fn default_signal(signal: nix::sys::signal::Signal) -> io::Result<()> {
    // SAFETY: the default action runs no code of ours.
    unsafe { nix::sys::signal::signal(signal, nix::sys::signal::SigHandler::SigDfl) }?;
    Ok(())
}
