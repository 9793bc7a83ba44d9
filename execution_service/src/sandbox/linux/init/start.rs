//! Starting a process inside the sandbox, and the pipes of one that joins it.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::stat::fchmod;
use nix::unistd::pipe2;

use crate::sandbox::linux::probe::{self, Finding, Probe, Targets};
use crate::sandbox::linux::program::{Program, settle};
use crate::sandbox::linux::recipe::Burden;
use crate::sandbox::linux::{OPEN_TO_THE_WORKER, syscall};
use crate::sandbox::spec::Command;

/// Four times the default: a program that prints a lot waits, and wakes the worker, a quarter as often.
const PIPE_BYTES: libc::c_int = 256 << 10;

/// A process that runs, and the worker's ends of its descriptors 1, 2 and, with a control channel,
/// 3 and 4.
pub struct Started {
    /// Its number.
    pub pid: i32,
    /// For the worker.
    pub ends: Vec<OwnedFd>,
}

/// Both ends of a process's descriptors 1, 2 and perhaps 3 and 4. Made here so that they count against
/// the sandbox and not against the worker.
pub struct Ends {
    /// The worker's.
    pub outer: Vec<OwnedFd>,
    /// The process's.
    pub inner: Vec<OwnedFd>,
}

impl Ends {
    /// Makes them.
    pub fn make(control: bool) -> io::Result<Self> {
        let mut ends = Self { outer: Vec::new(), inner: Vec::new() };
        ends.add(Direction::Out)?;
        ends.add(Direction::Out)?;
        if control {
            ends.add(Direction::In)?;
            ends.add(Direction::Out)?;
        }
        Ok(ends)
    }

    fn add(&mut self, direction: Direction) -> io::Result<()> {
        let (reader, writer) = pipe2(OFlag::O_CLOEXEC)?;
        // Not granted where the user has too many already: then it is what it was.
        let _ = fcntl(&writer, FcntlArg::F_SETPIPE_SZ(PIPE_BYTES));
        // The worker is another user, and opens its end anew.
        fchmod(&reader, OPEN_TO_THE_WORKER)?;
        let (outer, inner) = match direction {
            Direction::In => (writer, reader),
            Direction::Out => (reader, writer),
        };
        self.outer.push(outer);
        self.inner.push(inner);
        Ok(())
    }
}

enum Direction {
    In,
    Out,
}

/// Starts `command`.
///
/// # Errors
/// That of the step that failed in the new process, up to and including `execve`.
pub fn start(command: &Command, burden: Burden) -> io::Result<Started> {
    let program = Program::of(command)?;
    fork_with(command.control, burden, |fds, _| program.become_with(fds))
}

/// Starts a process that is confined as those of [`start`] are, and makes attempts instead of becoming a
/// program. What came of them is on its standard output.
pub fn start_probe(probe: Probe, targets: &Targets, burden: Burden) -> io::Result<Started> {
    fork_with(false, burden, |fds, started| {
        if let Err(error) = settle(c"/", c"/dev/null", fds) {
            return error;
        }
        drop(started.take());
        let code = i32::from(report(&probe::run(probe, targets)).is_err());
        syscall::exit_now(code)
    })
}

fn report(findings: &[Finding]) -> io::Result<()> {
    let findings = postcard::to_stdvec(findings).map_err(io::Error::other)?;
    io::stdout().write_all(&findings)?;
    io::stdout().flush()
}

/// Forks, and has the child `act` with its descriptors 1, 2, … until it is another program or lets go of
/// the file that it was given; what it returns is why it could not.
fn fork_with(
    control: bool,
    burden: Burden,
    act: impl FnOnce(Vec<OwnedFd>, &mut Option<File>) -> io::Error,
) -> io::Result<Started> {
    let Ends { outer, inner } = Ends::make(control)?;
    let (reader, writer) = pipe2(OFlag::O_CLOEXEC)?;
    let Some(pid) = syscall::fork()? else {
        // Until an exec this is a copy of init within reach of user code: as sealed as init, it stays out
        // of its sight. (So it cannot offer itself to the killer of processes, either: our kernels do.)
        let mut started = Some(File::from(writer));
        let error = match burden.shoulder() {
            Ok(()) => act(inner, &mut started),
            Err(error) => error,
        };
        let number = error.raw_os_error().unwrap_or(libc::EIO);
        if let Some(mut started) = started {
            let _ = started.write_all(&number.to_ne_bytes());
        }
        syscall::exit_now(127);
    };
    drop((writer, inner));
    // Ends at the exec, which closes the pipe, or with the error number of what failed before it.
    let mut number = [0; 4];
    match File::from(reader).read_exact(&mut number) {
        Ok(()) => Err(io::Error::from_raw_os_error(i32::from_ne_bytes(number))),
        Err(_) => Ok(Started { pid, ends: outer }),
    }
}
