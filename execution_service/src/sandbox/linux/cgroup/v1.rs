//! One hierarchy a controller, as older hosts have it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    CPU_PERIOD_US, CgroupUsage, cpu_quota_us, pids_max, read_keyed, read_number, remove_directory,
    write,
};
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
    pub fn meter(&self, name: &str) -> Meter {
        let (memory, pids) = (self.memory.join(name), self.pids.join(name));
        let cpuacct = self.cpuacct.as_ref();
        Meter {
            cpu: cpuacct.map(|directory| directory.join(name).join("cpuacct.usage")),
            memory_peak: memory.join("memory.max_usage_in_bytes"),
            memory_events: memory.join("memory.oom_control"),
            pids_peak: pids.join("pids.peak"),
            pids_now: pids.join("pids.current"),
            pids_events: pids.join("pids.events"),
        }
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
            let raises = read_number(&memory).is_some_and(|now| limits.memory_bytes > now);
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

    /// Starts the memory peak anew.
    pub fn reset_peaks(&mut self) {
        let _ = write(&self.memory.join("memory.max_usage_in_bytes"), 0);
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

/// Where the account of one sandbox is.
pub struct Meter {
    cpu: Option<PathBuf>,
    memory_peak: PathBuf,
    memory_events: PathBuf,
    pids_peak: PathBuf,
    pids_now: PathBuf,
    pids_events: PathBuf,
}

impl Meter {
    /// What was used.
    pub fn read(&self) -> CgroupUsage {
        let nanoseconds = self.cpu.as_deref().and_then(read_number);
        // The peak is there since Linux 6.1.
        let processes = read_number(&self.pids_peak).or_else(|| read_number(&self.pids_now));
        CgroupUsage {
            cpu: nanoseconds.map(Duration::from_nanos),
            peak_memory_bytes: read_number(&self.memory_peak),
            peak_processes: processes.and_then(|count| u32::try_from(count).ok()),
            oom_kills: read_keyed(&self.memory_events, "oom_kill").unwrap_or_default(),
            fork_refusals: read_keyed(&self.pids_events, "max").unwrap_or_default(),
        }
    }
}
