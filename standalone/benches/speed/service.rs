//! The launcher with both services, started for the benchmark alone.

use std::fs::{File, Permissions};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use hyper::Method;
use rustix::process::Signal;
use serde_json::{Value, json};
use standalone::provision::BOUND;
use tempfile::TempDir;

use crate::caller::Caller;
use crate::interpreters::Interpreters;
use crate::options::Options;
use crate::processes::{descendants, signal, wait_until_gone};

const SESSIONS: &str = "/v1/code_interpreter/sessions";

/// Longer than ending takes: the worker removes what it has made.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running Crucible with one signed-in user.
pub struct Service {
    child: Child,
    address: SocketAddr,
    token: String,
    data: TempDir,
}

impl Service {
    /// Starts it with an empty data directory and signs in.
    pub fn start(options: &Options, interpreters: &Interpreters) -> anyhow::Result<Self> {
        let data = TempDir::new()?;
        // The users of sandboxes have to pass.
        std::fs::set_permissions(data.path(), Permissions::from_mode(0o755))?;
        let password = format!("{:032x}", rand::random::<u128>());
        let kept = ["PATH", "HOME", "TMPDIR"].into_iter();
        let log = data.path().join("log");
        let mut child = Command::new(&options.launcher)
            // Becomes the launcher, bound to this process: whatever happens, nothing is left.
            .arg(BOUND)
            .arg(&options.launcher)
            .args(["--port", "0", "--no-provision", "--log-format", "json", "--data-dir"])
            .arg(data.path())
            .env_clear()
            .envs(kept.filter_map(|name| Some((name, std::env::var_os(name)?))))
            .env("ADMIN_PASSWORD", &password)
            // A long benchmark signs in once, too: a day.
            .env("ACCESS_TOKEN_EXPIRE_MINUTES", "1440")
            .env("PYTHON_ENVIRONMENT", &interpreters.packages)
            // All of the sessions are ours.
            .env("MAX_SESSIONS", "1100")
            .env("MAX_SESSIONS_PER_OWNER", "1100")
            .envs(options.settings.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(&log)?)
            .spawn()
            .with_context(|| format!("{}", options.launcher.display()))?;
        let lines = BufReader::new(child.stdout.take().context("it is piped")?).lines();
        let ready = ready(lines);
        let (address, lines) = match ready {
            Ok(ready) => ready,
            Err(error) => {
                let said = std::fs::read_to_string(&log).unwrap_or_default();
                return Err(error.context(said));
            }
        };
        // Read to the end, or the launcher would die of writing something more.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        let mut service = Self { child, address, token: String::new(), data };
        service.token = service.sign_in(&password)?;
        Ok(service)
    }

    /// A connection of its own for one more caller, who is the same user.
    pub fn caller(&self) -> anyhow::Result<Caller> {
        Caller::connect(self.address, Some(&self.token))
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Of its user.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The launcher's process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The directory that it ends with.
    pub fn scratch(&self) -> &std::path::Path {
        self.data.path()
    }

    fn sign_in(&self, password: &str) -> anyhow::Result<String> {
        let body = json!({"username": "admin", "password": password});
        let mut nobody = Caller::connect(self.address, None)?;
        let answer = nobody.must(Method::POST, "/v1/auth/token", Some(&body), 200)?;
        Ok(String::from(answer["access_token"].as_str().context("a token")?))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        let below = descendants(self.pid());
        signal(self.pid(), Signal::TERM);
        let deadline = Instant::now() + PATIENCE;
        while matches!(self.child.try_wait(), Ok(None)) {
            if Instant::now() > deadline {
                // The services end with it.
                let _ = self.child.kill();
                let _ = self.child.wait();
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        wait_until_gone(&below);
    }
}

/// Reads up to the line to paste, which is the last one; the address is on one before.
fn ready<L: Iterator<Item = std::io::Result<String>>>(
    mut lines: L,
) -> anyhow::Result<(SocketAddr, L)> {
    let mut address = None;
    for line in &mut lines {
        let line = line?;
        if let Some((_, url)) = line.split_once(" is ready on http://") {
            address = Some(url.trim().parse()?);
        }
        if line.starts_with("curl ") {
            return Ok((address.context("the launcher did not print its address")?, lines));
        }
    }
    bail!("the launcher ended before it was ready")
}

/// Makes a session and gives its id.
pub fn open_session(caller: &mut Caller, language: &str) -> anyhow::Result<String> {
    let body = json!({"language": language, "ttl": 3600});
    let made = caller.must(Method::POST, SESSIONS, Some(&body), 201)?;
    match &made["session_id"] {
        Value::String(id) => Ok(id.clone()),
        _ => bail!("no session in {made}"),
    }
}

/// Ends a session.
pub fn end_session(caller: &mut Caller, id: &str) -> anyhow::Result<()> {
    caller.must(Method::DELETE, &format!("{SESSIONS}/{id}"), None, 200).map(drop)
}
