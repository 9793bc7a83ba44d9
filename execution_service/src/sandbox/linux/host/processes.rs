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

/// The children of this process's first thread, which has all that we start; `None` where the kernel does
/// not list them.
pub fn children() -> Option<Vec<i32>> {
    children_of(i32::try_from(std::process::id()).ok()?)
}

/// Those of the process `pid`.
pub fn children_of(pid: i32) -> Option<Vec<i32>> {
    let list = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).ok()?;
    Some(list.split_ascii_whitespace().filter_map(|child| child.parse().ok()).collect())
}

fn status_field(pid: i32, name: &str) -> Option<String> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim().to_owned())
}
