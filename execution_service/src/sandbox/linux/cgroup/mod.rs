//! Control groups: limits and accounts of one sandbox, by cgroup v2 or v1, whichever this host has.

mod delegation;
mod v1;
mod v2;

use std::fs::{self, OpenOptions};
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use delegation::{Delegation, Hierarchy, mount_hierarchies};

use crate::sandbox::spec::SandboxLimits;

/// The subtree in which sandboxes get their cgroups.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Tree {
    /// One unified hierarchy.
    V2(v2::Tree),
    /// One hierarchy a controller.
    V1(v1::Tree),
}

/// The cgroup of one sandbox. It must be removed with [`Cgroup::remove`] once its processes are gone.
pub enum Cgroup {
    /// In a [`Tree::V2`].
    V2(v2::Cgroup),
    /// In a [`Tree::V1`].
    V1(v1::Cgroup),
}

/// Reads the account of one sandbox. Anybody may read it, so the worker need not ask the spawner.
pub enum Meter {
    /// In a [`Tree::V2`].
    V2(v2::Meter),
    /// In a [`Tree::V1`].
    V1(v1::Meter),
}

/// What the cgroup of a sandbox says.
#[derive(Clone, Copy, Debug, Default)]
pub struct CgroupUsage {
    /// User and system time.
    pub cpu: Option<Duration>,
    /// Since the last reset.
    pub peak_memory_bytes: Option<u64>,
    /// Init included.
    pub peak_processes: Option<u32>,
    /// Processes killed for lack of memory.
    pub oom_kills: u64,
    /// Forks refused.
    pub fork_refusals: u64,
}

impl Meter {
    /// What was used.
    pub fn read(&self) -> CgroupUsage {
        match self {
            Self::V2(meter) => meter.read(),
            Self::V1(meter) => meter.read(),
        }
    }
}

impl Tree {
    /// The meter of the cgroup `name`; `peak` is [`Cgroup::peak`].
    pub fn meter(&self, name: &str, peak: Option<OwnedFd>) -> Meter {
        match self {
            Self::V2(tree) => Meter::V2(tree.meter(name, peak)),
            Self::V1(tree) => Meter::V1(tree.meter(name)),
        }
    }

    /// Makes a cgroup with `limits` in force.
    pub fn create(&self, name: &str, limits: SandboxLimits) -> io::Result<Cgroup> {
        match self {
            Self::V2(tree) => tree.create(name, limits).map(Cgroup::V2),
            Self::V1(tree) => tree.create(name, limits).map(Cgroup::V1),
        }
    }

    /// "v1" or "v2".
    pub fn version(&self) -> &'static str {
        match self {
            Self::V2(_) => "v2",
            Self::V1(_) => "v1",
        }
    }

    /// Whether CPU time is limited and counted.
    pub fn controls_cpu(&self) -> bool {
        match self {
            Self::V2(tree) => tree.controls_cpu(),
            Self::V1(tree) => tree.controls_cpu(),
        }
    }
}

impl Cgroup {
    /// The directory a process can be born into; v1 has none.
    pub fn birthplace(&self) -> Option<BorrowedFd<'_>> {
        match self {
            Self::V2(cgroup) => Some(cgroup.directory()),
            Self::V1(_) => None,
        }
    }

    /// Files that a process enters it through, by writing "0" to each. It does so itself: the kernel
    /// may need 10 ms for it, in which the spawner has other things to do.
    pub fn doors(&self) -> io::Result<Vec<OwnedFd>> {
        let door = |directory: &Path| {
            let path = directory.join("cgroup.procs");
            OpenOptions::new().write(true).open(path).map(OwnedFd::from)
        };
        match self {
            Self::V2(cgroup) => Ok(vec![door(cgroup.path())?]),
            Self::V1(cgroup) => cgroup.directories().map(door).collect(),
        }
    }

    /// Puts `limits` in force.
    pub fn set_limits(&self, limits: SandboxLimits) -> io::Result<()> {
        match self {
            Self::V2(cgroup) => cgroup.set_limits(limits),
            Self::V1(cgroup) => cgroup.set_limits(limits),
        }
    }

    /// Starts the peak counters anew, where the kernel can.
    pub fn reset_peaks(&mut self) {
        match self {
            Self::V2(cgroup) => cgroup.reset_peaks(),
            Self::V1(cgroup) => cgroup.reset_peaks(),
        }
    }

    /// The open file whose memory peak [`Cgroup::reset_peaks`] resets, where that is a matter of files.
    pub fn peak(&self) -> Option<BorrowedFd<'_>> {
        match self {
            Self::V2(cgroup) => cgroup.peak(),
            Self::V1(_) => None,
        }
    }

    /// Kills every process in it, if the kernel can do that in one step, and lifts the quota: a process
    /// that has used up its share of this moment could not even die before the next.
    pub fn kill(&self) {
        match self {
            Self::V2(cgroup) => cgroup.kill(),
            Self::V1(cgroup) => cgroup.lift_quota(),
        }
    }

    /// Takes the directories away.
    ///
    /// # Errors
    /// `ResourceBusy` while a dead process is not quite gone: try again soon.
    pub fn remove(&self) -> io::Result<()> {
        match self {
            Self::V2(cgroup) => cgroup.remove(),
            Self::V1(cgroup) => cgroup.remove(),
        }
    }
}

/// Init is one process more than the user's own.
fn pids_max(limits: SandboxLimits) -> u32 {
    limits.processes.saturating_add(1)
}

/// Length of a scheduling period, in microseconds: the kernel's default.
const CPU_PERIOD_US: u64 = 100_000;

fn cpu_quota_us(limits: SandboxLimits) -> u64 {
    u64::from(limits.milli_cpus) * CPU_PERIOD_US / 1000
}

fn write(path: &Path, value: impl ToString) -> io::Result<()> {
    fs::write(path, value.to_string())
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
}

fn read_number(path: &Path) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// The number behind `key` in a file of `key number` lines.
fn read_keyed(path: &Path, key: &str) -> Option<u64> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' '));
    line?.trim().parse().ok()
}

fn micros(number: u64) -> Duration {
    Duration::from_micros(number)
}

fn remove_directory(path: &Path) -> io::Result<()> {
    match fs::remove_dir(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}
