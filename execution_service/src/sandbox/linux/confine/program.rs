//! A program to become: everything that `execve` needs, made before the fork.

use std::convert::Infallible;
use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::OwnedFd;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::signal::{SigSet, SigmaskHow, Signal, sigprocmask};
use nix::sys::stat::Mode;
use nix::unistd::{chdir, execve, setsid};

use crate::sandbox::linux::syscall;
use crate::sandbox::spec::{Command, Stdin, WORKSPACE};

/// The arguments of one `execve`.
pub struct Program {
    /// Tried in turn.
    paths: Vec<CString>,
    argv: Vec<CString>,
    envp: Vec<CString>,
    directory: CString,
    /// The file that descriptor 0 is; absent where that comes with the others.
    stdin: Option<CString>,
    /// Descriptor 0 is a terminal.
    in_terminal: bool,
}

impl Program {
    /// Of `command`, whose program is looked for on the `PATH` of its environment if it has no slash.
    ///
    /// # Errors
    /// When one of its texts holds a NUL.
    pub fn of(command: &Command) -> io::Result<Self> {
        let text = |text: &str| CString::new(text).map_err(io::Error::other);
        let mut paths = vec![text(&command.program)?];
        let mut argv = paths.clone();
        if !command.program.contains('/') {
            let directories = command.env.get("PATH").map_or("", String::as_str).split(':');
            let inside =
                directories.map(|directory| text(&format!("{directory}/{}", command.program)));
            paths = inside.collect::<io::Result<_>>()?;
        }
        for argument in &command.args {
            argv.push(text(argument)?);
        }
        let mut envp = Vec::with_capacity(command.env.len());
        for (name, value) in &command.env {
            envp.push(text(&format!("{name}={value}"))?);
        }
        let stdin = match &command.stdin {
            Stdin::Null => Some(text("/dev/null")?),
            Stdin::File(path) => Some(text(path)?),
            Stdin::Pipe | Stdin::Terminal(_) => None,
        };
        let directory = text(&command.working_directory)?;
        let in_terminal = matches!(command.stdin, Stdin::Terminal(_));
        Ok(Self { paths, argv, envp, directory, stdin, in_terminal })
    }

    /// Becomes the program, as the leader of a session, with `fds` as its descriptors 1, 2, … and none
    /// above; where descriptor 0 is a pipe or a terminal, that is the first of them. Returns only if that fails.
    pub fn become_with(&self, fds: Vec<OwnedFd>) -> io::Error {
        match self.try_become(fds) {
            Ok(never) => match never {},
            Err(error) => error,
        }
    }

    fn try_become(&self, fds: Vec<OwnedFd>) -> io::Result<Infallible> {
        set_up_process(&self.directory, self.stdin.as_deref(), fds)?;
        if self.in_terminal {
            rustix::process::ioctl_tiocsctty(io::stdin())?;
        }
        let mut error = io::Error::from(Errno::ENOENT);
        for path in &self.paths {
            match execve(path, &self.argv, &self.envp) {
                Err(Errno::ENOENT | Errno::ENOTDIR) => {}
                Err(other) => error = io::Error::from(other),
                Ok(never) => match never {},
            }
        }
        Err(error)
    }
}

/// All of a program's beginning but the program: the leader of a session in `directory`, with the file `stdin`,
/// if there is one, and `fds` as its descriptors 0, 1, 2, …, and all above them to be closed by an exec.
pub fn set_up_process(directory: &CStr, stdin: Option<&CStr>, fds: Vec<OwnedFd>) -> io::Result<()> {
    setsid()?;
    let none = SigSet::empty();
    sigprocmask(SigmaskHow::SIG_SETMASK, Some(&none), None)?;
    // An ignored signal stays ignored over an exec. Rust ignores SIGPIPE; a service that a shell has started in the
    // background has SIGINT and SIGQUIT ignored, by nohup SIGHUP.
    let kept = [Signal::SIGKILL, Signal::SIGSTOP];
    for signal in Signal::iterator().filter(|signal| !kept.contains(signal)) {
        syscall::default_signal(signal)?;
    }
    // User code may have made its home one that it cannot enter. Who names another directory means that.
    let is_home = directory.to_bytes() == WORKSPACE.as_bytes();
    chdir(directory).or_else(|error| if is_home { chdir("/") } else { Err(error) })?;
    let mut descriptors = Vec::with_capacity(fds.len() + 1);
    if let Some(stdin) = stdin {
        // User code may have put a FIFO there, and whoever starts us waits until the exec.
        let input = nix::fcntl::open(stdin, OFlag::O_RDONLY | OFlag::O_NONBLOCK, Mode::empty())?;
        fcntl(&input, FcntlArg::F_SETFL(OFlag::empty()))?;
        descriptors.push(input);
    }
    descriptors.extend(fds);
    syscall::become_descriptors(&descriptors)?;
    // They are the process's from here on, whether an exec follows or not.
    descriptors.into_iter().for_each(std::mem::forget);
    Ok(())
}
