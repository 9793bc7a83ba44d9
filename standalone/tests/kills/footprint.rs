//! What a Crucible has on the machine when nothing runs.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use attack::leaks::{ResourceCounts, RunningService, alive, named};

use crate::crucible::service_of;
use crate::processes::{children, descendants};
use crate::service::Service;

/// How long it may take to come to rest: a start of the worker, and the end of what the old one had.
const PATIENCE: Duration = Duration::from_secs(60);
/// Connections between the two services and to the database come and go.
const SOME_DESCRIPTORS: usize = 24;

/// Processes, cgroups, mounts, descriptors and files that were counted at one moment.
#[derive(Clone, PartialEq, Eq)]
pub struct Footprint {
    /// Below the launcher, by name.
    processes: BTreeMap<String, usize>,
    /// Directories of the service's control groups.
    cgroups: usize,
    /// Processes that outlived those who had started them.
    orphans: Vec<String>,
    /// Directories of control groups that nobody uses any more.
    stale: Vec<PathBuf>,
    /// Mounts of this process's namespace, the worker's and the spawner's.
    mounts: [usize; 3],
    /// Namespaces that one of its processes is in.
    namespaces: usize,
    /// Of gateway, worker and spawner.
    descriptors: [usize; 3],
    files: Vec<String>,
}

impl Footprint {
    /// Waits until nothing changes.
    pub async fn at_rest(service: &mut Service) -> Self {
        Self::settled(service, |_| true).await
    }

    /// Waits until it is as `before`, and gives what is there when that takes too long.
    pub async fn after(service: &mut Service, before: &Self) -> Self {
        Self::settled(service, |now| now.is_like(before)).await
    }

    /// One that has been `good` and the same for some time.
    async fn settled(service: &mut Service, good: impl Fn(&Self) -> bool) -> Self {
        let deadline = Instant::now() + PATIENCE;
        let mut seen = (Self::now(service), Instant::now());
        while seen.1.elapsed() < Duration::from_secs(2) && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(100)).await;
            let now = Self::now(service);
            if now != seen.0 || !good(&now) {
                seen = (now, Instant::now());
            }
        }
        seen.0
    }

    fn now(service: &mut Service) -> Self {
        service.reap();
        let launcher = service.pid();
        let anchor = service_of(launcher, "worker");
        let worker = anchor.and_then(|anchor| children(anchor).first().copied());
        let spawner = worker.and_then(|worker| children(worker).first().copied());
        let gateway = service_of(launcher, "gateway");
        let former = service.anchors.iter().filter(|pid| Some(**pid) != anchor);
        let stale = named(&former.map(|pid| format!("crucible-{pid}")).collect::<Vec<_>>());
        let count = |pid: Option<u32>, of: fn(u32) -> usize| pid.map_or(0, of);
        let own = std::process::id();
        let mut files: Vec<String> = service.directories().into_iter().flat_map(files).collect();
        files.sort();
        let data = service.crucible().data().to_owned();
        let ResourceCounts { processes, namespaces, cgroups, .. } =
            ResourceCounts::now(&RunningService { launcher, data });
        Self {
            processes,
            cgroups,
            orphans: strangers(launcher),
            stale,
            mounts: [mounts(own), count(worker, mounts), count(spawner, mounts)],
            namespaces: namespaces.values().sum(),
            descriptors: [gateway, worker, spawner].map(|pid| count(pid, descriptors)),
            files,
        }
    }

    /// The same but for descriptors, of which a few more or less mean nothing.
    pub fn is_like(&self, other: &Self) -> bool {
        let close = self.descriptors.iter().zip(other.descriptors);
        let mut close = close.map(|(one, two)| one.abs_diff(two) <= SOME_DESCRIPTORS);
        close.all(|close| close)
            && Self { descriptors: other.descriptors, ..self.clone() } == *other
    }
}

impl fmt::Display for Footprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { processes, cgroups, orphans, stale, mounts, namespaces, descriptors, files } =
            self;
        write!(
            f,
            "{processes:?}, cgroups {cgroups}, orphans {orphans:?}, stale cgroups {stale:?}, mounts {mounts:?}, \
             namespaces {namespaces}, descriptors {descriptors:?}, files {files:?}"
        )
    }
}

/// Living processes of ours that are not below the launcher.
fn strangers(launcher: u32) -> Vec<String> {
    let mut found = Vec::new();
    for orphan in children(std::process::id()).into_iter().filter(|pid| *pid != launcher) {
        let below = descendants(orphan);
        for pid in std::iter::once(orphan).chain(below) {
            if alive(pid) {
                let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
                found.push(stat.split_whitespace().take(4).collect::<Vec<_>>().join(" "));
            }
        }
    }
    found
}

fn mounts(pid: u32) -> usize {
    let list = std::fs::read_to_string(format!("/proc/{pid}/mountinfo"));
    list.unwrap_or_default().lines().count()
}

fn descriptors(pid: u32) -> usize {
    std::fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count)
}

/// Relative paths; what has a random name goes by its ending.
fn files(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let entries = std::fs::read_dir(root).into_iter().flatten().flatten();
    for entry in entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.extend(files(&entry.path()).into_iter().map(|below| format!("{name}/{below}")));
        } else if let Some((boot, kind)) =
            name.rsplit_once('.').filter(|(_, kind)| *kind == "journal")
        {
            // One at a time is expected: with two, both would stand here.
            found.push(format!("{}.{kind}", if boot.is_empty() { "" } else { "*" }));
        } else {
            found.push(name);
        }
    }
    found
}
