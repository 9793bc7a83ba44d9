//! What workers that were killed have left in the hierarchies: their directories, and in those perhaps
//! sandboxes that still die, or that nobody would ever end.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::fcntl::{Flock, FlockArg};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use super::v2;

/// Names of our directories start so; the number of the process that made it follows.
pub const PREFIX: &str = "crucible-";
/// How long all that was killed may take to be gone, in all hierarchies together: a start waits for it.
const PATIENCE: Duration = Duration::from_secs(2);
/// Between two tries to remove what the kernel still calls busy.
const RETRY: Duration = Duration::from_millis(10);

/// Something that a killed worker had left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leftover {
    /// Below the root of its hierarchy.
    pub directory: String,
    /// The process that had made it.
    pub of_pid: String,
    /// Processes that were still in its sandboxes, and were killed.
    pub killed: usize,
    /// Why it is still there, if it is.
    pub kept: Option<String>,
}

/// One pass through all hierarchies.
#[derive(Default)]
pub struct Sweep {
    /// Set by the first that has to be waited for.
    deadline: Option<Instant>,
    found: Vec<Leftover>,
}

impl Sweep {
    /// What was found in all of them.
    pub fn finish(self) -> Vec<Leftover> {
        self.found
    }

    /// Removes the directories in `root` that nobody holds a lock on. `hierarchy` is for the report.
    pub fn sweep(&mut self, root: &Path, hierarchy: &str) {
        let Ok(entries) = fs::read_dir(root) else {
            return;
        };
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let Some(of_pid) = name.strip_prefix(PREFIX) else {
                continue;
            };
            // Held until it is gone: another worker that starts leaves it to us.
            let Some(_unused) = unused(&entry.path()) else {
                continue;
            };
            let (killed, kept) = self.remove(&entry.path());
            if kept.as_ref().is_err_and(is_somebody_elses) {
                continue;
            }
            self.found.push(Leftover {
                directory: format!("{hierarchy}/{name}"),
                of_pid: String::from(of_pid),
                killed,
                kept: kept.err().map(|error| error.to_string()),
            });
        }
    }

    /// The dead worker's spawner may be about to do the same, and has nothing against help.
    fn remove(&mut self, directory: &Path) -> (usize, io::Result<()>) {
        let mut killed = 0;
        loop {
            killed += kill_sandboxes(directory);
            match remove_tree(directory) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return (killed, Ok(())),
                Err(error) if is_somebody_elses(&error) => return (killed, Err(error)),
                Err(error) => {
                    let deadline = *self.deadline.get_or_insert_with(|| Instant::now() + PATIENCE);
                    if Instant::now() > deadline {
                        return (killed, Err(error));
                    }
                    std::thread::sleep(RETRY);
                }
                Ok(()) => return (killed, Ok(())),
            }
        }
    }
}

/// Another user's worker has made it, and nothing is in our power.
fn is_somebody_elses(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}

/// A lock on it, if nobody else has one.
pub fn unused(directory: &Path) -> Option<Flock<File>> {
    Flock::lock(File::open(directory).ok()?, FlockArg::LockExclusiveNonblock).ok()
}

/// Removes a cgroup directory and those below it; one with processes in it stays.
pub fn remove_tree(path: &Path) -> io::Result<()> {
    for entry in fs::read_dir(path)?.flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            // The directory above says so, too.
            let _ = remove_tree(&entry.path());
        }
    }
    fs::remove_dir(path)
}

/// Kills what is in the sandboxes below, at whatever depth, and says how many processes that were. The
/// worker's own end by themselves, and bystanders are none of our business.
fn kill_sandboxes(directory: &Path) -> usize {
    let mut killed = 0;
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let name = entry.file_name();
        if !entry.file_type().is_ok_and(|kind| kind.is_dir()) || v2::is_no_sandbox(&name) {
            continue;
        }
        let inside = fs::read_to_string(entry.path().join("cgroup.procs")).unwrap_or_default();
        for pid in inside.lines().filter_map(|line| line.parse::<i32>().ok()) {
            // Zero is a process out of our sight; as a number it would mean ourselves.
            killed += usize::from(pid > 0 && kill(Pid::from_raw(pid), Signal::SIGKILL).is_ok());
        }
        killed += kill_sandboxes(&entry.path());
    }
    killed
}
