//! One hierarchy a controller, as older hosts have it.

use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::meter::{self, Cpu, Held, Meter};
use super::{cpu_quota_us, pids_max, remove_directory, write};
use crate::sandbox::spec::SandboxLimits;

/// The delegated directory in each hierarchy. Several may be the same one, where a host mounts
/// controllers together.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Tree {
    memory: PathBuf,
    pids: PathBuf,
    cpu: Option<PathBuf>,
    cpuacct: Option<PathBuf>,
    swap: Swap,
}

/// What holds for swap in all cgroups below one; found out once.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Swap {
    /// New ones inherit that they swap as late as can be.
    avoided: bool,
    /// There is a limit of memory and swap together.
    limited: bool,
}

impl Swap {
    /// `directory` is that of the memory controller; for any other, nothing holds.
    pub fn below(directory: &Path) -> Self {
        let swappiness = fs::read_to_string(directory.join("memory.swappiness"));
        Self {
            avoided: swappiness.is_ok_and(|value| value.trim() == "0"),
            limited: directory.join(WITH_SWAP).exists(),
        }
    }
}

const MEMORY: &str = "memory.limit_in_bytes";
/// Absent when the kernel has no swap, or does not count it.
const WITH_SWAP: &str = "memory.memsw.limit_in_bytes";

/// What the kernel holds for it, and buffers of TCP connections. Names that were looked up are among it, a little that
/// could be taken back.
const KERNEL: [&str; 2] = ["memory.kmem.usage_in_bytes", "memory.kmem.tcp.usage_in_bytes"];

/// Buffers of TCP connections, which v1 counts apart. Absent when the kernel does not count them.
const TCP: &str = "memory.kmem.tcp.limit_in_bytes";
/// The kernel's default, which a new sandbox has.
const FULL_WEIGHT: u32 = 1024;
/// For a hundred connections within a sandbox with all that they may have in flight.
const TCP_BYTES: u64 = 16 << 20;

/// One sandbox's directories.
pub struct Cgroup {
    swap: Swap,
    memory: PathBuf,
    pids: PathBuf,
    cpu: Option<PathBuf>,
    cpuacct: Option<PathBuf>,
}

impl Tree {
    /// `directory_of` gives the delegated directory of a controller; memory and pids must be there.
    pub fn new(directory_of: impl Fn(&str) -> Option<PathBuf>, swap: Swap) -> Option<Self> {
        Some(Self {
            swap,
            memory: directory_of("memory")?,
            pids: directory_of("pids")?,
            cpu: directory_of("cpu"),
            cpuacct: directory_of("cpuacct"),
        })
    }

    /// The delegated directories, each once.
    pub fn roots(&self) -> Vec<&Path> {
        let optional = [&self.cpu, &self.cpuacct].into_iter().flatten();
        let mut roots: Vec<&Path> =
            [&self.memory, &self.pids].into_iter().chain(optional).map(PathBuf::as_path).collect();
        roots.sort();
        roots.dedup();
        roots
    }

    /// The delegated directories of these two.
    pub fn memory_and_pids(&self) -> (&Path, &Path) {
        (&self.memory, &self.pids)
    }

    /// Whether there are quota and accounts of CPU time.
    pub fn controls_cpu(&self) -> bool {
        self.cpu.is_some() && self.cpuacct.is_some()
    }

    /// The directory of the cgroup `name` that has its quota.
    pub fn cpu(&self, name: &str) -> Option<PathBuf> {
        self.cpu.as_ref().map(|directory| directory.join(name))
    }

    /// The meter of the cgroup `name`.
    pub fn meter(&self, name: &str, peak: OwnedFd, weight: Option<OwnedFd>) -> io::Result<Meter> {
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
            weight: weight.map(|file| (File::from(file), FULL_WEIGHT)),
            held: Held {
                memory: memory.join("memory.usage_in_bytes"),
                statistics: memory.join("memory.stat"),
                processes: pids.join("pids.current"),
                // What is not there is not counted by this kernel.
                kernel: KERNEL.iter().map(|name| memory.join(name)).collect(),
            },
            members: pids.join("cgroup.procs"),
        })
    }

    /// Makes a cgroup with `limits` in force.
    pub fn create(&self, name: &str, limits: SandboxLimits) -> io::Result<Cgroup> {
        let cgroup = Cgroup {
            swap: self.swap,
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
        if !self.swap.avoided {
            write(&cgroup.memory.join("memory.swappiness"), 0)?;
        }
        let tcp = cgroup.memory.join(TCP);
        if tcp.exists() {
            write(&tcp, TCP_BYTES)?;
        }
        // A new one has no limit: this raises nothing.
        cgroup.limit_memory(limits, false)?;
        cgroup.limit_rest(limits)?;
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
        // First what cannot fail: memory that is in use may not be below its limit.
        self.limit_rest(limits)?;
        let now = fs::read_to_string(self.memory.join(MEMORY))?.trim().parse().unwrap_or(u64::MAX);
        self.limit_memory(limits, limits.memory_bytes > now)
    }

    /// The limit with swap may never be below the one without, on the way up (`raises`) or down.
    fn limit_memory(&self, limits: SandboxLimits, raises: bool) -> io::Result<()> {
        let files = match (self.swap.limited, raises) {
            (false, _) => &[MEMORY][..],
            (true, false) => &[MEMORY, WITH_SWAP],
            (true, true) => &[WITH_SWAP, MEMORY],
        };
        files.iter().try_for_each(|file| write(&self.memory.join(file), limits.memory_bytes))
    }

    fn limit_rest(&self, limits: SandboxLimits) -> io::Result<()> {
        write(&self.pids.join("pids.max"), pids_max(limits))?;
        // The period is the kernel's default; nobody changes it.
        self.cpu
            .as_ref()
            .map_or(Ok(()), |cpu| write(&cpu.join("cpu.cfs_quota_us"), cpu_quota_us(limits)))
    }

    /// The directory of the cpu controller.
    pub fn cpu(&self) -> Option<&Path> {
        self.cpu.as_deref()
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
