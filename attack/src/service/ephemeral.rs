//! A service for the attack alone, which ends with it however it ends.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use hyper::Method;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::{CALL, call, environment};
use crate::canaries::Canaries;
use crate::error::AttackError;
use crate::http::Client;
use crate::launcher::Launcher;
use crate::leaks::{self, RunningService, cgroups, descendants};

/// Longer than any start; one that fails is noticed at once.
const START: Duration = Duration::from_secs(120);
/// Longer than ending takes: the worker removes what it has made.
const END: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(50);
/// Bytes of a log that are worth showing.
const SHOWN_LOG: usize = 4000;

/// A launcher of our own with an empty data directory.
pub struct EphemeralService {
    child: Child,
    client: Client,
    metrics: Client,
    password: String,
    patience: f64,
    /// Holds the data directory and the log; removed when this is dropped, after the launcher.
    scratch: TempDir,
}

impl EphemeralService {
    /// Starts it and waits until it serves.
    ///
    /// # Errors
    /// [`AttackError::NotStarted`] with the end of its log, or why it could not even be tried.
    pub async fn start(
        launcher: &Launcher,
        patience: f64,
        canaries: &mut Canaries,
    ) -> Result<Self, AttackError> {
        let Launcher { executable, bound, python_environment } = launcher;
        let scratch = environment::scratch()?;
        let data = scratch.path().join("data");
        let log = scratch.path().join("log");
        let stderr = File::create(&log).map_err(AttackError::io(log.display().to_string()))?;
        let password = canaries.plant("password of the administrator");
        let metrics = free_address().map_err(AttackError::io("a port for metrics"))?;
        let child = Command::new(executable)
            // Bound to this process: even a `kill -9` of it leaves nothing running.
            .arg(bound)
            .arg(executable)
            .args(["--host", "127.0.0.1", "--port", "0", "--no-provision", "--log-format", "json"])
            .arg("--data-dir")
            .arg(&data)
            .env_clear()
            .envs(environment::variables(python_environment.as_deref()))
            .env("ADMIN_PASSWORD", &password)
            .env("METRICS_ADDRESS", &metrics)
            .env("SECRET_KEY", canaries.plant("key that signs access tokens"))
            .env("INTERNAL_AUTH_TOKEN", canaries.plant("token between gateway and worker"))
            .stdin(Stdio::null())
            // It prints the administrator's token.
            .stdout(Stdio::null())
            .stderr(stderr)
            .spawn()
            .map_err(AttackError::io(executable.display().to_string()))?;
        // From here on, dropping it ends the launcher.
        let mut ephemeral = Self {
            child,
            client: Client::new(String::new()),
            metrics: Client::new(metrics),
            password,
            patience,
            scratch,
        };
        ephemeral.client = ephemeral.ready().await?;
        Ok(ephemeral)
    }

    /// Polls, because the address is in a file, and because a launcher that ends writes none.
    async fn ready(&mut self) -> Result<Client, AttackError> {
        let file = self.data().join("run/gateway.address");
        let deadline = Instant::now() + START.mul_f64(self.patience);
        loop {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(self.not_started(&format!("it ended ({status})")));
            }
            let address = std::fs::read_to_string(&file).unwrap_or_default();
            if !address.trim().is_empty() {
                let client = Client::new(String::from(address.trim()));
                let limit = CALL.mul_f64(self.patience);
                if call(&client, Method::GET, "/readyz", None, None, limit).await.is_ok() {
                    return Ok(client);
                }
            }
            if Instant::now() > deadline {
                return Err(self.not_started("it is not ready"));
            }
            tokio::time::sleep(POLL).await;
        }
    }

    fn not_started(&self, why: &str) -> AttackError {
        AttackError::NotStarted { why: String::from(why), log: self.end_of_log() }
    }

    /// How to reach it.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The administrator's.
    pub fn password(&self) -> &str {
        &self.password
    }

    /// Where it tells its metrics.
    pub fn metrics(&self) -> &Client {
        &self.metrics
    }

    /// Where to look for what is left.
    pub fn running(&self) -> RunningService {
        RunningService { launcher: self.child.id(), data: self.data() }
    }

    fn data(&self) -> PathBuf {
        self.scratch.path().join("data")
    }

    /// All that it has logged.
    pub fn log(&self) -> String {
        let bytes = std::fs::read(self.scratch.path().join("log")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// As much of it as explains a failure.
    pub fn end_of_log(&self) -> String {
        let log = self.log();
        let begin = log.len().saturating_sub(SHOWN_LOG);
        let begin = (begin..=log.len()).find(|&at| log.is_char_boundary(at)).unwrap_or(0);
        String::from(&log[begin..])
    }

    /// Ends it, and says what it leaves on this machine.
    pub fn stop(mut self) -> Vec<String> {
        let processes = descendants(self.child.id());
        let directories = cgroups(self.child.id());
        let status = self.end();
        let patience = END.mul_f64(self.patience);
        let mut left = leaks::gone(&processes, &directories, patience);
        match status {
            Some(status) if status.success() => {}
            Some(status) => left.push(format!("the launcher ended with {status}")),
            None => left.push(String::from("the launcher did not end by itself")),
        }
        let path = self.scratch.path().to_owned();
        drop(self);
        if Path::exists(&path) {
            left.push(path.display().to_string());
        }
        left
    }

    /// SIGTERM, and SIGKILL for one that does not end; `None` then.
    fn end(&mut self) -> Option<ExitStatus> {
        if let Ok(Some(status)) = self.child.try_wait() {
            return Some(status);
        }
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            // It fails only for a process that has ended, which the next look notices.
            let _ = kill_process(pid, Signal::TERM);
        }
        let deadline = Instant::now() + END.mul_f64(self.patience);
        while Instant::now() < deadline {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Some(status);
            }
            std::thread::sleep(POLL);
        }
        // The services end with it.
        let _ = self.child.kill();
        let _ = self.child.wait();
        None
    }
}

/// The listener for metrics has to be told a port; the kernel gives out the next ones before it
/// gives out this one again.
fn free_address() -> std::io::Result<String> {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
    listener.local_addr().map(|address| address.to_string())
}

impl Drop for EphemeralService {
    fn drop(&mut self) {
        self.end();
    }
}
