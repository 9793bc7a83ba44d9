//! The unified hierarchy.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::super::protocol::CgroupUsage;
use super::{
    CPU_PERIOD_US, cpu_quota_us, micros, pids_max, read_keyed, read_number, remove_directory, write,
};
use crate::sandbox::spec::SandboxLimits;

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
    /// Writing to this descriptor starts the peak anew, for reads through it (Linux 6.12).
    memory_peak: Option<File>,
}

impl Tree {
    /// `root` has the memory and pids controllers enabled for its children.
    pub fn new(root: PathBuf) -> Self {
        let enabled = fs::read_to_string(root.join("cgroup.subtree_control")).unwrap_or_default();
        let cpu = enabled.split_ascii_whitespace().any(|name| name == "cpu");
        Self { root, cpu }
    }

    /// Whether the cpu controller is there too.
    pub fn controls_cpu(&self) -> bool {
        self.cpu
    }

    /// Makes a cgroup with `limits` in force.
    pub fn create(&self, name: &str, limits: SandboxLimits) -> io::Result<Cgroup> {
        let path = self.root.join(name);
        fs::create_dir(&path)?;
        let memory_peak =
            File::options().read(true).write(true).open(path.join("memory.peak")).ok();
        let cgroup = Cgroup { directory: File::open(&path)?, path, cpu: self.cpu, memory_peak };
        // Absent when the kernel has no swap.
        let swap = cgroup.file("memory.swap.max");
        if swap.exists() {
            write(&swap, 0)?;
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

    /// Starts the memory peak anew, where the kernel can.
    pub fn reset_peaks(&mut self) {
        if let Some(file) = &mut self.memory_peak {
            // Before 6.12 this fails, and the peak stays that of the sandbox's whole life.
            let _ = file.write_all(b"reset");
        }
    }

    /// What was used.
    pub fn usage(&self) -> CgroupUsage {
        CgroupUsage {
            cpu: read_keyed(&self.file("cpu.stat"), "usage_usec").map(micros),
            peak_memory_bytes: self.peak_memory(),
            peak_processes: self.peak_processes(),
            oom_kills: read_keyed(&self.file("memory.events"), "oom_kill").unwrap_or_default(),
            fork_refusals: read_keyed(&self.file("pids.events"), "max").unwrap_or_default(),
        }
    }

    fn peak_memory(&self) -> Option<u64> {
        let through_descriptor = self.memory_peak.as_ref().and_then(|file| {
            let mut text = [0; 32];
            let length = std::os::unix::fs::FileExt::read_at(file, &mut text, 0).ok()?;
            std::str::from_utf8(&text[..length]).ok()?.trim().parse().ok()
        });
        through_descriptor.or_else(|| read_number(&self.file("memory.current")))
    }

    fn peak_processes(&self) -> Option<u32> {
        let peak = read_number(&self.file("pids.peak"));
        let count = peak.or_else(|| read_number(&self.file("pids.current")))?;
        u32::try_from(count).ok()
    }

    /// Kills every process in it (Linux 5.14; before that, killing init does the same).
    pub fn kill(&self) {
        let _ = fs::write(self.file("cgroup.kill"), "1");
    }

    /// Takes the directory away.
    pub fn remove(&self) -> io::Result<()> {
        remove_directory(&self.path)
    }
}

/// Whether the controllers we cannot do without can be enabled for the children of `directory`.
pub fn enable_controllers(directory: &Path) -> io::Result<()> {
    let control = directory.join("cgroup.subtree_control");
    write(&control, "+memory +pids")?;
    // Without cpu there is no quota, but time is still counted.
    let _ = write(&control, "+cpu");
    Ok(())
}
