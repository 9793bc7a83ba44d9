//! Which processes are in sight, and what `/proc` gives away.

use std::fs::{self, File, OpenOptions};
use std::io;

use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::unistd::{Pid, getpid};

use super::{Attempt, Outcome};

/// What is tried with the processes of others.
pub const ATTEMPTS: &[Attempt] = &[
    ("signal the worker", |targets| signal(targets.worker)),
    ("processes in sight", |_| Outcome::seen(in_sight())),
    ("read the environment of process 1", |_| Outcome::of(fs::read("/proc/1/environ"))),
    ("read the memory of process 1", |_| Outcome::of(File::open("/proc/1/mem"))),
    ("enter the root of process 1", |_| Outcome::of(fs::read_dir("/proc/1/root"))),
    ("open core_pattern for writing", |_| open_for_writing("/proc/sys/kernel/core_pattern")),
    ("open a sysctl for writing", |_| open_for_writing("/proc/sys/vm/overcommit_memory")),
    ("the kernel's command line", |_| Outcome::seen(length("/proc/cmdline"))),
    ("the kernel's keys", |_| Outcome::seen(length("/proc/keys"))),
];

/// Signal 0 asks only whether one could be sent. Our own number may be the same as the worker's
/// elsewhere.
fn signal(worker: i32) -> Outcome {
    if worker == getpid().as_raw() {
        return Outcome::of::<()>(Err(Errno::ESRCH));
    }
    Outcome::of(kill(Pid::from_raw(worker), None))
}

fn in_sight() -> io::Result<String> {
    /// Of a host with thousands, a few are enough to show what is wrong.
    const SHOWN: usize = 8;
    let mut pids: Vec<i32> = fs::read_dir("/proc")?
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    pids.sort_unstable();
    if pids.is_empty() {
        return Ok(String::from("none"));
    }
    if pids == [1, getpid().as_raw()] {
        return Ok(String::from("init and itself"));
    }
    let shown: Vec<String> = pids.iter().take(SHOWN).map(ToString::to_string).collect();
    Ok(format!("{} processes: {} …", pids.len(), shown.join(" ")))
}

/// Writes nothing: that it could is bad enough.
fn open_for_writing(path: &str) -> Outcome {
    Outcome::of(OpenOptions::new().write(true).open(path))
}

/// The text itself would go into logs.
fn length(path: &str) -> io::Result<String> {
    match fs::read(path) {
        Ok(text) if text.is_empty() => Ok(String::from("empty")),
        Ok(text) => Ok(format!("{} bytes", text.len())),
        // A kernel without it has nothing to hide there.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::from("empty")),
        Err(error) => Err(error),
    }
}
