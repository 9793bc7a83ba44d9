//! Asking a candidate what it is.

use std::fs::File;
use std::io::{Read, Seek};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::fs::MemfdFlags;
use rustix::process::{Pid, Signal, kill_process_group};

use super::Unsuitable;

/// A shim can take a second to find its version on a busy machine; ten are a hang.
const PATIENCE: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(2);

/// What a candidate said.
pub struct Answer {
    /// Standard output, without the white space at its end.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// Runs `program` with `arguments` and gives its output.
///
/// Its environment holds `PATH`, `HOME` (shims find their versions by them) and the C locale, and
/// nothing else: a `PYTHONPATH` or `NODE_OPTIONS` of the operator would describe the operator's
/// interpreter rather than the sandbox's.
pub fn ask(program: &Path, arguments: &[&str], stdin: &str) -> Result<Answer, Unsuitable> {
    ask_within(PATIENCE, program, arguments, stdin)
}

/// [`ask`], with another patience.
pub(in crate::language) fn ask_within(
    patience: Duration,
    program: &Path,
    arguments: &[&str],
    stdin: &str,
) -> Result<Answer, Unsuitable> {
    // Files in memory, not pipes: a pipe would be held open by whatever the candidate leaves
    // behind, and would need a thread to be drained.
    let mut stdout = scratch()?;
    let mut stderr = scratch()?;
    let mut input = scratch()?;
    std::io::Write::write_all(&mut input, stdin.as_bytes()).map_err(Unsuitable::NotStarted)?;
    input.rewind().map_err(Unsuitable::NotStarted)?;

    let mut child = Command::new(program)
        .args(arguments)
        .env_clear()
        .envs(["PATH", "HOME"].into_iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
        .env("LC_ALL", "C")
        .current_dir("/")
        .stdin(Stdio::from(input))
        .stdout(Stdio::from(stdout.try_clone().map_err(Unsuitable::NotStarted)?))
        .stderr(Stdio::from(stderr.try_clone().map_err(Unsuitable::NotStarted)?))
        .process_group(0)
        .spawn()
        .map_err(Unsuitable::NotStarted)?;
    let status = wait(&mut child, patience)?;

    let stderr = text(&mut stderr)?;
    if !status.success() {
        let last = stderr.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
        return Err(Unsuitable::Failed { status: status.to_string(), stderr: String::from(last) });
    }
    Ok(Answer { stdout: String::from(text(&mut stdout)?.trim_end()), stderr })
}

/// Whether `tool`, an absolute path or a bare name, is there for a candidate to start.
pub fn is_on_path(tool: &Path) -> bool {
    tool.is_absolute() && tool.exists()
        || std::env::var_os("PATH").is_some_and(|path| {
            std::env::split_paths(&path).any(|directory| directory.join(tool).is_file())
        })
}

fn wait(child: &mut Child, patience: Duration) -> Result<ExitStatus, Unsuitable> {
    let asked = Instant::now();
    let ended = loop {
        match child.try_wait() {
            Ok(Some(status)) => break Ok(status),
            Ok(None) if asked.elapsed() < patience => std::thread::sleep(POLL),
            Ok(None) => break Err(Unsuitable::NoAnswer(patience)),
            Err(error) => break Err(Unsuitable::NotStarted(error)),
        }
    };
    // The group, because a shim is a shell script with children of its own. The group's id cannot
    // have been given to somebody else while one of its members lives, and if none does the signal
    // finds nobody; the child itself is not yet reaped in the case that matters.
    if ended.is_err() {
        let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        if let Some(group) = group {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = child.wait();
    }
    ended
}

fn scratch() -> Result<File, Unsuitable> {
    rustix::fs::memfd_create("answer", MemfdFlags::CLOEXEC)
        .map(File::from)
        .map_err(|error| Unsuitable::NotStarted(std::io::Error::from(error)))
}

fn text(file: &mut File) -> Result<String, Unsuitable> {
    let mut bytes = Vec::new();
    file.rewind()
        .and_then(|()| file.take(MOST).read_to_end(&mut bytes))
        .map_err(Unsuitable::NotStarted)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Bytes of an answer that are read; the longest honest one, a list of packages, has a few KiB.
const MOST: u64 = 1 << 20;
