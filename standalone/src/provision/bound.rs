//! Commands that end when the launcher does, even when it is killed.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, setpriority_process};

use super::{Making, ProvisionError};

/// The launcher's hidden subcommand that turns itself into another command, bound to its parent.
pub const BOUND: &str = "bound";

/// Variables of the operator that a download may depend upon. Everything else stays outside:
/// a `PYTHONPATH` or `PIP_TARGET` would make another environment than the fingerprint names.
const PASSED_ON: [&str; 24] = [
    "PATH",
    "HOME",
    "TMPDIR",
    "LANG",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "PIP_CONFIG_FILE",
    "PIP_INDEX_URL",
    "PIP_EXTRA_INDEX_URL",
    "PIP_NO_INDEX",
    "PIP_FIND_LINKS",
    "PIP_TRUSTED_HOST",
    "PIP_CERT",
    "PIP_CLIENT_CERT",
    "PIP_CACHE_DIR",
];

/// Lines of output that are kept to explain a failure.
const KEPT: usize = 40;
/// Between two looks whether it is to stop.
const LOOK: Duration = Duration::from_millis(100);
/// How much less the processors care for it than for what is served meanwhile.
const NICENESS: i32 = 10;

/// Becomes `command` (program and arguments), having asked the kernel for an end when the parent
/// ends: what [`BOUND`] does. Only ever returns with the reason why it could not.
pub fn become_command(command: impl IntoIterator<Item = OsString>) -> io::Error {
    let mut command = command.into_iter();
    let Some(program) = command.next() else {
        return io::Error::new(io::ErrorKind::InvalidInput, "no command was given");
    };
    match rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL)) {
        Ok(()) => Command::new(program).args(command).exec(),
        Err(error) => io::Error::from(error),
    }
}

/// What is to be run, and how.
pub(super) struct Bound<'a> {
    /// `pip`, `python -m venv`, …
    pub(super) name: &'static str,
    /// Through which it is run.
    pub(super) launcher: &'a Path,
    /// Program and arguments.
    pub(super) command: &'a [OsString],
    /// Beside those that are passed on.
    pub(super) variables: &'a [(&'a str, &'a Path)],
    /// The longest that it may print nothing.
    pub(super) patience: Duration,
}

/// Runs a command to its end, giving each line that it prints to `line`.
///
/// # Errors
/// When it cannot be started, fails, prints nothing for as long as its patience, or is to stop.
pub(super) fn run(
    bound: Bound<'_>,
    making: &mut Making<'_>,
    line: &mut dyn FnMut(&str, &mut Making<'_>),
) -> Result<(), ProvisionError> {
    let Bound { name, launcher, command, variables, patience } = bound;
    let not_started = |source| ProvisionError::NotStarted { command: name, source };
    let mut child = Command::new(launcher)
        .arg(BOUND)
        .args(command)
        .env_clear()
        .envs(PASSED_ON.into_iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(not_started)?;

    // Where it cannot be less urgent it is as urgent as we are.
    let _ = setpriority_process(Some(Pid::from_child(&child)), NICENESS);
    let (sender, lines) = mpsc::channel();
    for pipe in [
        child.stdout.take().map(|pipe| Box::new(pipe) as Box<dyn Read + Send>),
        child.stderr.take().map(|pipe| Box::new(pipe) as Box<dyn Read + Send>),
    ]
    .into_iter()
    .flatten()
    {
        let sender = sender.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
                if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                    return;
                }
            }
        });
    }
    drop(sender);

    let mut last = VecDeque::with_capacity(KEPT);
    let mut heard = Instant::now();
    loop {
        match lines.recv_timeout(LOOK) {
            Ok(text) => {
                heard = Instant::now();
                line(&text, making);
                if last.len() == KEPT {
                    last.pop_front();
                }
                last.push_back(text);
            }
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                let why = if making.is_to_stop() {
                    ProvisionError::Stopped
                } else if heard.elapsed() > patience {
                    ProvisionError::Stalled { command: name, after: patience }
                } else {
                    continue;
                };
                child.kill().and_then(|()| child.wait()).map_err(not_started)?;
                return Err(why);
            }
        }
    }
    let status = child.wait().map_err(not_started)?;
    if status.success() {
        return Ok(());
    }
    Err(ProvisionError::Failed { command: name, reason: reason(&last, &status.to_string()) })
}

/// The line that says most: pip's first warning about the network, else the first error, else the
/// last line.
fn reason(last: &VecDeque<String>, status: &str) -> String {
    let network = last.iter().find_map(|line| {
        let start = line.find("NewConnectionError").or_else(|| line.find("ConnectTimeoutError"))?;
        line[start..].split_once(": ").map(|(_, what)| format!("no network ({})", tidy(what)))
    });
    let error = || last.iter().find(|line| line.starts_with("ERROR: ")).map(|line| tidy(line));
    let ending = || last.iter().rfind(|line| !line.trim().is_empty()).map(|line| tidy(line));
    network.or_else(error).or_else(ending).unwrap_or_else(|| String::from(status))
}

fn tidy(line: &str) -> String {
    let line = line.trim().trim_start_matches("ERROR: ");
    line.split("')").next().unwrap_or(line).chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_network_is_named_as_such() {
        let lines = [
            "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError('<x \
             object at 0x7f>: Failed to establish a new connection: [Errno -3] Temporary failure in \
             name resolution')': /simple/ipython/",
            "ERROR: Could not find a version that satisfies the requirement ipython==8.37.0",
            "ERROR: No matching distribution found for ipython==8.37.0",
        ];
        let reason = reason(&lines.map(String::from).into(), "exit status: 1");
        assert!(reason.starts_with("no network (Failed to establish a new connection"), "{reason}");
        assert!(reason.ends_with("name resolution)"), "{reason}");
    }

    #[test]
    fn without_a_network_error_the_first_error_is_told() {
        let lines = ["Collecting x", "ERROR: No matching distribution found for x==1", ""];
        let reason = reason(&lines.map(String::from).into(), "exit status: 1");
        assert_eq!(reason, "No matching distribution found for x==1");
    }
}
