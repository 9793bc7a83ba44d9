//! What the worker leaves on this machine, or does not.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use rustix::process::Pid;

use super::eventually;

/// Processes, by id and start time: an id alone may come to belong to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Family(BTreeSet<(i32, u64)>);

struct Stat {
    pid: i32,
    parent: i32,
    started: u64,
    dead: bool,
}

impl Family {
    pub fn size(&self) -> usize {
        self.0.len()
    }

    /// Those who live; a zombie that nobody has waited for yet does not.
    fn living(&self) -> Vec<(i32, u64)> {
        let lives = |(pid, started): &&(i32, u64)| {
            stat(*pid).is_some_and(|stat| stat.started == *started && !stat.dead)
        };
        self.0.iter().filter(lives).copied().collect()
    }

    /// Waits until none of them lives.
    pub async fn gone(&self) {
        eventually("every process of the worker is gone", async || {
            self.living().is_empty().then_some(())
        })
        .await;
    }
}

/// `root` and everything that it has started, and they, and so on.
pub fn family_of(root: Pid) -> Family {
    let all = all();
    let mut family = BTreeSet::new();
    let mut ids = BTreeSet::from([root.as_raw_nonzero().get()]);
    loop {
        let before = family.len();
        for stat in &all {
            if ids.contains(&stat.pid) || ids.contains(&stat.parent) {
                ids.insert(stat.pid);
                family.insert((stat.pid, stat.started));
            }
        }
        if family.len() == before {
            return Family(family);
        }
    }
}

/// The processes that `parent` has started itself.
pub fn children_of(parent: Pid) -> Vec<Pid> {
    let parent = parent.as_raw_nonzero().get();
    let children = all().into_iter().filter(|stat| stat.parent == parent);
    children.filter_map(|stat| Pid::from_raw(stat.pid)).collect()
}

/// The cgroup directories of the worker that was started as `pid`.
pub fn cgroups_of(pid: Pid) -> Vec<PathBuf> {
    let name = format!("crucible-{}", pid.as_raw_nonzero());
    let mut found = Vec::new();
    search(Path::new("/sys/fs/cgroup"), &name, &mut found);
    found
}

/// The processes in those, and in the ones of its sandboxes below.
pub fn inhabitants(pid: Pid) -> Vec<String> {
    let mut lists = Vec::new();
    for directory in cgroups_of(pid) {
        search(&directory, "cgroup.procs", &mut lists);
    }
    let texts = lists.iter().filter_map(|list| fs::read_to_string(list).ok());
    texts.flat_map(|text| text.lines().map(String::from).collect::<Vec<_>>()).collect()
}

fn search(directory: &Path, name: &str, found: &mut Vec<PathBuf>) {
    // Directories come and go while others test, and not all may be read.
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        if entry.file_name() == name {
            found.push(entry.path());
        } else if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            search(&entry.path(), name, found);
        }
    }
}

fn all() -> Vec<Stat> {
    let names = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().file_name());
    let ids = names.filter_map(|name| name.to_str().and_then(|name| name.parse().ok()));
    ids.filter_map(stat).collect()
}

/// `None` when there is no such process.
fn stat(pid: i32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name before it is in parentheses and may hold anything.
    let (_, rest) = text.rsplit_once(')').unwrap();
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    Some(Stat {
        pid,
        parent: fields[1].parse().unwrap(),
        started: fields[19].parse().unwrap(),
        dead: matches!(fields[0], "Z" | "X"),
    })
}
