//! What a launcher has running on this machine, counted, so that a test can say "nothing is left".

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::crucible::Crucible;
use crate::processes::{children, descendants};

/// Variables that make the number of warm sandboxes a constant.
pub const STEADY_POOL: [(&str, &str); 2] = [("INITIAL_POOL_SIZE", "2"), ("MAX_POOL_SIZE", "2")];

/// Numbers of processes and control groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remains {
    processes: usize,
    cgroups: usize,
}

impl Remains {
    /// What is there now.
    pub fn now(crucible: &Crucible) -> Self {
        let cgroups = cgroups(crucible.pid()).iter().map(|root| count_below(root)).sum();
        Self { processes: descendants(crucible.pid()).len(), cgroups }
    }

    /// What is there once the warm sandboxes are: nothing has changed for a second.
    pub fn at_rest(crucible: &Crucible) -> Self {
        let deadline = Instant::now() + Duration::from_secs(30);
        let mut seen = (Self::now(crucible), Instant::now());
        while seen.1.elapsed() < Duration::from_secs(1) {
            assert!(Instant::now() < deadline, "it does not come to rest: {:?}", seen.0);
            std::thread::sleep(Duration::from_millis(50));
            let now = Self::now(crucible);
            if now != seen.0 {
                seen = (now, Instant::now());
            }
        }
        seen.0
    }
}

/// The control groups of a launcher's worker: directories that are named after one of its children.
pub fn cgroups(launcher: u32) -> Vec<PathBuf> {
    let names: Vec<String> =
        children(launcher).iter().map(|child| format!("crucible-{child}")).collect();
    named(&names)
}

/// The control groups with these names, wherever they are.
pub fn named(names: &[String]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    collect(Path::new("/sys/fs/cgroup"), 6, names, &mut found);
    found
}

fn collect(directory: &Path, depth: usize, names: &[String], found: &mut Vec<PathBuf>) {
    for entry in directories(directory) {
        let named = entry.file_name().and_then(|name| name.to_str());
        if named.is_some_and(|name| names.iter().any(|wanted| wanted == name)) {
            found.push(entry);
        } else if depth > 0 {
            collect(&entry, depth - 1, names, found);
        }
    }
}

fn count_below(directory: &Path) -> usize {
    directories(directory).iter().map(|entry| 1 + count_below(entry)).sum()
}

/// Directories come and go while they are listed: one that cannot be read has gone.
fn directories(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .collect()
}
