//! The descriptors of this process.

#![expect(unsafe_code)]

use std::io;
use std::mem;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};

use super::check;

/// Makes `fds` the descriptors 0, 1, 2, … of this process, and marks all above them to be closed by
/// the exec that must follow.
pub fn become_descriptors(fds: &[OwnedFd]) -> io::Result<()> {
    /// Each is first copied above this, so that none is overwritten before its turn.
    const PARKING: RawFd = 16;
    let mut parked = Vec::with_capacity(fds.len());
    for fd in fds {
        parked.push(nix::fcntl::fcntl(fd, nix::fcntl::FcntlArg::F_DUPFD_CLOEXEC(PARKING))?);
    }
    for (from, to) in parked.iter().zip(0..) {
        // SAFETY: `from` is open. What was at `to` may have an owner in this process, but the
        // process is about to become another program and runs no destructor before that.
        check(libc::c_long::from(unsafe { libc::dup2(*from, to) }))?;
    }
    let first = libc::c_uint::try_from(fds.len()).map_err(io::Error::other)?;
    // SAFETY: only sets a flag on descriptors.
    check(unsafe {
        libc::syscall(libc::SYS_close_range, first, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC)
    })?;
    Ok(())
}

/// `/dev/null`, open for both.
pub fn null_device() -> io::Result<OwnedFd> {
    let flags = nix::fcntl::OFlag::O_RDWR | nix::fcntl::OFlag::O_CLOEXEC;
    nix::fcntl::open(c"/dev/null", flags, nix::sys::stat::Mode::empty()).map_err(io::Error::from)
}

/// Closes every descriptor but those of `keep`, and puts `/dev/null` at 0, 1 and 2. For a process that has
/// just been cloned and goes on with nothing of its parent's but `keep`.
pub fn keep_only<const N: usize>(keep: [OwnedFd; N]) -> io::Result<[OwnedFd; N]> {
    let null = null_device()?;
    let standard = [null.try_clone()?, null.try_clone()?, null];
    let descriptors: Vec<OwnedFd> = standard.into_iter().chain(keep).collect();
    become_descriptors(&descriptors)?;
    let above = libc::c_uint::try_from(descriptors.len()).map_err(io::Error::other)?;
    mem::forget(descriptors);
    // SAFETY: by the caller's contract nothing above is used again, and nothing is dropped.
    unsafe { libc::syscall(libc::SYS_close_range, above, libc::c_uint::MAX, 0) };
    let mut place = 2;
    // SAFETY: each was made just above, and nobody else owns it.
    let kept = [(); N].map(|()| unsafe {
        place += 1;
        OwnedFd::from_raw_fd(place)
    });
    for fd in &kept {
        nix::fcntl::fcntl(fd, nix::fcntl::FcntlArg::F_SETFD(nix::fcntl::FdFlag::FD_CLOEXEC))?;
    }
    Ok(kept)
}

/// Puts a descriptor under the eyes of the runtime.
pub fn register(fd: OwnedFd) -> io::Result<tokio::io::unix::AsyncFd<OwnedFd>> {
    // SAFETY: an `OwnedFd` gives the same open descriptor for as long as it lives, and `AsyncFd`
    // owns it from here on.
    unsafe { tokio::io::unix::AsyncFd::register(fd) }.map_err(io::Error::from)
}
