//! Counting what there is: by the spawner, which can tell its children apart, and by the worker, which has
//! the time to look at theirs.

use std::collections::VecDeque;
use std::fs;

use crate::sandbox::census::Census;
use crate::sandbox::linux::cgroup::Tree;
use crate::sandbox::linux::host::mounts::mounts;
use crate::sandbox::linux::host::processes;
use crate::sandbox::linux::wire::spawner::Counted;

/// What the worker can see, and what the spawner has counted.
pub fn taken(counted: Counted, tree: Option<&Tree>) -> Census {
    let Counted { inits, zygotes, mounts: of_the_spawner } = counted;
    Census {
        sandboxes: inits,
        zygotes,
        processes: processes::children().map(descendants),
        cgroups: tree.and_then(|tree| tree.count().ok()),
        hierarchies: tree.map_or(0, Tree::hierarchies),
        descriptors: entries("/proc/self/fd"),
        mounts: mounts().zip(of_the_spawner).map(|(ours, theirs)| ours + theirs),
    }
}

fn entries(directory: &str) -> Option<u64> {
    // One is that of the directory itself, while it is read.
    Some((fs::read_dir(directory).ok()?.count() as u64).saturating_sub(1))
}

/// Everything below these processes, the dead that wait to be waited for included.
fn descendants(roots: Vec<i32>) -> u64 {
    let mut queue: VecDeque<i32> = roots.into();
    let mut count = 0;
    while let Some(parent) = queue.pop_front() {
        // One that has gone meanwhile has no children any more.
        let below = processes::children_of(parent).unwrap_or_default();
        count += below.len() as u64;
        queue.extend(below);
    }
    count
}
