//! Memory of this machine that is in no account.
//!
//! The kernel counts what a socket holds by the bytes that were sent, and keeps whole pages for them: one byte of
//! a page that others have been sent from keeps 32 KiB, which no cgroup and no limit knows of. All that can be seen
//! is that pages of the machine are neither free nor anything that the kernel has a name for.

use std::collections::HashMap;
use std::fs;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How old a look may be.
const FRESH: Duration = Duration::from_millis(100);
/// What drivers and the kernel take by themselves: this part of the machine's memory at any time, …
const OWN_PART: u64 = 16;
/// … and as much more each time that so many milliseconds have passed.
const OWN_GROWTH: u64 = 600_000;

/// What `/proc/meminfo` has a name for.
const ACCOUNTED: &[&str] = &[
    "MemFree",
    "Buffers",
    "Cached",
    "SwapCached",
    "AnonPages",
    "Slab",
    "KernelStack",
    "PageTables",
    "SecPageTables",
    "VmallocUsed",
    "Percpu",
    "Hugetlb",
    "Zswap",
    "Balloon",
    "GPUActive",
    "GPUReclaim",
];

static LAST: Mutex<Option<Look>> = Mutex::new(None);

/// How many bytes more than usual the machine holds and nobody accounts for; 0 while that may be its own doing,
/// and where it cannot be told.
pub fn grown() -> u64 {
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    let now = Instant::now();
    let look = match last.take() {
        Some(look) if now.duration_since(look.at) < FRESH => Some(look),
        before => read().map(|memory| Look::after(before, now, memory, at_hand)),
    };
    *last = look;
    look.map_or(0, Look::grown)
}

/// The size of a page, in bytes. By the C library: rustix reads it from `/proc/self/auxv`, which is not ours to
/// read, and panics before Linux 6.4.
pub fn page() -> Option<u64> {
    let size = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE).ok()??;
    u64::try_from(size).ok()
}

/// The memory of the machine, in bytes.
pub fn total() -> Option<u64> {
    read().map(|memory| memory.total)
}

/// One look at the machine.
#[derive(Clone, Copy, Debug)]
struct Look {
    at: Instant,
    memory: Memory,
    /// What is usual.
    usual: u64,
}

impl Look {
    /// `at_hand` is dear, and asked for where it matters only.
    fn after(
        before: Option<Self>,
        at: Instant,
        mut memory: Memory,
        at_hand: impl FnOnce() -> u64,
    ) -> Self {
        let Some(before) = before else {
            memory.unaccounted = memory.unaccounted.saturating_sub(at_hand());
            return Self { at, memory, usual: memory.unaccounted };
        };
        let passed = u64::try_from(at.duration_since(before.at).as_millis()).unwrap_or(u64::MAX);
        let own = (memory.total / OWN_PART / OWN_GROWTH).saturating_mul(passed);
        let usual = before.usual.saturating_add(own).min(memory.unaccounted);
        let mut look = Self { at, memory, usual };
        if look.grown() > 0 {
            look.memory.unaccounted = memory.unaccounted.saturating_sub(at_hand());
        }
        look
    }

    fn grown(self) -> u64 {
        let more = self.memory.unaccounted.saturating_sub(self.usual);
        if more > self.memory.total / OWN_PART { more } else { 0 }
    }
}

/// In bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Memory {
    total: u64,
    unaccounted: u64,
}

fn read() -> Option<Memory> {
    Memory::of(&fs::read_to_string("/proc/meminfo").ok()?)
}

/// Free as well, and in the hands of single processors: up to an eighth of the machine.
fn at_hand() -> u64 {
    let pages = pages_at_hand(&fs::read_to_string("/proc/zoneinfo").unwrap_or_default());
    pages.saturating_mul(page().unwrap_or_default())
}

fn pages_at_hand(zoneinfo: &str) -> u64 {
    let counts = zoneinfo.lines().filter_map(|line| line.trim().strip_prefix("count:"));
    counts.filter_map(|count| count.trim().parse::<u64>().ok()).sum()
}

impl Memory {
    fn of(meminfo: &str) -> Option<Self> {
        let lines: HashMap<&str, u64> = meminfo
            .lines()
            .filter_map(|line| {
                let (name, rest) = line.split_once(':')?;
                Some((name, rest.trim().strip_suffix(" kB")?.parse::<u64>().ok()? << 10))
            })
            .collect();
        let total = *lines.get("MemTotal")?;
        let accounted: u64 = ACCOUNTED.iter().filter_map(|name| lines.get(name)).sum();
        Some(Self { total, unaccounted: total.saturating_sub(accounted) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    #[test]
    fn what_has_no_name_is_unaccounted() {
        let meminfo = "MemTotal:  1000 kB\nMemFree:  100 kB\nMemAvailable:  700 kB\nCached:  200 kB\n\
            AnonPages:  300 kB\nHugePages_Total:  0\n";
        let expected = Memory { total: 1000 << 10, unaccounted: (1000 - 600) << 10 };
        assert_eq!(Memory::of(meminfo), Some(expected));
        assert_eq!(Memory::of(""), None);
        let zoneinfo = "  pagesets\n    cpu: 0\n              count:    10\n              high:  9\n\
            cpu: 1\n              count:    5\n";
        assert_eq!(pages_at_hand(zoneinfo), 15);
        assert!(read().is_some_and(|memory| memory.unaccounted < memory.total), "of this machine");
    }

    #[test]
    fn a_machine_may_take_more_for_itself_but_not_at_once() {
        let at = Instant::now();
        let look = |before, seconds, unaccounted| {
            let memory = Memory { total: 16 * GIB, unaccounted };
            Look::after(before, at + Duration::from_secs(seconds), memory, || GIB / 2)
        };
        let first = look(None, 0, GIB + GIB / 2);
        assert_eq!(first.grown(), 0);
        assert_eq!(look(Some(first), 1, 2 * GIB).grown(), 0, "a sixteenth");
        assert_eq!(look(Some(first), 1, 2 * GIB + GIB / 2).grown(), 0, "and what is at hand");
        let much = look(Some(first), 1, 4 * GIB);
        assert!(much.grown() > 2 * GIB, "{much:?}");
        assert_eq!(look(Some(much), 3600, 4 * GIB).grown(), 0, "an hour later it is usual");
        let fallen = look(Some(much), 2, GIB / 2);
        assert_eq!((fallen.grown(), fallen.usual), (0, GIB / 2));
    }
}
