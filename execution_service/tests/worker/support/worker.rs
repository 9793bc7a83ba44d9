//! The worker as a process.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::caller::Caller;
use super::eventually;
use super::request::unique;

/// The worker's executable.
pub const BINARY: &str = env!("CARGO_BIN_EXE_execution_service");

/// A started worker. Dropping it ends it.
pub struct Worker {
    process: Child,
    directory: TempDir,
    address: String,
    token: String,
}

impl Worker {
    /// One that offers `languages` (names with commas); `None`, and a note, if this machine lacks one.
    pub async fn start(languages: &str, settings: &[(&str, &str)]) -> Option<Self> {
        Self::start_behind(&[], languages, settings).await
    }

    /// As [`Worker::start`], by a command that becomes the rest of its command line.
    pub async fn start_behind(
        wrapper: &[&str],
        languages: &str,
        settings: &[(&str, &str)],
    ) -> Option<Self> {
        let worker = Self::launch(wrapper, languages, settings).await;
        let capabilities = worker.caller().await.capabilities().await;
        let Some(missing) = capabilities.missing_languages.first() else {
            return Some(worker);
        };
        let test = std::thread::current();
        let test = test.name().unwrap_or("?");
        eprintln!("skipped: {test} (no {} here: {})", missing.name, missing.reason);
        None
    }

    /// One with Bash, which is everywhere.
    pub async fn bash(settings: &[(&str, &str)]) -> Self {
        Self::launch(&[], "bash", settings).await
    }

    async fn launch(wrapper: &[&str], languages: &str, settings: &[(&str, &str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let own = settings.iter().find(|(name, _)| *name == "ADDRESS_FILE");
        let address_file = match own {
            Some((_, path)) => PathBuf::from(path),
            None => directory.path().join("address"),
        };
        let token = token();
        let process = command(wrapper, directory.path())
            .env("LISTEN", "127.0.0.1:0")
            .env("ADDRESS_FILE", &address_file)
            .env("INTERNAL_AUTH_TOKEN", &token)
            .env("SUPPORTED_LANGUAGES", languages)
            .envs(settings.iter().copied())
            .spawn()
            .unwrap();
        let mut worker = Self { process, directory, address: String::new(), token };
        worker.address = loop {
            if let Ok(address) = fs::read_to_string(&address_file) {
                break address;
            }
            if let Some(status) = worker.process.try_wait().unwrap() {
                panic!("the worker ended ({status}): {}", worker.log());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        };
        worker
    }

    /// A gateway, with a connection of its own.
    pub async fn caller(&self) -> Caller {
        Caller::connect(&self.address, &self.token).await
    }

    /// A gateway with another token.
    pub async fn caller_with(&self, token: &str) -> Caller {
        Caller::connect(&self.address, token).await
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).unwrap()
    }

    /// Of the process that was started.
    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.process)
    }

    /// Where it serves, as its `ADDRESS_FILE` says.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Tells it to end, in the way that a supervisor does.
    pub fn terminate(&self) {
        kill_process(self.pid(), Signal::TERM).unwrap();
    }

    /// Its exit status, once it has one.
    pub async fn ended(&mut self) -> ExitStatus {
        let process = std::sync::Mutex::new(&mut self.process);
        eventually("the worker ends", async || process.lock().unwrap().try_wait().unwrap()).await
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the worker's log:\n{}", self.log());
        }
        // Longer than it gives itself, so that what follows finds it hanging and not just slow.
        let patience = Instant::now() + Duration::from_secs(8);
        if let Ok(None) = self.process.try_wait() {
            self.terminate();
        }
        while let Ok(None) = self.process.try_wait() {
            if Instant::now() > patience {
                let _ = self.process.kill();
                let _ = self.process.wait();
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// A worker that is expected to refuse: its exit status and what it said.
pub async fn refusal(token: Option<&str>) -> (ExitStatus, String) {
    let token = token.map(|token| ("INTERNAL_AUTH_TOKEN", token));
    refused(token.as_slice()).await
}

/// A worker with a good token that is expected to refuse these settings.
pub async fn refusal_of(settings: &[(&str, &str)]) -> (ExitStatus, String) {
    let token = token();
    let settings: Vec<_> =
        [("INTERNAL_AUTH_TOKEN", &*token)].iter().chain(settings).copied().collect();
    refused(&settings).await
}

async fn refused(settings: &[(&str, &str)]) -> (ExitStatus, String) {
    let directory = tempfile::tempdir().unwrap();
    let mut command = command(&[], directory.path());
    command.env("LISTEN", "127.0.0.1:0").envs(settings.iter().copied());
    let process = command.spawn().unwrap();
    let mut worker = Worker { process, directory, address: String::new(), token: String::new() };
    (worker.ended().await, worker.log())
}

/// A worker with nothing of this process's environment but the way to the interpreters. Its log goes
/// to a file of `directory`.
fn command(wrapper: &[&str], directory: &Path) -> Command {
    let line = [wrapper, &[BINARY]].concat();
    let mut command = Command::new(line[0]);
    command
        .args(&line[1..])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("LOG_FORMAT", "json")
        .env("INITIAL_POOL_SIZE", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(directory.join("log")).unwrap());
    command
}

/// Good enough for a worker (never with the row of zeros that examples have), with the words by which
/// `.ci/run` finds secrets in what tests print.
pub fn token() -> String {
    format!("internal-nobody-logs-this-{}{}", unique(""), unique("")).replace('0', "1")
}
