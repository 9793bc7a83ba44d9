//! The worker's ends of the pipes into a sandbox. Init makes them, so that they count against the
//! sandbox, and init lives beside user code: nothing is believed of what it hands over.
//!
//! Control channels are pipes and not sockets, because a socket carries descriptors: user code could hand
//! us one whose closing waits for an hour (a connection with SO_LINGER), and whoever receives it closes it.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use nix::fcntl::{OFlag, open};
use nix::sys::stat::{Mode, SFlag, fstat};
use nix::sys::statfs::{TMPFS_MAGIC, fstatfs};
use tokio::net::unix::pipe::{Receiver, Sender};

use crate::sandbox::backend::Control;

/// Which end of a pipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// To read from.
    Reading,
    /// To write to.
    Writing,
    /// Of a FIFO that its other side opens and closes: both, so that there is always somebody there.
    Both,
}

/// Opens the pipe behind `given` anew. That reading never waits is a property of the open file, and init
/// may have kept another descriptor of the one it gave; the new one is the worker's alone.
///
/// # Errors
/// `InvalidData` if it is no pipe; `PermissionDenied` if init has not opened it to the worker.
pub fn take_over(given: &OwnedFd, end: End) -> io::Result<OwnedFd> {
    if !is_of_kind(given, SFlag::S_IFIFO)? {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "init gave something that is no pipe",
        ));
    }
    let access = match end {
        End::Reading => OFlag::O_RDONLY,
        End::Writing => OFlag::O_WRONLY,
        End::Both => OFlag::O_RDWR,
    };
    let path = format!("/proc/self/fd/{}", given.as_raw_fd());
    let flags = access | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
    open(path.as_str(), flags, Mode::empty()).map_err(io::Error::from)
}

/// What init calls the root of the workspace, if it is a directory in memory: to ask how full it is must
/// not take time.
pub fn workspace(given: OwnedFd) -> Option<OwnedFd> {
    let directory = is_of_kind(&given, SFlag::S_IFDIR).unwrap_or(false);
    let in_memory = fstatfs(&given).is_ok_and(|found| found.filesystem_type() == TMPFS_MAGIC);
    (directory && in_memory).then_some(given)
}

/// A kernel's control channel: it reads `requests` and writes `frames`.
pub fn control(
    requests: &OwnedFd,
    frames: &OwnedFd,
    (to, from): (End, End),
) -> io::Result<Control> {
    let writer = Sender::from_owned_fd(take_over(requests, to)?)?;
    let reader = Receiver::from_owned_fd(take_over(frames, from)?)?;
    Ok(Control { reader: Box::new(reader), writer: Box::new(writer) })
}

fn is_of_kind(fd: impl AsFd, kind: SFlag) -> io::Result<bool> {
    Ok(SFlag::from_bits_truncate(fstat(fd)?.st_mode) & SFlag::S_IFMT == kind)
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use nix::errno::Errno;
    use nix::fcntl::{FcntlArg, fcntl};
    use nix::unistd::{pipe, read};

    use super::*;

    #[test]
    fn nobody_else_can_make_the_worker_wait() {
        let (given, _writer) = pipe().expect("a pipe");
        let ours = take_over(&given, End::Reading).expect("it is one");
        fcntl(&given, FcntlArg::F_SETFL(OFlag::empty())).expect("a flag");
        assert_eq!(read(&ours, &mut [0; 8]), Err(Errno::EAGAIN));
    }

    #[test]
    fn only_pipes_are_pipes() {
        let (socket, _other) = super::super::channel::pair(false).expect("a pair");
        let open = |path: &str| OwnedFd::from(File::open(path).expect(path));
        for given in [socket, open("/dev/zero"), open("/"), open("/proc/self/status")] {
            let refused = take_over(&given, End::Reading).expect_err("it is none");
            assert_eq!(refused.kind(), io::ErrorKind::InvalidData);
        }
    }

    #[test]
    fn only_a_directory_in_memory_is_a_workspace() {
        for other in ["/proc/self", "/proc/self/status", "/dev/null"] {
            assert!(workspace(File::open(other).expect(other).into()).is_none(), "{other}");
        }
        let shm = File::open("/dev/shm").map(OwnedFd::from);
        match shm.map(workspace) {
            Ok(Some(_)) => {}
            Ok(None) | Err(_) => eprintln!("skipped: a workspace (no tmpfs at /dev/shm)"),
        }
    }
}
