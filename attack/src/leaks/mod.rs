//! What a service holds on this machine, counted, so that "nothing is left" can be said of an
//! attack: processes, namespaces, control groups, open files, mounts, bytes.

mod cgroups;
mod descriptors;
mod processes;
mod storage;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub use cgroups::{cgroups, named};
pub use processes::{alive, children, descendants};

/// Between two looks.
const POLL: Duration = Duration::from_millis(20);
/// Unchanged for so long is at rest: a warm sandbox is replaced in a tenth of it.
const STILL: Duration = Duration::from_secs(1);

/// A launcher, and where it keeps its data.
#[derive(Clone, Debug)]
pub struct RunningService {
    /// The launcher's process.
    pub launcher: u32,
    /// Its data directory.
    pub data: PathBuf,
}

/// Counts at one moment. Each by what it is made of, so that a difference can be named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResourceCounts {
    /// The launcher's children: one that was started again has died before.
    pub services: BTreeSet<u32>,
    /// Below the launcher, by name.
    pub processes: BTreeMap<String, usize>,
    /// That those are in, by kind.
    pub namespaces: BTreeMap<String, usize>,
    /// Directories below those of the service.
    pub cgroups: usize,
    /// Of the host, as this process sees it.
    pub mounts: BTreeSet<String>,
    /// Of the service's own processes, by what they are open on.
    pub descriptors: BTreeMap<String, usize>,
    /// In the data directory, without the database and its journal, which are there to grow.
    pub bytes: u64,
    /// What could not be counted, and why.
    pub not_looked_at: BTreeSet<String>,
}

impl ResourceCounts {
    /// Now.
    pub fn now(service: &RunningService) -> Self {
        let mut counts = Self::default();
        let below = descendants(service.launcher);
        counts.services = children(service.launcher).into_iter().collect();
        for &process in &below {
            // One that has no name has ended since.
            if let Some(name) = processes::name(process) {
                *counts.processes.entry(name).or_default() += 1;
            }
        }
        counts.count_namespaces(&below);
        let own = processes::outside_of_sandboxes(&below);
        for process in own {
            match descriptors::kinds(process, &service.data) {
                Ok(kinds) => {
                    kinds.into_iter().for_each(|kind| {
                        *counts.descriptors.entry(kind).or_default() += 1;
                    });
                }
                Err(why) => counts.leave_out("open files of some of the service's processes", why),
            }
        }
        if !processes::are_listed() {
            counts.not_looked_at.insert(String::from("processes (this kernel lists no children)"));
        }
        counts.cgroups = cgroups(service.launcher).iter().map(|root| cgroups::below(root)).sum();
        counts.mounts = storage::mounts();
        counts.bytes = storage::bytes_below(&service.data);
        counts
    }

    fn count_namespaces(&mut self, below: &[u32]) {
        let mut found = BTreeSet::new();
        for &process in below {
            match processes::namespaces(process) {
                Ok(namespaces) => found.extend(namespaces),
                Err(why) => self.leave_out("namespaces of some processes", why),
            }
        }
        for namespace in found {
            // `net:[4026531840]`
            let kind = namespace.split(':').next().unwrap_or_default();
            *self.namespaces.entry(String::from(kind)).or_default() += 1;
        }
    }

    /// A process that has ended since is not left out; one that may not be looked at is.
    fn leave_out(&mut self, what: &str, why: std::io::Error) {
        if why.kind() == std::io::ErrorKind::PermissionDenied {
            self.not_looked_at.insert(format!("{what} (not readable for this user)"));
        }
    }

    /// What there is once the warm sandboxes are: nothing has changed for a second. `None` when
    /// that does not come about within `patience`.
    pub fn when_idle(service: &RunningService, patience: Duration) -> Option<Self> {
        let deadline = Instant::now() + patience;
        let mut seen = (Self::now(service), Instant::now());
        while seen.1.elapsed() < STILL {
            if Instant::now() > deadline {
                return None;
            }
            std::thread::sleep(POLL);
            let now = Self::now(service);
            if now != seen.0 {
                seen = (now, Instant::now());
            }
        }
        Some(seen.0)
    }

    /// Waits until everything is as `before`, and says what is not after `patience`.
    pub fn settle(before: &Self, service: &RunningService, patience: Duration) -> Vec<String> {
        let deadline = Instant::now() + patience;
        loop {
            let differences = Self::now(service).since(before);
            if differences.is_empty() || Instant::now() > deadline {
                return differences;
            }
            std::thread::sleep(POLL);
        }
    }

    /// What is not as `before`, in words.
    pub fn since(&self, before: &Self) -> Vec<String> {
        let mut found = Vec::new();
        if self.services != before.services {
            found.push(format!("services {:?}, before {:?}", self.services, before.services));
        }
        found.extend(counts("processes", &self.processes, &before.processes));
        found.extend(counts("namespaces", &self.namespaces, &before.namespaces));
        if self.cgroups != before.cgroups {
            found.push(format!("{} cgroups, before {}", self.cgroups, before.cgroups));
        }
        let new: Vec<&str> = self.mounts.difference(&before.mounts).map(String::as_str).collect();
        if !new.is_empty() {
            found.push(format!("new mounts: {}", new.join("; ")));
        }
        // A connection that was idle may have been closed.
        if total(&self.descriptors) > total(&before.descriptors) {
            found.extend(counts("open files", &self.descriptors, &before.descriptors));
        }
        if self.bytes > before.bytes {
            found.push(format!("{} bytes of data, before {}", self.bytes, before.bytes));
        }
        found
    }
}

fn total(counts: &BTreeMap<String, usize>) -> usize {
    counts.values().sum()
}

/// Differs when the sums do: which warm interpreter stands where is not the same all the time.
fn counts(
    what: &str,
    now: &BTreeMap<String, usize>,
    before: &BTreeMap<String, usize>,
) -> Option<String> {
    let (sum, sum_before) = (total(now), total(before));
    if sum == sum_before {
        return None;
    }
    let names: BTreeSet<&String> = now.keys().chain(before.keys()).collect();
    let count =
        |counts: &BTreeMap<String, usize>, name: &String| counts.get(name).copied().unwrap_or(0);
    let changed: Vec<String> = names
        .into_iter()
        .filter(|name| count(now, name) != count(before, name))
        .map(|name| format!("{name} {} before {}", count(now, name), count(before, name)))
        .collect();
    Some(format!("{sum} {what}, before {sum_before} ({})", changed.join(", ")))
}

/// Waits until none of these processes and directories is left, and says which are.
pub fn gone(processes: &[u32], directories: &[PathBuf], patience: Duration) -> Vec<String> {
    let deadline = Instant::now() + patience;
    loop {
        let running = processes.iter().filter(|&&process| alive(process));
        let running = running.map(|process| {
            let name = processes::name(*process).unwrap_or_default();
            format!("process {process} ({name})")
        });
        let standing = directories.iter().filter(|path| Path::exists(path));
        let standing = standing.map(|path| path.display().to_string());
        let left: Vec<String> = running.chain(standing).collect();
        if left.is_empty() || Instant::now() > deadline {
            return left;
        }
        std::thread::sleep(POLL);
    }
}

#[cfg(test)]
mod tests;
