//! What the processes of this sandbox hold, read from its own `/proc`: the only account there is on a
//! host without cgroups. What pipes hold is told nowhere; the kernel has a limit for all those of one user.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader};
use std::os::fd::AsFd;
use std::time::Duration;

use super::processes;
use super::sockets::Sockets;
use crate::sandbox::linux::host::disk::Disk;
use crate::sandbox::linux::host::reaped::Reaped;
use crate::sandbox::linux::wire::init::{InitUsage, TICKS_PER_SECOND};

/// Takes the account of the `workspace` and of what runs and ran. Memory is estimated in a cheap way, and
/// if that is more than `suspicious` bytes, in an exact one.
pub fn measure(
    workspace: impl AsFd,
    reaped: Reaped,
    suspicious: u64,
    sockets: &mut Sockets,
) -> InitUsage {
    let mut usage =
        InitUsage { cpu: reaped.cpu, largest_ended: reaped.largest, ..InitUsage::default() };
    usage.disk = Disk::of(workspace).unwrap_or_default();
    let pids = processes::others();
    usage.processes = u32::try_from(pids.len()).unwrap_or(u32::MAX);
    usage.cpu += pids.iter().filter_map(|pid| cpu_time(*pid)).sum::<Duration>();
    let (mut held, mut shared, mut own) = (usage.disk.bytes, HashMap::new(), Vec::new());
    for pid in pids {
        let Ok(status) = fs::read_to_string(format!("/proc/{pid}/status")) else { continue };
        let memory = Memory::of(&status);
        held = held.saturating_add(memory.tables);
        match note_shared(pid, &mut shared) {
            // It has made itself one that cannot be looked at: what it may have shared, it has.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                held = held.saturating_add(memory.not_its_own);
            }
            // Others have just ended.
            Ok(()) | Err(_) => {}
        }
        own.push((pid, memory.own));
    }
    if held > suspicious {
        // Too much, whatever the rest is. To look closer takes a millisecond for each MiB of tables: of many,
        // longer than a program may go unwatched, and it would be stopped for that and not for what it did.
        let rest = shared.into_values().chain(own.into_iter().map(|(_, bytes)| bytes));
        usage.memory_bytes = rest.fold(held, u64::saturating_add);
        return usage;
    }
    held = shared.into_values().fold(held, u64::saturating_add);
    let estimate = held.saturating_add(own.iter().map(|(_, bytes)| bytes).sum());
    let count = sockets.count();
    usage.memory_bytes = if estimate.saturating_add(sockets.most(count)) > suspicious {
        let exact = own.iter().map(|(pid, bytes)| proportional_bytes(*pid).unwrap_or(*bytes));
        exact.fold(held.saturating_add(sockets.buffered().bytes), u64::saturating_add)
    } else {
        estimate
    };
    usage.memory_bytes = usage.memory_bytes.saturating_add(Sockets::empty(count));
    usage
}

/// What a process's `status` says of its memory, in bytes.
#[derive(Debug, Default, PartialEq, Eq)]
struct Memory {
    /// Resident, without files and what is meant to be shared. Pages that a fork still shares with its parent
    /// are counted once a process: too much, never too little.
    own: u64,
    /// The tables that lead to its pages.
    tables: u64,
    /// Addresses, used or not, that are not private data.
    not_its_own: u64,
}

impl Memory {
    fn of(status: &str) -> Self {
        let kib = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().strip_suffix(" kB")?.parse::<u64>().ok()
        };
        let bytes = |name: &str| kib(name).unwrap_or_default().saturating_mul(1024);
        Self {
            own: bytes("RssAnon:"),
            tables: bytes("VmPTE:"),
            not_its_own: bytes("VmSize:").saturating_sub(bytes("VmData:")),
        }
    }
}

/// Notes the shared anonymous memory that `pid` can reach, by inode: of each as much as is mapped, because
/// pages that a process has not touched itself, as when its children did, are in no figure of its own. Shared
/// files are the workspace's.
fn note_shared(pid: i32, areas: &mut HashMap<u64, u64>) -> io::Result<()> {
    for line in BufReader::new(File::open(format!("/proc/{pid}/maps"))?).split(b'\n') {
        if let Some((inode, end)) = shared_area(&String::from_utf8_lossy(&line?)) {
            let known = areas.entry(inode).or_default();
            *known = end.max(*known);
        }
    }
    Ok(())
}

/// Inode, and where its last mapped byte is, of a line of proc_pid_maps(5) that is shared anonymous memory.
fn shared_area(line: &str) -> Option<(u64, u64)> {
    let line = line.strip_suffix("/dev/zero (deleted)")?;
    let mut fields = line.split_ascii_whitespace();
    let (start, end) = fields.next()?.split_once('-')?;
    let hex = |text: &str| u64::from_str_radix(text, 16).ok();
    if !fields.next()?.ends_with('s') {
        return None;
    }
    let offset = hex(fields.next()?)?;
    let inode = fields.nth(1)?.parse().ok()?;
    Some((inode, offset.saturating_add(hex(end)?.saturating_sub(hex(start)?))))
}

/// Its own resident memory with each page that forks still share divided among them. Dear: the kernel walks
/// the page tables.
fn proportional_bytes(pid: i32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("Pss_Anon:"))?;
    line.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kib| kib * 1024)
}

/// User and system time, with that of the children it has waited for.
fn cpu_time(pid: i32) -> Option<Duration> {
    Some(Duration::from_millis(processes::cpu_ticks(pid)? * 1000 / TICKS_PER_SECOND))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_what_the_kernel_says() {
        let status = "Name:\tpython3\nVmSize:\t   30000 kB\nRssAnon:\t    4096 kB\n\
            RssFile:\t    9000 kB\nVmData:\t    10000 kB\nVmPTE:\t      64 kB\n";
        let memory = Memory { own: 4096 << 10, tables: 64 << 10, not_its_own: 20_000 << 10 };
        assert_eq!(Memory::of(status), memory);
        assert_eq!(Memory::of("Name:\tended\nState:\tZ (zombie)\n"), Memory::default());
    }

    #[test]
    fn shared_anonymous_memory_is_told_from_all_else() {
        let shared = "7f0000000000-7f0000200000 rw-s 00001000 00:01 1036 /dev/zero (deleted)";
        assert_eq!(shared_area(shared), Some((1036, 0x20_1000)));
        for other in [
            "7f0000000000-7f0000200000 rw-p 00000000 00:01 1036 /dev/zero (deleted)",
            "7f0000000000-7f0000200000 rw-s 00000000 00:2f 17 /home/user/data",
            "7f0000000000-7f0000200000 rw-p 00000000 00:00 0",
            "/dev/zero (deleted)",
            "",
        ] {
            assert_eq!(shared_area(other), None, "{other}");
        }
    }
}
