//! Mounts of the host, and bytes in the data directory.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Whatever begins like this grows with runs, as it shall: each has a bound and an age of its own.
const GROWING: [&str; 3] = ["crucible.db", "journal", "outputs"];

/// `/proc/self/mountinfo`, without the numbers, which are given again.
pub(super) fn mounts() -> BTreeSet<String> {
    let list = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let mount = |line: &str| {
        let mut fields = line.split(' ').skip(3);
        let (root, point) = (fields.next()?, fields.next()?);
        let kind = line.split_once(" - ")?.1;
        Some(format!("{kind} {root} on {point}"))
    };
    list.lines().filter_map(mount).collect()
}

/// The sizes of all files below a data directory that are not there to grow.
pub(super) fn bytes_below(data: &Path) -> u64 {
    let entries = fs::read_dir(data).into_iter().flatten().flatten();
    entries
        .filter(|entry| {
            let name = entry.file_name();
            !GROWING.iter().any(|growing| name.to_string_lossy().starts_with(growing))
        })
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => bytes_below(&entry.path()),
            Ok(metadata) => metadata.len(),
            // Removed since it was listed.
            Err(_) => 0,
        })
        .sum()
}
