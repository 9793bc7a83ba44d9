//! Control groups of a service.

use std::path::{Path, PathBuf};

use super::processes::children;

/// How deep below `/sys/fs/cgroup` a delegated tree is looked for; v1 has one more level than v2.
const DEPTH: usize = 6;

/// Directories that are named after one of the launcher's children: the worker's, in each
/// hierarchy.
pub fn cgroups(launcher: u32) -> Vec<PathBuf> {
    let names: Vec<String> =
        children(launcher).iter().map(|child| format!("crucible-{child}")).collect();
    named(&names)
}

/// The control groups with these names, wherever they are.
pub fn named(names: &[String]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    collect(Path::new("/sys/fs/cgroup"), DEPTH, names, &mut found);
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

/// How many directories there are below this one.
pub(super) fn below(directory: &Path) -> usize {
    directories(directory).iter().map(|entry| 1 + below(entry)).sum()
}

/// Directories come and go while they are listed: one that cannot be read has gone.
fn directories(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| entry.path())
        .collect()
}
