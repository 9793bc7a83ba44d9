//! One hierarchy a controller, as older hosts have it.

use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::meter::{self, Cpu, Meter};
use super::{CPU_PERIOD_US, cpu_quota_us, pids_max, remove_directory, write};
use crate::sandbox::spec::SandboxLimits;

/// The delegated directory in each hierarchy. Several may be the same one, where a host mounts
/// controllers together.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Tree {
    memory: PathBuf,
    pids: PathBuf,
    cpu: Option<PathBuf>,
    cpuacct: Option<PathBuf>,
}

/// One sandbox's directories.
pub struct Cgroup {
    memory: PathBuf,
    pids: PathBuf,
    cpu: Option<PathBuf>,
    cpuacct: Option<PathBuf>,
}

impl Tree {
    /// `directory_of` gives the delegated directory of a controller; memory and pids must be there.
    pub fn new(directory_of: impl Fn(&str) -> Option<PathBuf>) -> Option<Self> {
        Some(Self {
            memory: directory_of("memory")?,
            pids: directory_of("pids")?,
            cpu: directory_of("cpu"),
            cpuacct: directory_of("cpuacct"),
        })
    }

    /// Whether there are quota and accounts of CPU time.
    pub fn controls_cpu(&self) -> bool {
        self.cpu.is_some() && self.cpuacct.is_some()
    }

    /// The meter of the cgroup `name`.
    pub fn meter(&self, name: &str, peak: OwnedFd) -> io::Result<Meter> {
        let (memory, pids) = (self.memory.join(name), self.pids.join(name));
        let cpuacct = self.cpuacct.as_ref().map(|directory| directory.join(name));
        let cpu =
            cpuacct.map(|directory| meter::open(&directory, &["cpuacct.usage"])).transpose()?;
        Ok(Meter {
            cpu: cpu.map(Cpu::Nanoseconds),
            memory_peak: File::from(peak),
            reset: "0",
            memory_events: meter::open(&memory, &["memory.oom_control"])?,
            // The peak is there since Linux 6.1.
            processes_peak: meter::open(&pids, &["pids.peak", "pids.current"])?,
            processes_events: meter::open(&pids, &["pids.events"])?,
        })
    }

    /// Makes a cgroup with `limits` in force.
    pub fn create(&self, name: &str, limits: SandboxLimits) -> io::Result<Cgroup> {
        let cgroup = Cgroup {
            memory: self.memory.join(name),
            pids: self.pids.join(name),
            cpu: self.cpu.as_ref().map(|directory| directory.join(name)),
            cpuacct: self.cpuacct.as_ref().map(|directory| directory.join(name)),
        };
        for directory in cgroup.directories() {
            match fs::create_dir(directory) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                Ok(()) | Err(_) => {}
            }
        }
        write(&cgroup.memory.join("memory.swappiness"), 0)?;
        cgroup.set_limits(limits)?;
        Ok(cgroup)
    }
}

impl Cgroup {
    /// One for each controller.
    pub fn directories(&self) -> impl Iterator<Item = &Path> {
        [Some(&self.memory), Some(&self.pids), self.cpu.as_ref(), self.cpuacct.as_ref()]
            .into_iter()
            .flatten()
            .map(PathBuf::as_path)
    }

    /// Puts `limits` in force.
    pub fn set_limits(&self, limits: SandboxLimits) -> io::Result<()> {
        let memory = self.memory.join("memory.limit_in_bytes");
        let with_swap = self.memory.join("memory.memsw.limit_in_bytes");
        if with_swap.exists() {
            // The limit with swap may never be below the one without, on the way up or down.
            let now = fs::read_to_string(&memory)?.trim().parse().unwrap_or(u64::MAX);
            let raises = limits.memory_bytes > now;
            let order = if raises { [&with_swap, &memory] } else { [&memory, &with_swap] };
            for file in order {
                write(file, limits.memory_bytes)?;
            }
        } else {
            write(&memory, limits.memory_bytes)?;
        }
        write(&self.pids.join("pids.max"), pids_max(limits))?;
        if let Some(cpu) = &self.cpu {
            write(&cpu.join("cpu.cfs_period_us"), CPU_PERIOD_US)?;
            write(&cpu.join("cpu.cfs_quota_us"), cpu_quota_us(limits))?;
        }
        Ok(())
    }

    /// The directory of the memory controller.
    pub fn memory(&self) -> &Path {
        &self.memory
    }

    /// Lets it have all the processor time there is.
    pub fn lift_quota(&self) {
        if let Some(cpu) = &self.cpu {
            let _ = write(&cpu.join("cpu.cfs_quota_us"), -1);
        }
    }

    /// Takes the directories away.
    pub fn remove(&self) -> io::Result<()> {
        self.directories().try_for_each(remove_directory)
    }
}
