//! Control groups: limits and accounts of one sandbox, by cgroup v2 or v1, whichever this host has.

mod delegation;
mod leftovers;
mod meter;
mod v1;
mod v2;

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use delegation::{Delegation, Hierarchy, MOUNT_POINT, mount_hierarchies};
pub use leftovers::Leftover;
pub use meter::Meter;

use crate::sandbox::spec::{Footprint, SandboxLimits};

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

impl Tree {
    /// The meter of the cgroup `name`; `peak` is [`Cgroup::peak`], `weight` is [`Cgroup::weight`].
    pub fn meter(&self, name: &str, peak: OwnedFd, weight: Option<OwnedFd>) -> io::Result<Meter> {
        match self {
            Self::V2(tree) => tree.meter(name, peak, weight),
            Self::V1(tree) => tree.meter(name, peak, weight),
        }
    }

    /// What all sandboxes hold now.
    pub fn footprint(&self) -> Footprint {
        let (memory, pids) = self.of_all();
        let names = match self {
            Self::V2(_) => "memory.current",
            Self::V1(_) => "memory.usage_in_bytes",
        };
        Footprint {
            memory_bytes: meter::read_number(&memory.join(names)).unwrap_or_default(),
            processes: meter::read_number(&pids.join("pids.current")).unwrap_or_default(),
        }
    }

    /// What they may hold together, on a machine that has `machine` for them.
    pub fn capacity(&self, machine: Footprint) -> Footprint {
        let (memory, pids) = self.of_all();
        let limit = match self {
            Self::V2(_) => meter::read_number(&memory.join("memory.max")),
            // That of all above it, too.
            Self::V1(_) => {
                meter::read_keyed(&memory.join("memory.stat"), "hierarchical_memory_limit")
            }
        };
        let most = |limit: Option<u64>, all: u64| limit.unwrap_or(all).min(all);
        Footprint {
            memory_bytes: most(limit, machine.memory_bytes),
            processes: most(meter::read_number(&pids.join("pids.max")), machine.processes),
        }
    }

    /// The directories above those of all sandboxes: of memory and of processes.
    fn of_all(&self) -> (&Path, &Path) {
        match self {
            Self::V2(tree) => (tree.root(), tree.root()),
            Self::V1(tree) => tree.memory_and_pids(),
        }
    }

    /// How often the cgroup `name` has been made to wait by its quota; nothing without a cpu controller.
    pub fn pauses(&self, name: &str) -> Option<u64> {
        let directory = match self {
            Self::V2(tree) => tree.cpu(name),
            Self::V1(tree) => tree.cpu(name),
        }?;
        meter::keyed(&fs::File::open(directory.join("cpu.stat")).ok()?, "nr_throttled")
    }

    /// Makes a cgroup with `limits` in force.
    pub fn create(&self, name: &str, limits: SandboxLimits) -> io::Result<Cgroup> {
        match self {
            Self::V2(tree) => tree.create(name, limits).map(Cgroup::V2),
            Self::V1(tree) => tree.create(name, limits).map(Cgroup::V1),
        }
    }

    /// How many directories there are of sandboxes, in all hierarchies.
    pub fn count(&self) -> io::Result<u64> {
        let mut count = 0;
        for root in self.roots() {
            for entry in fs::read_dir(root)? {
                let entry = entry?;
                let is_one = entry.file_type()?.is_dir() && !v2::is_no_sandbox(&entry.file_name());
                count += u64::from(is_one);
            }
        }
        Ok(count)
    }

    /// How many directories each sandbox has.
    pub fn hierarchies(&self) -> u64 {
        self.roots().len() as u64
    }

    fn roots(&self) -> Vec<&Path> {
        match self {
            Self::V2(tree) => vec![tree.root()],
            Self::V1(tree) => tree.roots(),
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

    /// The file of its memory peak, open for both: to write to it starts the peak anew. Before Linux 6.12
    /// that of v2 can only be read, and before 5.19 there is only what is used now.
    pub fn peak(&self) -> io::Result<OwnedFd> {
        let (directory, names) = match self {
            Self::V2(cgroup) => (cgroup.path(), &["memory.peak", "memory.current"][..]),
            Self::V1(cgroup) => (cgroup.memory(), &["memory.max_usage_in_bytes"][..]),
        };
        let both = OpenOptions::new().read(true).write(true).open(directory.join(names[0]));
        both.or_else(|_| meter::open(directory, names)).map(OwnedFd::from)
    }

    /// The file of its weight among all that want the processors, open for writing; nothing without a cpu controller.
    pub fn weight(&self) -> Option<OwnedFd> {
        let path = match self {
            Self::V2(cgroup) => cgroup.path().join("cpu.weight"),
            Self::V1(cgroup) => cgroup.cpu()?.join("cpu.shares"),
        };
        OpenOptions::new().write(true).open(path).ok().map(OwnedFd::from)
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

/// What the worker and the spawner call the cgroup of a sandbox.
pub fn cgroup_name(sandbox: u64) -> String {
    format!("sandbox-{sandbox}")
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

/// Into a file that is there: asking for one to be made or emptied, as `fs::write` does, is more work.
fn write(path: &Path, value: impl ToString) -> io::Result<()> {
    let file = OpenOptions::new().write(true).open(path);
    file.and_then(|mut file| file.write_all(value.to_string().as_bytes()))
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
}

fn remove_directory(path: &Path) -> io::Result<()> {
    match fs::remove_dir(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}
