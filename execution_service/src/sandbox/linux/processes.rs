//! What the kernel says of other processes, by their numbers in our pid namespace.

use std::fs;

use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::unistd::Pid;

/// Whether there is a process `pid`, dead ones included that nobody has waited for.
pub fn exists(pid: i32) -> bool {
    kill(Pid::from_raw(pid), None) != Err(Errno::ESRCH)
}

/// How many threads the process `pid` has.
pub fn threads(pid: i32) -> Option<u32> {
    status_field(pid, "Threads:")?.parse().ok()
}

fn status_field(pid: i32, name: &str) -> Option<String> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim().to_owned())
}
