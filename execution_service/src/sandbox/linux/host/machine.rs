//! What this machine has for sandboxes.

use std::fs;

use crate::sandbox::spec::Footprint;

/// Three quarters of its memory and half of its process numbers: the rest is for everybody else.
pub fn for_sandboxes() -> Footprint {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib = text.lines().find_map(|line| {
        line.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok()
    });
    let numbers = fs::read_to_string("/proc/sys/kernel/pid_max").unwrap_or_default();
    Footprint {
        memory_bytes: kib.map_or(u64::MAX, |kib| kib.saturating_mul(1024) / 4 * 3),
        processes: numbers.trim().parse::<u64>().map_or(u64::MAX, |count| count / 2),
    }
}
