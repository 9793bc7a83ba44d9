//! The account of one sandbox, read through files that stay open. Anybody may read them, so the worker
//! need not ask the spawner: it does so twice in every run of a session.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::CgroupUsage;
use crate::sandbox::spec::Footprint;

/// The open files of one sandbox's cgroup that tell what it uses.
pub struct Meter {
    pub(super) cpu: Option<Cpu>,
    pub(super) memory_peak: File,
    /// What is written to the peak to start it anew.
    pub(super) reset: &'static str,
    pub(super) memory_events: File,
    pub(super) processes_peak: File,
    pub(super) processes_events: File,
    /// Where its weight is written, and that of a new sandbox.
    pub(super) weight: Option<(File, u32)>,
    /// What it holds now: statistics of memory, and the number of processes. Opened when somebody asks, which is seldom.
    pub(super) held: [PathBuf; 2],
    /// The kinds of memory in those statistics that nobody can take back but by ending who holds them.
    pub(super) kept: &'static [&'static str],
    /// The list of its processes. Opened anew each time: what stays open, and is read often, shows with v1 what
    /// it showed first.
    pub(super) members: PathBuf,
}

/// Where the processor time is, and in what form.
pub(super) enum Cpu {
    /// A number of nanoseconds.
    Nanoseconds(File),
    /// Lines of keys and numbers, of which `usage_usec` is meant.
    Statistics(File),
}

impl Meter {
    /// What was used.
    pub fn read(&self) -> CgroupUsage {
        let processes = number(&self.processes_peak);
        CgroupUsage {
            cpu: self.cpu_time(),
            peak_memory_bytes: number(&self.memory_peak),
            peak_processes: processes.and_then(|count| u32::try_from(count).ok()),
            oom_kills: keyed(&self.memory_events, "oom_kill").unwrap_or_default(),
            fork_refusals: keyed(&self.processes_events, "max").unwrap_or_default(),
        }
    }

    /// Processor time that was used.
    pub fn cpu_time(&self) -> Option<Duration> {
        match self.cpu.as_ref()? {
            Cpu::Nanoseconds(file) => number(file).map(Duration::from_nanos),
            Cpu::Statistics(file) => keyed(file, "usage_usec").map(Duration::from_micros),
        }
    }

    /// Gives it `thousandths` of the weight of a new one.
    pub fn set_weight(&self, thousandths: u32) {
        if let Some((file, full)) = &self.weight {
            // 2 is the least that v1 knows.
            let weight = (full.saturating_mul(thousandths) / 1000).max(2);
            if let Err(error) = file.write_at(weight.to_string().as_bytes(), 0) {
                tracing::debug!(%error, weight, "the weight of a sandbox could not be changed");
            }
        }
    }

    /// What it holds now.
    pub fn footprint(&self) -> Footprint {
        let [memory, processes] = &self.held;
        let text = fs::read_to_string(memory).unwrap_or_default();
        Footprint {
            memory_bytes: self.kept.iter().filter_map(|key| value(&text, key)).sum(),
            processes: read_number(processes).unwrap_or_default(),
        }
    }

    /// Its processes, by their numbers in our pid namespace.
    pub fn members(&self) -> Vec<i32> {
        let text = fs::read_to_string(&self.members).unwrap_or_default();
        text.lines().filter_map(|number| number.parse().ok()).collect()
    }

    /// Starts the memory peak anew, where the kernel can.
    pub fn reset_peak(&self) {
        // Where it cannot, the peak stays that of the sandbox's whole life.
        let _ = self.memory_peak.write_at(self.reset.as_bytes(), 0);
    }
}

/// Opens the first of `names` that is there.
pub(super) fn open(directory: &Path, names: &[&str]) -> io::Result<File> {
    let mut found = Err(io::Error::from(io::ErrorKind::NotFound));
    for name in names {
        found = File::open(directory.join(name));
        if found.is_ok() {
            break;
        }
    }
    found
}

/// The number that the file at `path` holds; nothing for `max`.
pub(super) fn read_number(path: &Path) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// The number behind `key` in the file at `path`.
pub(super) fn read_keyed(path: &Path, key: &str) -> Option<u64> {
    value(&fs::read_to_string(path).ok()?, key)
}

/// The number behind `key` in lines of `key number`.
fn value(text: &str, key: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' '));
    line?.trim().parse().ok()
}

/// The longest, `cpu.stat`, begins with what is wanted.
const ENOUGH: usize = 512;

fn with_text<T>(file: &File, use_it: impl FnOnce(&str) -> Option<T>) -> Option<T> {
    let mut buffer = [0; ENOUGH];
    let length = file.read_at(&mut buffer, 0).ok()?;
    use_it(std::str::from_utf8(&buffer[..length]).ok()?)
}

fn number(file: &File) -> Option<u64> {
    with_text(file, |text| text.trim().parse().ok())
}

/// The number behind `key` in a file of `key number` lines.
pub(super) fn keyed(file: &File, key: &str) -> Option<u64> {
    with_text(file, |text| value(text, key))
}
