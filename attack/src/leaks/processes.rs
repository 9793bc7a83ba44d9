//! Processes of this machine, as `/proc` tells of them.

use std::fs;
use std::io;

/// The ids of a process's children.
pub fn children(pid: u32) -> Vec<u32> {
    // Each thread has children of its own.
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let lists =
        threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    lists
        .flat_map(|list| {
            list.split_whitespace().filter_map(|child| child.parse().ok()).collect::<Vec<u32>>()
        })
        .collect()
}

/// Every process below this one.
pub fn descendants(pid: u32) -> Vec<u32> {
    let mut found = children(pid);
    let mut next = 0;
    while let Some(&parent) = found.get(next) {
        found.extend(children(parent));
        next += 1;
    }
    found
}

/// A kernel can be built without the list that [`children`] reads.
pub(super) fn are_listed() -> bool {
    let own = std::process::id();
    fs::exists(format!("/proc/{own}/task/{own}/children")).unwrap_or(false)
}

/// A zombie has ended; whether its parent has noticed is another question.
pub fn alive(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

/// Its name, which it can choose itself; `None` when it has ended.
pub(super) fn name(pid: u32) -> Option<String> {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    Some(name.trim_end().chars().filter(|letter| !letter.is_control()).collect())
}

/// Its namespaces: `net:[4026531840]` and so on.
pub(super) fn namespaces(pid: u32) -> io::Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(format!("/proc/{pid}/ns"))? {
        let entry = entry?;
        // These two are those of children to come, and often of nobody yet.
        if entry.file_name().to_string_lossy().ends_with("_for_children") {
            continue;
        }
        found.push(fs::read_link(entry.path())?.to_string_lossy().into_owned());
    }
    Ok(found)
}

/// Those that are in the same pid namespace as this process: the service's own.
pub(super) fn outside_of_sandboxes(pids: &[u32]) -> Vec<u32> {
    let inside_out = |pid: &u32| {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        // One number for each namespace that it has an id in, from ours inwards.
        let ids = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
        ids.is_some_and(|ids| ids.split_whitespace().count() == 1)
    };
    pids.iter().copied().filter(inside_out).collect()
}
