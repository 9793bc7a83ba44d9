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
    pub(super) held: Held,
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

/// Files that tell what it holds now. Opened when somebody asks, which is seldom.
pub(super) struct Held {
    /// All its memory, and kinds of it.
    pub(super) memory: PathBuf,
    pub(super) statistics: PathBuf,
    pub(super) processes: PathBuf,
    /// Memory of the kernel that is held for it; nothing where that is among the kinds.
    pub(super) kernel: Vec<PathBuf>,
}

impl Held {
    /// Memory that nobody can take back but by ending who holds it: that of processes and files of its own, and what the
    /// kernel holds for it, such as what was sent and not yet received, and tables of pages.
    fn kept(&self) -> u64 {
        let text = fs::read_to_string(&self.statistics).unwrap_or_default();
        if self.kernel.is_empty() {
            return kept_of_all(&text, read_number(&self.memory).unwrap_or_default());
        }
        let sizes = ["rss", "shmem"].into_iter().filter_map(|key| value(&text, key));
        let kernel = self.kernel.iter().filter_map(|path| read_number(path));
        sizes.chain(kernel).sum()
    }
}

/// Of `all` memory of a cgroup with these statistics of v2, in which not every kind has a name: pages of pipes have none.
fn kept_of_all(statistics: &str, all: u64) -> u64 {
    let size = |key| value(statistics, key).unwrap_or_default();
    // What is in files is only in memory, or can be read again: there are no others that can be written.
    let read_again = size("file").saturating_sub(size("shmem"));
    all.saturating_sub(read_again).saturating_sub(size("slab_reclaimable"))
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
        Footprint {
            memory_bytes: self.held.kept(),
            processes: read_number(&self.held.processes).unwrap_or_default(),
        }
    }

    /// All of its memory now, with what the kernel can take back.
    pub fn memory_bytes(&self) -> u64 {
        read_number(&self.held.memory).unwrap_or_default()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_holds_for_it_is_held_and_what_can_be_read_again_is_not() {
        let statistics = "anon 100\nfile 70\nkernel_stack 5\nsock 1\nshmem 20\nslab_reclaimable 7\n\
            slab_unreclaimable 3\n";
        // Beside what has a name, 400 in pipes.
        assert_eq!(
            kept_of_all(statistics, 100 + 70 + 5 + 1 + 7 + 3 + 400),
            100 + 20 + 5 + 1 + 3 + 400
        );
        assert_eq!(kept_of_all("", 12), 12);
        assert_eq!(kept_of_all(statistics, 0), 0, "read a moment before");
    }

    #[test]
    fn memory_of_the_kernel_is_counted_where_it_has_an_account_of_its_own() {
        let place = tempfile::tempdir().expect("a directory");
        let file = |name: &str, text: &str| {
            let path = place.path().join(name);
            fs::write(&path, text).expect("written");
            path
        };
        let held = Held {
            memory: file("usage", "1000\n"),
            statistics: file("stat", "cache 500\nrss 100\nrss_huge 64\nshmem 20\n"),
            processes: file("pids", "3\n"),
            kernel: vec![file("kernel", "300\n"), place.path().join("absent")],
        };
        assert_eq!(held.kept(), 420);
    }
}
