//! What the processes of this sandbox hold, read from its own `/proc`: the only account there is on a
//! host without cgroups.

use std::fs;
use std::os::fd::AsFd;
use std::time::Duration;

use crate::sandbox::linux::account::{Disk, Reaped};
use crate::sandbox::linux::protocol::InitUsage;

/// Takes the account of the `workspace` and of what runs and ran. Memory is estimated in a cheap way, and
/// if that is more than `suspicious` bytes, in an exact one.
pub fn measure(workspace: impl AsFd, reaped: Reaped, suspicious: u64) -> InitUsage {
    let mut usage =
        InitUsage { cpu: reaped.cpu, largest_ended: reaped.largest, ..InitUsage::default() };
    usage.disk = Disk::of(workspace).unwrap_or_default();
    usage.memory_bytes = usage.disk.bytes;
    let pids = other_processes();
    usage.processes = u32::try_from(pids.len()).unwrap_or(u32::MAX);
    usage.cpu += pids.iter().filter_map(|pid| cpu_time(*pid)).sum::<Duration>();
    let estimate: u64 = pids.iter().filter_map(|pid| resident_bytes(*pid)).sum();
    usage.memory_bytes += if usage.memory_bytes + estimate > suspicious {
        pids.iter().filter_map(|pid| proportional_bytes(*pid)).sum()
    } else {
        estimate
    };
    usage
}

fn other_processes() -> Vec<u32> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let number = |entry: fs::DirEntry| entry.file_name().to_str()?.parse().ok();
    entries.flatten().filter_map(number).filter(|pid| *pid != 1).collect()
}

/// Resident memory without files and the workspace's pages. Pages that a fork still shares with its parent
/// are counted once a process: too much, never too little.
fn resident_bytes(pid: u32) -> Option<u64> {
    const PAGE: u64 = 4096;
    let text = fs::read_to_string(format!("/proc/{pid}/statm")).ok()?;
    let mut fields = text.split_ascii_whitespace().skip(1);
    let resident: u64 = fields.next()?.parse().ok()?;
    let shared: u64 = fields.next()?.parse().ok()?;
    Some(resident.saturating_sub(shared) * PAGE)
}

/// Resident memory with each shared page divided among those who share it. Dear: the kernel walks the
/// page tables.
fn proportional_bytes(pid: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("Pss_Anon:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kib| kib * 1024)
}

/// User and system time, with that of the children it has waited for.
fn cpu_time(pid: u32) -> Option<Duration> {
    /// `USER_HZ`, which is 100 on every Linux that Rust runs on.
    const TICKS_PER_SECOND: u64 = 100;
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = text.rsplit_once(')')?;
    // proc_pid_stat(5): 14 utime, 15 stime, 16 cutime, 17 cstime; `rest` starts with field 3.
    let ticks: u64 = rest
        .split_ascii_whitespace()
        .skip(14 - 3)
        .take(4)
        .filter_map(|field| field.parse::<u64>().ok())
        .sum();
    Some(Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND))
}
