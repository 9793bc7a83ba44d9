//! What the services hold of the machine: counted before and after, it tells a leak.

use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::memory;
use crate::processes::{children, descendants};

/// How long the number of processes has to stay the same: pools shrink some time after the load.
const STEADY: Duration = Duration::from_secs(8);
/// After this long it is counted in any case.
const PATIENCE: Duration = Duration::from_secs(90);

/// Numbers at one moment.
#[derive(Debug, Serialize)]
pub struct Footprint {
    /// Below the launcher.
    pub processes: usize,
    /// Control groups of the worker.
    pub cgroups: usize,
    /// Each of the processes that live as long as the services.
    pub services: Vec<Held>,
}

/// What one process holds. `None` where this user may not look.
#[derive(Debug, Serialize)]
pub struct Held {
    /// launcher, gateway, anchor, worker, spawner.
    pub name: &'static str,
    /// Its id: another one afterwards means that it had died.
    pub pid: u32,
    /// Open descriptors.
    pub descriptors: Option<usize>,
    /// Mounts that it sees.
    pub mounts: Option<usize>,
    /// Resident bytes.
    pub resident: Option<u64>,
}

impl Footprint {
    /// Once nothing changes any more.
    pub fn at_rest(launcher: u32) -> Self {
        settle(launcher, STEADY);
        let named = |child: &u32| format!("crucible-{child}");
        let names: Vec<String> = children(launcher).iter().map(named).collect();
        Self {
            processes: descendants(launcher).len(),
            cgroups: cgroups(Path::new("/sys/fs/cgroup"), &names, false),
            services: services(launcher).into_iter().map(held).collect(),
        }
    }
}

/// Waits until the number of processes below the launcher has been the same for as long as `steady`:
/// until nothing is made ready any more, and nothing ended.
pub fn settle(launcher: u32, steady: Duration) {
    let deadline = Instant::now() + PATIENCE;
    let (mut seen, mut since) = (descendants(launcher).len(), Instant::now());
    while since.elapsed() < steady && Instant::now() < deadline {
        sleep(Duration::from_millis(100));
        let now = descendants(launcher).len();
        if now != seen {
            (seen, since) = (now, Instant::now());
        }
    }
}

/// The long-lived processes. Started as root there is an anchor above the worker; the worker's only
/// child is the spawner, which has no command line.
fn services(launcher: u32) -> Vec<(&'static str, u32)> {
    let role = |pid: u32| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let argument = line.split(|&byte| byte == 0).nth(1);
        argument.map(|argument| String::from_utf8_lossy(argument).into_owned())
    };
    let is = |pid: u32, name: &str| role(pid).as_deref() == Some(name);
    let mut found = vec![("launcher", launcher)];
    for child in children(launcher) {
        if is(child, "gateway") {
            found.push(("gateway", child));
        }
        if is(child, "worker") {
            let below = children(child);
            let worker = match below.iter().copied().find(|&pid| is(pid, "worker")) {
                Some(worker) => {
                    found.push(("anchor", child));
                    worker
                }
                None => child,
            };
            found.push(("worker", worker));
            found.extend(children(worker).first().map(|&spawner| ("spawner", spawner)));
        }
    }
    found
}

fn held((name, pid): (&'static str, u32)) -> Held {
    let process = PathBuf::from(format!("/proc/{pid}"));
    let mounts = std::fs::read_to_string(process.join("mountinfo"));
    Held {
        name,
        pid,
        descriptors: std::fs::read_dir(process.join("fd")).ok().map(Iterator::count),
        mounts: mounts.ok().map(|mounts| mounts.lines().count()),
        resident: memory::resident(pid),
    }
}

/// Directories below those with one of these names. They come and go while they are listed: one
/// that cannot be read has gone.
fn cgroups(directory: &Path, names: &[String], inside: bool) -> usize {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .map(|entry| {
            let ours = names.iter().any(|name| entry.file_name() == name.as_str());
            usize::from(inside) + cgroups(&entry.path(), names, inside || ours)
        })
        .sum()
}
