//! Memory, as the kernel counts it.

use anyhow::Context;

/// Bytes that the machine has.
pub fn total() -> anyhow::Result<u64> {
    machine("MemTotal:")
}

/// Bytes that the machine could still give to programs: falls by whatever is used for processes,
/// for the kernel's own account of them, and for files in memory.
pub fn available() -> anyhow::Result<u64> {
    machine("MemAvailable:")
}

fn machine(name: &'static str) -> anyhow::Result<u64> {
    field(&std::fs::read_to_string("/proc/meminfo")?, name).context(name)
}

/// Bytes of these processes together, what they share counted once. `None` when one of them may not
/// be looked at; one that has ended in the meantime counts nothing.
pub fn of(processes: &[u32]) -> Option<u64> {
    let mut sum = 0;
    for pid in processes {
        match std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")) {
            Ok(rollup) => sum += field(&rollup, "Pss:").unwrap_or_default(),
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => return None,
            Err(_) => {}
        }
    }
    Some(sum)
}

/// Bytes of one process that are in memory, shared ones included.
pub fn resident(pid: u32) -> Option<u64> {
    field(&std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?, "VmRSS:")
}

/// `VmRSS:     1452 kB` in bytes.
fn field(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}
