//! The pipes of a process in a sandbox. The spawner makes them, and neither the worker nor init: they must
//! not come from anybody who lives beside user code, and must not be counted as the worker's, which has
//! room for those of some hundred processes.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::stat::{Mode, fchmod};
use nix::unistd::{Uid, getresuid, pipe2, setresuid};
use tokio::net::unix::pipe::{Receiver, Sender};
use tokio::sync::oneshot;

use super::output::OutputPipe;
use crate::sandbox::backend::{Control, Process, ProcessEnd, ProcessId};

/// Four times the default: a program that prints a lot waits, and wakes the worker, a quarter as often.
const PIPE_BYTES: libc::c_int = 256 << 10;
/// What a process with a control channel has beside its descriptor 0.
const ALL: usize = 4;
/// Without one.
const OUTPUT: usize = 2;
/// User code may open its standard output by name, and is another user than the spawner. Nobody else can:
/// a pipe has no name but that of a descriptor.
const OPEN_TO_ITS_HOLDERS: Mode = Mode::from_bits_truncate(0o666);

/// Both ends of a process's descriptors 1, 2, 3 and 4. The last two are its control channel, if it has one.
pub struct Ends {
    /// The worker's.
    pub outer: Vec<OwnedFd>,
    /// The process's.
    pub inner: Vec<OwnedFd>,
}

impl Ends {
    /// Makes them, in the spawner. The kernel bounds what the pipes of one user hold, and counts these for
    /// the real user `counted_for`.
    pub fn make(counted_for: Uid) -> io::Result<Self> {
        let own = getresuid()?;
        setresuid(counted_for, own.effective, own.saved)?;
        let made = Self::make_all();
        // Nothing may go on under another name.
        setresuid(own.real, own.effective, own.saved)?;
        made
    }

    fn make_all() -> io::Result<Self> {
        let mut ends = Self { outer: Vec::with_capacity(ALL), inner: Vec::with_capacity(ALL) };
        for place in 0..ALL {
            let (reader, writer) = pipe2(OFlag::O_CLOEXEC)?;
            // Not granted where the user has too many already: then it is what it was.
            let _ = fcntl(&writer, FcntlArg::F_SETPIPE_SZ(PIPE_BYTES));
            fchmod(&reader, OPEN_TO_ITS_HOLDERS)?;
            // The first half of a control channel is the only one that goes inwards.
            let (outer, inner) = if place == OUTPUT { (writer, reader) } else { (reader, writer) };
            // A property of the open file, which is the worker's alone.
            fcntl(&outer, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
            ends.outer.push(outer);
            ends.inner.push(inner);
        }
        Ok(ends)
    }

    /// To be sent.
    pub fn carried(&self) -> impl Iterator<Item = std::os::fd::BorrowedFd<'_>> {
        self.outer.iter().chain(&self.inner).map(AsFd::as_fd)
    }

    /// As [`Ends::carried`] sent them.
    pub fn received(fds: &mut impl Iterator<Item = OwnedFd>) -> Option<Self> {
        let mut four =
            || Some(fds.by_ref().take(ALL).collect()).filter(|four: &Vec<_>| four.len() == ALL);
        Some(Self { outer: four()?, inner: four()? })
    }

    /// Those of a process without a control channel.
    pub fn without_control(mut self) -> Self {
        self.outer.truncate(OUTPUT);
        self.inner.truncate(OUTPUT);
        self
    }
}

/// The process `pid` at the other ends of `outer`.
pub fn process(
    pid: i32,
    outer: Vec<OwnedFd>,
    exit: oneshot::Receiver<ProcessEnd>,
) -> io::Result<Process> {
    let mut outer = outer.into_iter();
    let mut next = || outer.next().ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof));
    let (stdout, stderr) = (OutputPipe::new(next()?)?, OutputPipe::new(next()?)?);
    let control = match (next(), next()) {
        (Ok(requests), Ok(frames)) => Some(control(requests, frames)?),
        (Ok(_) | Err(_), _) => None,
    };
    let id = ProcessId(u32::try_from(pid).map_err(io::Error::other)?);
    Ok(Process { id, stdout: Box::new(stdout), stderr: Box::new(stderr), control, exit })
}

/// A kernel's control channel: it reads `requests` and writes `frames`.
pub fn control(requests: OwnedFd, frames: OwnedFd) -> io::Result<Control> {
    let writer = Sender::from_owned_fd(requests)?;
    let reader = Receiver::from_owned_fd(frames)?;
    Ok(Control { reader: Box::new(reader), writer: Box::new(writer) })
}
