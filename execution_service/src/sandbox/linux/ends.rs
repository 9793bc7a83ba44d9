//! The pipes of a process in a sandbox. The spawner makes them, and neither the worker nor init: they must
//! not come from anybody who lives beside user code, and must not be counted as the worker's, which has
//! room for those of some hundred processes.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::stat::{Mode, fchmod};
use nix::unistd::{Uid, getresuid, pipe2, setresuid};
use tokio::net::unix::pipe::{Receiver, Sender};
use tokio::sync::oneshot;

use super::output::OutputPipe;
use crate::sandbox::backend::{Control, Process, ProcessEnd, ProcessId};

/// Four times the default: a program that prints a lot waits, and wakes the worker, a quarter as often.
const PIPE_BYTES: libc::c_int = 256 << 10;
/// User code may open its standard output by name, and is another user than the spawner. Nobody else can:
/// a pipe has no name but that of a descriptor.
const OPEN_TO_ITS_HOLDERS: Mode = Mode::from_bits_truncate(0o666);
/// The same of its standard input, which it may read and not write: the end is the worker's to say.
const READABLE_BY_ITS_HOLDERS: Mode = Mode::from_bits_truncate(0o444);

/// One side's ends of the pipes of a process.
pub struct Ends {
    /// Of descriptor 0, if that is a pipe.
    pub stdin: Option<OwnedFd>,
    /// Of descriptors 1 and 2.
    pub output: [OwnedFd; 2],
    /// Of descriptors 3 and 4, if it has a control channel: it reads the first and writes the second.
    pub control: Option<[OwnedFd; 2]>,
}

impl Ends {
    /// In the order of the process's descriptors.
    pub fn into_descriptors(self) -> Vec<OwnedFd> {
        self.stdin
            .into_iter()
            .chain(self.output)
            .chain(self.control.into_iter().flatten())
            .collect()
    }

    fn as_fds(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        let all = self.stdin.iter().chain(&self.output).chain(self.control.iter().flatten());
        all.map(AsFd::as_fd)
    }

    fn received(fds: &mut impl Iterator<Item = OwnedFd>, stdin: bool) -> Option<Self> {
        let stdin = if stdin { Some(fds.next()?) } else { None };
        let output = [fds.next()?, fds.next()?];
        Some(Self { stdin, output, control: Some([fds.next()?, fds.next()?]) })
    }
}

/// Both sides' ends.
pub struct Pipes {
    /// The worker's.
    pub outer: Ends,
    /// The process's.
    pub inner: Ends,
}

impl Pipes {
    /// Makes them, in the spawner, with one for descriptor 0 if `stdin`. The kernel bounds what the pipes of
    /// one user hold, and counts these for the real user `counted_for`.
    pub fn make(counted_for: Uid, stdin: bool) -> io::Result<Self> {
        let own = getresuid()?;
        setresuid(counted_for, own.effective, own.saved)?;
        let made = Self::make_all(stdin);
        // Nothing may go on under another name.
        setresuid(own.real, own.effective, own.saved)?;
        made
    }

    fn make_all(stdin: bool) -> io::Result<Self> {
        let (outer_in, inner_in) = if stdin {
            let (outer, inner) = inwards(READABLE_BY_ITS_HOLDERS)?;
            (Some(outer), Some(inner))
        } else {
            (None, None)
        };
        let (stdout, stderr) = (outwards()?, outwards()?);
        let (requests, frames) = (inwards(OPEN_TO_ITS_HOLDERS)?, outwards()?);
        Ok(Self {
            outer: Ends {
                stdin: outer_in,
                output: [stdout.0, stderr.0],
                control: Some([requests.0, frames.0]),
            },
            inner: Ends {
                stdin: inner_in,
                output: [stdout.1, stderr.1],
                control: Some([requests.1, frames.1]),
            },
        })
    }

    /// To be sent.
    pub fn carried(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.outer.as_fds().chain(self.inner.as_fds())
    }

    /// As [`Pipes::carried`] sent them, with one for descriptor 0 if `stdin`.
    pub fn received(fds: &mut impl Iterator<Item = OwnedFd>, stdin: bool) -> Option<Self> {
        Some(Self { outer: Ends::received(fds, stdin)?, inner: Ends::received(fds, stdin)? })
    }

    /// Those of a process without a control channel.
    pub fn without_control(mut self) -> Self {
        self.outer.control = None;
        self.inner.control = None;
        self
    }
}

/// A pipe that the process writes: the worker's end and its own.
fn outwards() -> io::Result<(OwnedFd, OwnedFd)> {
    let (reader, writer) = pipe(OPEN_TO_ITS_HOLDERS)?;
    Ok((never_waiting(reader)?, writer))
}

/// A pipe that the process reads: the worker's end and its own.
fn inwards(mode: Mode) -> io::Result<(OwnedFd, OwnedFd)> {
    let (reader, writer) = pipe(mode)?;
    Ok((never_waiting(writer)?, reader))
}

fn pipe(mode: Mode) -> io::Result<(OwnedFd, OwnedFd)> {
    let (reader, writer) = pipe2(OFlag::O_CLOEXEC)?;
    // Not granted where the user has too many already: then it is what it was.
    let _ = fcntl(&writer, FcntlArg::F_SETPIPE_SZ(PIPE_BYTES));
    fchmod(&reader, mode)?;
    Ok((reader, writer))
}

/// A property of the open file, which is the worker's alone.
fn never_waiting(end: OwnedFd) -> io::Result<OwnedFd> {
    fcntl(&end, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    Ok(end)
}

/// The process `pid` at the other ends of `outer`.
pub fn process(pid: i32, outer: Ends, exit: oneshot::Receiver<ProcessEnd>) -> io::Result<Process> {
    let Ends { stdin, output: [stdout, stderr], control: channel } = outer;
    let stdin = match stdin {
        Some(stdin) => Some(Box::new(Sender::from_owned_fd(stdin)?) as _),
        None => None,
    };
    let control = match channel {
        Some([requests, frames]) => Some(control(requests, frames)?),
        None => None,
    };
    Ok(Process {
        id: ProcessId(u32::try_from(pid).map_err(io::Error::other)?),
        stdin,
        stdout: Box::new(OutputPipe::new(stdout)?),
        stderr: Box::new(OutputPipe::new(stderr)?),
        control,
        exit,
    })
}

/// A kernel's control channel: it reads `requests` and writes `frames`.
pub fn control(requests: OwnedFd, frames: OwnedFd) -> io::Result<Control> {
    let writer = Sender::from_owned_fd(requests)?;
    let reader = Receiver::from_owned_fd(frames)?;
    Ok(Control { reader: Box::new(reader), writer: Box::new(writer) })
}
