//! Starting a process inside the sandbox.

use std::convert::Infallible;
use std::ffi::CString;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;

use nix::fcntl::OFlag;
use nix::sys::prctl;
use nix::sys::signal::{SigSet, SigmaskHow, Signal, sigprocmask};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
use nix::sys::stat::Mode;
use nix::unistd::{chdir, execve, pipe2, setsid};

use crate::sandbox::linux::syscall;
use crate::sandbox::spec::{Command, Stdin};

/// Everything that needs memory, made before the fork.
struct Prepared {
    program: CString,
    argv: Vec<CString>,
    envp: Vec<CString>,
    directory: CString,
    stdin: CString,
}

/// A process that runs, and the worker's ends of its descriptors 1, 2 and, with a control channel,
/// 3. The pipes are made here so that they count against the sandbox and not against the worker.
pub struct Started {
    /// Its number.
    pub pid: i32,
    /// For the worker.
    pub ends: Vec<OwnedFd>,
}

/// Starts `command`.
///
/// # Errors
/// That of the step that failed in the new process, up to and including `execve`.
pub fn start(command: Command) -> io::Result<Started> {
    let prepared = prepare(&command)?;
    let (mut ends, mut fds) = (Vec::new(), Vec::new());
    for _ in 0..2 {
        let (ours, theirs) = pipe2(OFlag::O_CLOEXEC)?;
        ends.push(ours);
        fds.push(theirs);
    }
    if command.control {
        let flags = SockFlag::SOCK_CLOEXEC;
        let (ours, theirs) = socketpair(AddressFamily::Unix, SockType::Stream, None, flags)?;
        ends.push(ours);
        fds.push(theirs);
    }
    let (reader, writer) = pipe2(OFlag::O_CLOEXEC)?;
    let Some(pid) = syscall::fork()? else {
        let error = become_command(&prepared, fds);
        let number = error.raw_os_error().unwrap_or(libc::EIO);
        let _ = File::from(writer).write_all(&number.to_ne_bytes());
        syscall::exit_now(127);
    };
    drop((writer, fds));
    // Ends at the exec, which closes the pipe, or with the error number of what failed before it.
    let mut number = [0; 4];
    match File::from(reader).read_exact(&mut number) {
        Ok(()) => Err(io::Error::from_raw_os_error(i32::from_ne_bytes(number))),
        Err(_) => Ok(Started { pid, ends }),
    }
}

fn prepare(command: &Command) -> io::Result<Prepared> {
    let text = |text: &str| CString::new(text).map_err(io::Error::other);
    let program = text(&command.program)?;
    let mut argv = vec![program.clone()];
    for argument in &command.args {
        argv.push(text(argument)?);
    }
    let mut envp = Vec::with_capacity(command.env.len());
    for (name, value) in &command.env {
        envp.push(text(&format!("{name}={value}"))?);
    }
    let stdin = match &command.stdin {
        Stdin::Null => "/dev/null",
        Stdin::File(path) => path,
    };
    Ok(Prepared {
        program,
        argv,
        envp,
        directory: text(&command.working_directory)?,
        stdin: text(stdin)?,
    })
}

/// Returns only if it fails.
fn become_command(prepared: &Prepared, fds: Vec<OwnedFd>) -> io::Error {
    fn go(prepared: &Prepared, fds: Vec<OwnedFd>) -> io::Result<Infallible> {
        setsid()?;
        let none = SigSet::empty();
        sigprocmask(SigmaskHow::SIG_SETMASK, Some(&none), None)?;
        // Rust ignores SIGPIPE, and an ignored signal stays ignored over an exec.
        syscall::default_signal(Signal::SIGPIPE)?;
        be_first_victim();
        // User code may have made its home one that it cannot enter.
        chdir(prepared.directory.as_c_str()).or_else(|_| chdir("/"))?;
        let input = nix::fcntl::open(prepared.stdin.as_c_str(), OFlag::O_RDONLY, Mode::empty())?;
        let descriptors: Vec<OwnedFd> = std::iter::once(input).chain(fds).collect();
        syscall::become_descriptors(&descriptors)?;
        match execve(&prepared.program, &prepared.argv, &prepared.envp)? {}
    }
    match go(prepared, fds) {
        Ok(never) => match never {},
        Err(error) => error,
    }
}

/// When memory runs out, user code goes before init, and any sandbox before the service. Without
/// `/proc` all of them are equal, and the largest goes first.
fn be_first_victim() {
    // The file belongs to root for as long as this copy of init is not dumpable; the exec that follows
    // makes it dumpable anyway.
    let _ = prctl::set_dumpable(true);
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
}
