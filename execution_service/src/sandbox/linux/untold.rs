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
/// … and as much more each time that this has passed.
const OWN_GROWTH: Duration = Duration::from_secs(600);

/// What `/proc/meminfo` has a name for.
const TOLD: &[&str] = &[
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
];

static LAST: Mutex<Option<Look>> = Mutex::new(None);

/// How many bytes more than usual the machine holds and nobody accounts for; 0 while that may be its own doing,
/// and where it cannot be told.
pub fn grown() -> u64 {
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    let now = Instant::now();
    let look = match last.take() {
        Some(look) if now.duration_since(look.at) < FRESH => Some(look),
        before => {
            let memory = read();
            memory.map(|memory| Look::after(before, now, memory))
        }
    };
    *last = look;
    look.map_or(0, Look::grown)
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
    fn after(before: Option<Self>, at: Instant, memory: Memory) -> Self {
        let usual = before.map_or(memory.untold, |before| {
            let passed = at.duration_since(before.at).as_secs_f64() / OWN_GROWTH.as_secs_f64();
            let own = (memory.total / OWN_PART) as f64 * passed;
            before.usual.saturating_add(own as u64).min(memory.untold)
        });
        Self { at, memory, usual }
    }

    fn grown(self) -> u64 {
        let more = self.memory.untold.saturating_sub(self.usual);
        if more > self.memory.total / OWN_PART { more } else { 0 }
    }
}

/// In bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Memory {
    total: u64,
    untold: u64,
}

fn read() -> Option<Memory> {
    let file = |name: &str| fs::read_to_string(format!("/proc/{name}")).ok();
    Memory::of(&file("meminfo")?, &file("zoneinfo").unwrap_or_default())
}

impl Memory {
    fn of(meminfo: &str, zoneinfo: &str) -> Option<Self> {
        let lines: HashMap<&str, u64> = meminfo
            .lines()
            .filter_map(|line| {
                let (name, rest) = line.split_once(':')?;
                Some((name, rest.trim().strip_suffix(" kB")?.parse::<u64>().ok()? << 10))
            })
            .collect();
        let total = *lines.get("MemTotal")?;
        let told: u64 = TOLD.iter().filter_map(|name| lines.get(name)).sum();
        // Free as well, and at the processors' hands: up to an eighth of the machine.
        let at_hand: u64 = zoneinfo
            .lines()
            .filter_map(|line| line.trim().strip_prefix("count:")?.trim().parse::<u64>().ok())
            .sum();
        let untold = total.saturating_sub(told).saturating_sub(at_hand.saturating_mul(PAGE));
        Some(Self { total, untold })
    }
}

/// Of both architectures, as it is usual; larger ones make the free memory look smaller than it is.
const PAGE: u64 = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    #[test]
    fn what_has_no_name_is_untold() {
        let meminfo = "MemTotal:  1000 kB\nMemFree:  100 kB\nMemAvailable:  700 kB\nCached:  200 kB\n\
            AnonPages:  300 kB\nHugePages_Total:  0\n";
        let zoneinfo = "  pagesets\n    cpu: 0\n              count:    10\n              high:  9\n\
            cpu: 1\n              count:    5\n";
        let expected = Memory { total: 1000 << 10, untold: (1000 - 600 - 60) << 10 };
        assert_eq!(Memory::of(meminfo, zoneinfo), Some(expected));
        assert_eq!(Memory::of("", ""), None);
        assert!(read().is_some_and(|memory| memory.untold < memory.total), "of this machine");
    }

    #[test]
    fn a_machine_may_take_more_for_itself_but_not_at_once() {
        let at = Instant::now();
        let look = |before, seconds, untold| {
            let memory = Memory { total: 16 * GIB, untold };
            Look::after(before, at + Duration::from_secs(seconds), memory)
        };
        let first = look(None, 0, GIB);
        assert_eq!(first.grown(), 0);
        assert_eq!(look(Some(first), 1, 2 * GIB).grown(), 0, "a sixteenth");
        let much = look(Some(first), 1, 4 * GIB);
        assert!(much.grown() > 2 * GIB, "{much:?}");
        assert_eq!(look(Some(much), 3600, 4 * GIB).grown(), 0, "an hour later it is usual");
        let fallen = look(Some(much), 2, GIB / 2);
        assert_eq!((fallen.grown(), fallen.usual), (0, GIB / 2));
    }
}
