//! Bare processes: the cheapest honest way to run a program without any protection.
//!
//! The standard library starts them by `posix_spawn`, as long as nothing asks for more (another
//! user, another directory, a search of a changed `PATH`): no copy of this process is made.

use std::ffi::OsStr;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::fs::{StatVfsMountFlags, statvfs};
use tempfile::TempDir;

/// A command in a clean environment, straight from its executable. Standard error stays ours:
/// a pipe for it would cost something, and what is written there should be seen.
pub fn command<A: AsRef<OsStr>>(
    executable: &Path,
    arguments: impl IntoIterator<Item = A>,
) -> Command {
    let mut command = Command::new(executable);
    command.args(arguments).env_clear().env("PATH", "/usr/bin:/bin").stdin(Stdio::null());
    command
}

/// Runs a command to its end and reads all that it prints, which must be `expected`.
pub fn time(command: &mut Command, expected: &str) -> anyhow::Result<Duration> {
    // One byte more, or the last read would make it grow.
    let mut printed = Vec::with_capacity(expected.len() + 1);
    command.stdout(Stdio::piped());
    let started = Instant::now();
    let mut child = command.spawn().with_context(|| format!("{command:?}"))?;
    if let Some(mut stdout) = child.stdout.take() {
        stdout.read_to_end(&mut printed)?;
    }
    let status = child.wait()?;
    let took = started.elapsed();
    if status.success() && printed == expected.as_bytes() {
        return Ok(took);
    }
    bail!("{command:?}: {status}, printed {:?}", String::from_utf8_lossy(&printed))
}

/// A place to compile in, in memory if programs may be run from there: a sandbox has one, too.
pub struct Workshop {
    directory: TempDir,
    gcc: PathBuf,
}

impl Workshop {
    /// An empty one.
    pub fn new(gcc: &Path) -> anyhow::Result<Self> {
        let memory = Path::new("/dev/shm");
        let usable =
            statvfs(memory).is_ok_and(|found| !found.f_flag.contains(StatVfsMountFlags::NOEXEC));
        let directory = match usable.then(|| TempDir::new_in(memory)) {
            Some(Ok(directory)) => directory,
            Some(Err(_)) | None => TempDir::new()?,
        };
        Ok(Self { directory, gcc: gcc.to_owned() })
    }

    /// Compiles a program and runs it. The source file is there before the clock starts.
    pub fn time(&self, source: &str, expected: &str) -> anyhow::Result<Duration> {
        let directory = self.directory.path();
        let (text, program) = (directory.join("main.c"), directory.join("main"));
        std::fs::write(&text, source)?;
        let arguments = [OsStr::new("-o"), program.as_os_str(), text.as_os_str()];
        // gcc's own intermediate files are in memory as well.
        let compiled = time(command(&self.gcc, arguments).env("TMPDIR", directory), "")?;
        let ran = time(&mut command(&program, [""; 0]), expected)?;
        Ok(compiled + ran)
    }
}
