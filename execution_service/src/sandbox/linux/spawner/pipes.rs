//! Making the pipes of a process. The spawner does, and neither the worker nor init: they must not come from
//! anybody who lives beside user code, and must not be counted as the worker's, which has room for those of
//! some hundred processes.

use std::io;
use std::os::fd::OwnedFd;

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::stat::{Mode, fchmod};
use nix::unistd::{Uid, getresuid, pipe2, setresuid};

use crate::sandbox::linux::wire::pipes::{Ends, Pipes};

/// Four times the default: a program that prints a lot waits, and wakes the worker, a quarter as often.
const PIPE_BYTES: libc::c_int = 256 << 10;
/// User code may open its standard output by name, and is another user than the spawner. Nobody else can:
/// a pipe has no name but that of a descriptor.
const OPEN_TO_ITS_HOLDERS: Mode = Mode::from_bits_truncate(0o666);
/// The same of its standard input, which it may read and not write: the end is the worker's to say.
const READABLE_BY_ITS_HOLDERS: Mode = Mode::from_bits_truncate(0o444);

/// Makes them, in the spawner, with one for descriptor 0 if `stdin`. The kernel bounds what the pipes of
/// one user hold, and counts these for the real user `counted_for`.
pub fn make(counted_for: Uid, stdin: bool) -> io::Result<Pipes> {
    let own = getresuid()?;
    setresuid(counted_for, own.effective, own.saved)?;
    let made = make_all(stdin);
    // Nothing may go on under another name.
    setresuid(own.real, own.effective, own.saved)?;
    made
}

fn make_all(stdin: bool) -> io::Result<Pipes> {
    let (outer_in, inner_in) = if stdin {
        let (outer, inner) = inwards(READABLE_BY_ITS_HOLDERS)?;
        (Some(outer), Some(inner))
    } else {
        (None, None)
    };
    let (stdout, stderr) = (outwards()?, outwards()?);
    let (requests, frames) = (inwards(OPEN_TO_ITS_HOLDERS)?, outwards()?);
    Ok(Pipes {
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
