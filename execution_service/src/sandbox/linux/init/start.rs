//! Starting a process inside the sandbox.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;

use nix::fcntl::OFlag;
use nix::unistd::pipe2;

use crate::sandbox::linux::confine::process_limits::ProcessLimits;
use crate::sandbox::linux::confine::program::{Program, set_up_process};
use crate::sandbox::linux::probe::{self, Finding, Probe, Targets};
use crate::sandbox::linux::seccomp;
use crate::sandbox::linux::syscall;
use crate::sandbox::spec::Command;

/// Starts `command` with `fds` as its descriptors 1, 2, …, and before them 0 if that is a pipe or a
/// terminal; gives its number.
///
/// # Errors
/// That of the step that failed in the new process, up to and including `execve`.
pub fn start(
    command: &Command,
    fds: Vec<OwnedFd>,
    process_limits: ProcessLimits,
) -> io::Result<i32> {
    if fds.len() < 2 {
        // They did not arrive: there are too many open files.
        return Err(io::Error::from_raw_os_error(libc::EMFILE));
    }
    let program = Program::of(command)?;
    fork_with(fds, process_limits, |fds, _| program.become_with(fds))
}

/// Takes the command of an [`InitRequest::StartLong`](super::InitRequest::StartLong) out of its file.
pub fn long_command(fds: &mut Vec<OwnedFd>) -> io::Result<Command> {
    if fds.is_empty() {
        return Err(io::Error::from_raw_os_error(libc::EMFILE));
    }
    let mut bytes = Vec::new();
    File::from(fds.remove(0)).read_to_end(&mut bytes)?;
    postcard::from_bytes(&bytes).map_err(io::Error::other)
}

/// Starts a process that is confined as those of [`start`] are, and makes attempts instead of becoming a
/// program. What came of them is on its standard output.
pub fn start_probe(
    (probe, targets): (Probe, &Targets),
    fds: Vec<OwnedFd>,
    process_limits: ProcessLimits,
) -> io::Result<i32> {
    fork_with(fds, process_limits, |fds, started| {
        if let Err(error) = set_up_process(c"/", Some(c"/dev/null"), fds) {
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

/// Forks, and has the child `act` with its descriptors `fds` until it is another program or lets go of
/// the file that it was given; what it returns is why it could not.
fn fork_with(
    fds: Vec<OwnedFd>,
    process_limits: ProcessLimits,
    act: impl FnOnce(Vec<OwnedFd>, &mut Option<File>) -> io::Error,
) -> io::Result<i32> {
    let filter = seccomp::lost_by_programs();
    let (reader, writer) = pipe2(OFlag::O_CLOEXEC)?;
    let Some(pid) = syscall::fork()? else {
        // Until an exec this is a copy of init within reach of user code: as sealed as init, it stays out
        // of its sight. (So it cannot offer itself to the killer of processes, either: our kernels do.)
        let mut started = Some(File::from(writer));
        let error = match process_limits.apply().and_then(|()| syscall::install_seccomp(&filter)) {
            Ok(()) => act(fds, &mut started),
            Err(error) => error,
        };
        let number = error.raw_os_error().unwrap_or(libc::EIO);
        if let Some(mut started) = started {
            let _ = started.write_all(&number.to_ne_bytes());
        }
        syscall::exit_now(127);
    };
    drop((writer, fds));
    // Ends at the exec, which closes the pipe, or with the error number of what failed before it.
    let mut number = [0; 4];
    match File::from(reader).read_exact(&mut number) {
        Ok(()) => Err(io::Error::from_raw_os_error(i32::from_ne_bytes(number))),
        Err(_) => Ok(pid),
    }
}
