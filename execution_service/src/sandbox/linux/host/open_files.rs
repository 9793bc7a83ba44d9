//! How many open files there are, and whose. Linux has one limit for the whole host (`fs.file-max`) and one for each
//! process, and none in between.

use std::fs;
use std::os::unix::fs::MetadataExt;

/// Open files of the whole host from which on it is worth the time to find out whose they are.
const MANY: u64 = 32 << 10;

/// Whether the host has many.
pub fn are_many() -> bool {
    let text = fs::read_to_string("/proc/sys/fs/file-nr").unwrap_or_default();
    let allocated = text.split_ascii_whitespace().next().and_then(|number| number.parse().ok());
    allocated.is_some_and(|count: u64| count > MANY)
}

/// How many descriptors these processes have. Before Linux 6.2 nobody but they themselves can tell: none then.
pub fn held_by(processes: &[i32]) -> u64 {
    let held = |pid: &i32| fs::metadata(format!("/proc/{pid}/fd")).ok().map(|it| it.size());
    processes.iter().filter_map(held).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptors_of_a_process_are_counted() {
        let own = i32::try_from(std::process::id()).expect("small");
        let before = held_by(&[own]);
        if before == 0 {
            eprintln!("skipped: descriptors_of_a_process_are_counted (Linux before 6.2)");
            return;
        }
        let more: Vec<_> =
            (0..100).map(|_| fs::File::open("/dev/null").expect("there is one")).collect();
        assert!(held_by(&[own]) >= before + 50, "others of this test may have closed some");
        assert_eq!(held_by(&[i32::MAX]), 0);
        drop(more);
    }
}
