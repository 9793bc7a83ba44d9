//! The unified hierarchy.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::meter::{self, Cpu, Held, Meter};
use super::{CPU_PERIOD_US, cpu_quota_us, pids_max, remove_directory, write};
use crate::sandbox::spec::SandboxLimits;

/// Where the worker itself lives: a cgroup with children that have limits may hold no processes.
pub const SERVICE: &str = "service";
/// Where those go who were there before us, for as long as we stay.
const BYSTANDERS: &str = "bystanders";

/// Of a new sandbox. The kernel's default of 100 could not be divided among many.
const FULL_WEIGHT: u32 = 1000;
/// Of the worker, and of those who were there before us: sandboxes are many, and each of them hangs on the worker.
const OUR_WEIGHT: u32 = 10_000;

/// Whether a directory of this name in a worker's own holds something other than a sandbox.
pub fn is_no_sandbox(name: &OsStr) -> bool {
    name == SERVICE || name == BYSTANDERS
}

/// A delegated directory with the controllers enabled for its children.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Tree {
    root: PathBuf,
    cpu: bool,
}

/// One sandbox's directory.
pub struct Cgroup {
    path: PathBuf,
    directory: File,
    cpu: bool,
}

impl Tree {
    /// `root` has the memory and pids controllers enabled for its children, and the cpu controller
    /// if `cpu`. It need not be visible yet.
    pub fn new(root: PathBuf, cpu: bool) -> Self {
        Self { root, cpu }
    }

    /// The delegated directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Whether the cpu controller is there too.
    pub fn controls_cpu(&self) -> bool {
        self.cpu
    }

    /// The directory of the cgroup `name`, if it has a quota.
    pub fn cpu(&self, name: &str) -> Option<PathBuf> {
        self.cpu.then(|| self.root.join(name))
    }

    /// The meter of the cgroup `name`.
    pub fn meter(&self, name: &str, peak: OwnedFd, weight: Option<OwnedFd>) -> io::Result<Meter> {
        let directory = self.root.join(name);
        Ok(Meter {
            cpu: Some(Cpu::Statistics(meter::open(&directory, &["cpu.stat"])?)),
            memory_peak: File::from(peak),
            reset: "reset",
            memory_events: meter::open(&directory, &["memory.events"])?,
            processes_peak: meter::open(&directory, &["pids.peak", "pids.current"])?,
            processes_events: meter::open(&directory, &["pids.events"])?,
            weight: weight.map(|file| (File::from(file), FULL_WEIGHT)),
            held: Held {
                memory: directory.join("memory.current"),
                statistics: directory.join("memory.stat"),
                processes: directory.join("pids.current"),
                kernel: Vec::new(),
            },
            members: directory.join("cgroup.procs"),
        })
    }

    /// Makes a cgroup with `limits` in force.
    pub fn create(&self, name: &str, limits: SandboxLimits) -> io::Result<Cgroup> {
        let path = self.root.join(name);
        fs::create_dir(&path)?;
        let cgroup = Cgroup { directory: File::open(&path)?, path, cpu: self.cpu };
        // Absent when the kernel has no swap.
        let swap = cgroup.file("memory.swap.max");
        if swap.exists() {
            write(&swap, 0)?;
        }
        if cgroup.cpu {
            write(&cgroup.file("cpu.weight"), FULL_WEIGHT)?;
        }
        cgroup.set_limits(limits)?;
        Ok(cgroup)
    }
}

impl Cgroup {
    fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// For `CLONE_INTO_CGROUP`.
    pub fn directory(&self) -> BorrowedFd<'_> {
        self.directory.as_fd()
    }

    /// Puts `limits` in force.
    pub fn set_limits(&self, limits: SandboxLimits) -> io::Result<()> {
        write(&self.file("memory.max"), limits.memory_bytes)?;
        write(&self.file("pids.max"), pids_max(limits))?;
        if self.cpu {
            let quota = format!("{} {CPU_PERIOD_US}", cpu_quota_us(limits));
            write(&self.file("cpu.max"), quota)?;
        }
        Ok(())
    }

    /// Kills every process in it (Linux 5.14; before that, killing init does the same), after lifting
    /// its quota.
    pub fn kill(&self) {
        let _ = write(&self.file("cpu.max"), "max");
        let _ = write(&self.file("cgroup.kill"), "1");
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Takes the directory away.
    pub fn remove(&self) -> io::Result<()> {
        remove_directory(&self.path)
    }
}

/// Enables, for the children of `directory`, the controllers that we cannot do without, and says
/// whether there is the cpu controller too.
pub fn enable_controllers(directory: &Path) -> io::Result<bool> {
    let control = directory.join("cgroup.subtree_control");
    write(&control, "+memory +pids")?;
    // Without cpu there is no quota, but time is still counted.
    Ok(write(&control, "+cpu").is_ok())
}

/// Makes `directory` fit for sandboxes: nobody left in `root`, the cgroup above it, the worker
/// `inner` in a leaf of it, controllers enabled on the way. `alone`: `root` holds nobody but `inner`.
/// Says whether there is the cpu controller.
pub fn occupy(root: &Path, directory: &Path, inner: libc::pid_t, alone: bool) -> io::Result<bool> {
    let service = directory.join(SERVICE);
    fs::create_dir(&service)?;
    write(&service.join("cgroup.procs"), inner)?;
    let mut ours = vec![service];
    if !alone {
        // Our launcher and its shell; in a container, its own first processes.
        let bystanders = directory.join(BYSTANDERS);
        fs::create_dir(&bystanders)?;
        move_all(root, &bystanders)?;
        ours.push(bystanders);
    }
    enable_controllers(root)?;
    let controls_cpu = enable_controllers(directory)?;
    if controls_cpu {
        for one in ours {
            // Without it the worker is slower under load, and all else is as it should be.
            let _ = write(&one.join("cpu.weight"), OUR_WEIGHT);
        }
    }
    Ok(controls_cpu)
}

/// Undoes [`occupy`] as far as others are concerned: bystanders go back. Where another worker has
/// settled in `root` since, they have to stay.
pub fn vacate(root: &Path, directory: &Path) {
    let bystanders = directory.join(BYSTANDERS);
    if !bystanders.exists() {
        return;
    }
    // The kernel lets them in only while no controller is enabled for the children of `root`, and
    // lets go of one there only when no child passes it on.
    for parent in [directory, root] {
        for controller in ["-cpu", "-pids", "-memory"] {
            let _ = write(&parent.join("cgroup.subtree_control"), controller);
        }
    }
    let _ = move_all(&bystanders, root);
}

/// Moves every process that can be moved.
fn move_all(from: &Path, to: &Path) -> io::Result<()> {
    // Whoever forks during a pass may leave the child behind: the next one takes it along.
    loop {
        let mut moved = false;
        for pid in fs::read_to_string(from.join("cgroup.procs"))?.lines() {
            // Zero is a process out of our sight; written, it would mean ourselves.
            moved |= pid != "0" && write(&to.join("cgroup.procs"), pid).is_ok();
        }
        if !moved {
            return Ok(());
        }
    }
}
