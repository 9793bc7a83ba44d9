//! What a process got from those that made it.

use std::fs;
use std::io;

use nix::fcntl::FdFlag;
use nix::sys::resource::{Resource, getrlimit};

use super::{Attempt, Outcome, calls};

/// What is looked for that others may have left to the process.
pub const ATTEMPTS: &[Attempt] = &[
    ("descriptors", |_| Outcome::seen(descriptors())),
    ("environment", |_| Outcome::Seen(environment())),
    ("command line", |_| Outcome::seen(command_line())),
    ("largest core file", |_| Outcome::seen(core_file())),
];

/// Those that a program started from here would have.
fn descriptors() -> io::Result<String> {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
    // A limit of a million may be there, and that many calls take a second.
    let most = i32::try_from(most).unwrap_or(i32::MAX).min(65_536);
    let kept = (0..most).filter(|fd| {
        calls::descriptor_flags(*fd)
            .is_ok_and(|flags| !FdFlag::from_bits_truncate(flags).contains(FdFlag::FD_CLOEXEC))
    });
    Ok(kept.map(|fd| fd.to_string()).collect::<Vec<_>>().join(" "))
}

/// The names only: what they stand for may be secret.
fn environment() -> String {
    let names: Vec<String> = calls::environment()
        .iter()
        .filter(|entry| !entry.is_empty())
        .map(|entry| {
            String::from_utf8_lossy(entry.split(|b| *b == b'=').next().unwrap_or(entry)).into()
        })
        .collect();
    if names.is_empty() { String::from("empty") } else { names.join(" ") }
}

fn command_line() -> io::Result<String> {
    match fs::read("/proc/self/cmdline") {
        Ok(text) if text.iter().all(|byte| *byte == 0) => Ok(String::from("empty")),
        Ok(text) => Ok(format!("{} bytes", text.len())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::from("empty")),
        Err(error) => Err(error),
    }
}

fn core_file() -> io::Result<String> {
    let (_, most) = getrlimit(Resource::RLIMIT_CORE)?;
    Ok(most.to_string())
}
