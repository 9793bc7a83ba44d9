//! Waiting for children.

#![expect(unsafe_code)]

use std::io;
use std::mem;
use std::time::Duration;

use crate::sandbox::backend::ProcessEnd;
use crate::sandbox::spec::Exit;

/// A child that has ended.
pub struct Reaped {
    /// Which.
    pub pid: libc::pid_t,
    /// How, and what it and the children that it had waited for have used.
    pub end: ProcessEnd,
}

/// Takes the status of one ended child (`pid`, or any with -1); `None` when there is none now.
pub fn reap(pid: libc::pid_t) -> io::Result<Option<Reaped>> {
    let mut status: libc::c_int = 0;
    // SAFETY: all zeroes is a valid `rusage`: it has only integers.
    let mut usage: libc::rusage = unsafe { mem::zeroed() };
    // SAFETY: both pointers are to live, writable variables of the right type.
    let found =
        unsafe { libc::wait4(pid, &raw mut status, libc::WNOHANG | libc::__WALL, &raw mut usage) };
    match found {
        0 => Ok(None),
        -1 => {
            let error = io::Error::last_os_error();
            if error.raw_os_error() == Some(libc::ECHILD) { Ok(None) } else { Err(error) }
        }
        pid => {
            let cpu = duration(usage.ru_utime) + duration(usage.ru_stime);
            // In units of 1024 bytes, by getrusage(2).
            let peak_memory_bytes = u64::try_from(usage.ru_maxrss).unwrap_or_default() * 1024;
            let end = ProcessEnd { exit: exit_of(status), cpu, peak_memory_bytes };
            Ok(Some(Reaped { pid, end }))
        }
    }
}

/// What a raw status of `wait4` says of a process that has ended.
pub fn exit_of(status: libc::c_int) -> Exit {
    if libc::WIFSIGNALED(status) {
        Exit::Signal(libc::WTERMSIG(status))
    } else {
        Exit::Code(libc::WEXITSTATUS(status))
    }
}

fn duration(time: libc::timeval) -> Duration {
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    let micros = u64::try_from(time.tv_usec).unwrap_or_default();
    Duration::from_secs(seconds) + Duration::from_micros(micros)
}
