//! Settings of the host that close what no sandbox can: the worker does not need them, and does not change them.

use std::fs;
use std::ops::Range;

use serde::Serialize;

use crate::sandbox::linux::{FIRST_HOST_ID, HOST_IDS};

/// One that could be better.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct HostSetting {
    pub(super) name: &'static str,
    pub(super) seen: String,
    pub(super) remedy: String,
}

/// Those of this host.
pub(super) fn settings() -> Vec<HostSetting> {
    found(|path| fs::read_to_string(path).ok())
}

/// Those of a host whose files `read` gives.
fn found(read: impl Fn(&str) -> Option<String>) -> Vec<HostSetting> {
    let number = |path: &str| read(path)?.split_ascii_whitespace().next()?.parse::<u64>().ok();
    let mut found = Vec::new();
    let mut note = |name, seen: String, remedy: &str| {
        found.push(HostSetting { name, seen, remedy: String::from(remedy) });
    };
    // A program that locks the bus a million times a second makes all memory several times slower for everybody.
    let flags = read("/proc/cpuinfo").unwrap_or_default();
    let traps = ["split_lock_detect", "bus_lock_detect"].iter().any(|flag| flags.contains(flag));
    if !traps {
        note(
            "bus_locks",
            String::from(
                "this processor, or its hypervisor, does not trap atomic operations across cache lines",
            ),
            "run the worker on a machine (or a virtual machine) whose /proc/cpuinfo has split_lock_detect or bus_lock_detect",
        );
    } else if number("/proc/sys/kernel/split_lock_mitigate") == Some(0) {
        note(
            "bus_locks",
            String::from(
                "kernel.split_lock_mitigate is 0: programs that lock the bus are not slowed down",
            ),
            "sysctl kernel.split_lock_mitigate=1",
        );
    }
    if read("/proc/swaps").is_some_and(|text| text.lines().count() > 1) {
        note(
            "swap",
            String::from(
                "there is swap: its disk is everybody's, and what sandboxes push out comes back slowly",
            ),
            "swapoff -a, or vm.swappiness=0",
        );
    }
    if let Some(most) = number("/proc/sys/fs/file-max").filter(|most| *most < 500_000) {
        note(
            "file-max",
            format!("fs.file-max is {most}: thirty sandboxes may have 16,384 open files each"),
            "sysctl fs.file-max=1000000",
        );
    }
    if let Some(most) = number("/proc/sys/kernel/pid_max").filter(|most| *most < 131_072) {
        note(
            "pid_max",
            format!("kernel.pid_max is {most}, of which half is for sandboxes"),
            "sysctl kernel.pid_max=4194304",
        );
    }
    for file in ["/etc/subuid", "/etc/subgid"] {
        for whose in read(file).unwrap_or_default().lines().filter_map(|line| owner(line, &OURS)) {
            note(
                "host_ids",
                format!(
                    "{file} gives {whose} ids that sandboxes of a worker of root have, {} on",
                    OURS.start
                ),
                "give that user other ids, or nobody: whoever has them can signal the processes of sandboxes",
            );
        }
    }
    found
}

/// The ids of sandboxes on the host, when the worker is started by root.
const OURS: Range<u64> = FIRST_HOST_ID as u64..(FIRST_HOST_ID + HOST_IDS) as u64;

/// Whose a line of `/etc/subuid` is, if its ids are some of `ours`.
fn owner<'a>(line: &'a str, ours: &Range<u64>) -> Option<&'a str> {
    let mut fields = line.split(':');
    let (whose, first, count) = (fields.next()?, fields.next()?, fields.next()?);
    let (first, count) = (first.parse::<u64>().ok()?, count.trim().parse::<u64>().ok()?);
    (first < ours.end && first.saturating_add(count) > ours.start).then_some(whose)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_be_better_is_named_with_the_remedy() {
        let bad = |path: &str| {
            Some(String::from(match path {
                "/proc/cpuinfo" => "flags : split_lock_detect sse",
                "/proc/sys/kernel/split_lock_mitigate" => "0\n",
                "/proc/swaps" => "Filename Type\n/dev/sda2 partition\n",
                "/proc/sys/fs/file-max" => "100000\n",
                "/proc/sys/kernel/pid_max" => "32768\n",
                "/etc/subuid" => "ann:100000:65536\nbob:165536:65536\n",
                _ => return None,
            }))
        };
        let named: Vec<_> = found(bad).into_iter().map(|setting| setting.name).collect();
        assert_eq!(named, ["bus_locks", "swap", "file-max", "pid_max", "host_ids"]);
        let good = |path: &str| {
            Some(String::from(match path {
                "/proc/cpuinfo" => "flags : bus_lock_detect",
                "/proc/sys/kernel/split_lock_mitigate" => "1",
                "/proc/swaps" => "Filename Type\n",
                "/proc/sys/fs/file-max" => "9223372036854775807",
                "/proc/sys/kernel/pid_max" => "4194304",
                "/etc/subgid" => "bob:165536:65536\nnonsense\n",
                _ => return None,
            }))
        };
        assert_eq!(found(good), []);
        assert_eq!(found(|_| None).len(), 1, "what cannot be read is not complained about");
    }
}
