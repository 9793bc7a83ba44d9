//! One Crucible of a test's own: temporary data directory, free port, ended with the test.

use std::ffi::OsString;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::{Mutex, MutexGuard};

use crate::processes::{children, signal};

/// Longer than any start on a busy machine, also one that downloads; a start that fails is noticed at once.
const PATIENCE: Duration = Duration::from_secs(240);

const LAUNCHER: &str = env!("CARGO_BIN_EXE_crucible");

/// Becomes the launcher, after leaving a shell behind that stops it and removes its data directory
/// when standard input ends: that is when the test process has ended, in whichever way.
const TIED: &str = r#"
exec 3<&0 </dev/null
(
    cat <&3 >/dev/null
    kill $$
    while kill -0 $$; do sleep 0.1; done
    rm -rf "$E2E_SCRATCH"
) 2>/dev/null &
exec "$0" "$@" 3<&-
"#;

/// Held by tests that keep all processors busy, and by those that expect an interpreter to react
/// within a fraction of a second.
static PROCESSORS: Mutex<()> = Mutex::const_new(());

/// Waits until no other test holds the processors.
pub async fn processors() -> MutexGuard<'static, ()> {
    PROCESSORS.lock().await
}

/// A running launcher.
pub struct Crucible {
    child: Child,
    data: PathBuf,
    /// `None` when the data directory is somebody else's and outlives this start.
    _owned: Option<TempDir>,
    printed: Vec<String>,
    client: reqwest::Client,
}

impl Crucible {
    /// Starts one and returns when it has printed its `curl` line.
    pub fn start() -> Self {
        let data = TempDir::new().expect("a temporary directory");
        let path = data.path().to_owned();
        let mut started = Self::start_in(&path, &[]);
        started._owned = Some(data);
        started
    }

    /// Starts one in a data directory that outlives it, with more variables.
    pub fn start_in(data: &Path, variables: &[(&str, &str)]) -> Self {
        let mut launcher = Command::new(LAUNCHER);
        launcher.stdin(Stdio::null()).arg("--no-provision");
        Self::launch(launcher, data, variables)
    }

    /// As [`Crucible::start_in`], with the packages that it installs itself. Makes the directory.
    pub fn start_installing(data: &Path, variables: &[(&str, &str)]) -> Self {
        std::fs::create_dir_all(data).expect("a directory");
        // The one that it is in was made for its owner alone.
        let open = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(data.parent().expect("it has one"), open).expect("users may pass");
        // As the operator's own pip finds its packages.
        let of_pip = ["PIP_INDEX_URL", "PIP_FIND_LINKS", "PIP_CERT", "PIP_CONFIG_FILE"];
        let mut launcher = Command::new(LAUNCHER);
        launcher.stdin(Stdio::null());
        let kept: Vec<_> = of_pip.into_iter().filter_map(kept).collect();
        let kept = kept.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str()?)));
        let variables: Vec<_> = kept.chain(variables.iter().copied()).collect();
        Self::launch(launcher, data, &variables)
    }

    /// As [`Crucible::start_in`], with what it and its services log in `log`.
    pub fn start_logging(data: &Path, variables: &[(&str, &str)], log: File) -> Self {
        let mut launcher = Command::new(LAUNCHER);
        launcher.stdin(Stdio::null()).stderr(log).arg("--no-provision");
        Self::launch(launcher, data, variables)
    }

    /// Everything that is printed by one that cannot start.
    pub fn fails(data: &Path, variables: &[(&str, &str)]) -> String {
        let ended = Command::new(LAUNCHER)
            .args(["--port", "0", "--no-provision", "--data-dir"])
            .arg(data)
            .stdin(Stdio::null())
            .env_clear()
            .envs(["PATH", "HOME", "TMPDIR"].into_iter().filter_map(kept))
            .envs(variables.iter().copied())
            .output()
            .expect("the launcher starts");
        assert!(!ended.status.success(), "{variables:?}");
        [ended.stdout, ended.stderr]
            .map(|text| String::from_utf8_lossy(&text).into_owned())
            .concat()
    }

    /// The one that all tests may use that neither stop it nor count what it leaves. It ends with
    /// this process.
    pub fn shared() -> &'static Self {
        static SHARED: LazyLock<Crucible> = LazyLock::new(|| {
            // Statics are not dropped: the shell below removes it.
            let data = TempDir::new().expect("a temporary directory").keep();
            let scratch = data.to_str().expect("UTF-8");
            let mut launcher = Command::new("sh");
            launcher.args(["-c", TIED, LAUNCHER, "--no-provision"]).stdin(Stdio::piped());
            let variables = [("E2E_SCRATCH", scratch), ("LOG_LEVEL", "error")];
            Crucible::launch(launcher, &data, &variables)
        });
        &SHARED
    }

    fn launch(mut launcher: Command, data: &Path, variables: &[(&str, &str)]) -> Self {
        let open = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(data, open).expect("sandbox users may pass");
        let mut child = launcher
            .arg("--data-dir")
            .arg(data)
            .env_clear()
            .envs([("PORT", "0"), ("LOG_FORMAT", "json")])
            .envs(["PATH", "HOME", "TMPDIR"].into_iter().filter_map(kept))
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the launcher starts");
        let stdout = child.stdout.take().expect("it is piped");
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            // The receiver may be gone; the pipe is drained to its end all the same, or the
            // launcher would die of writing to it.
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let printed = read_until(&lines, |line| line.starts_with("curl "));
        // A connection belongs to the runtime that opened it, and every test has its own.
        let client = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build();
        let client = client.expect("a client");
        Self { child, data: data.to_owned(), _owned: None, printed, client }
    }

    /// Its data directory.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Everything that was printed up to the `curl` line.
    pub fn printed(&self) -> String {
        self.printed.join("\n")
    }

    /// The line to paste.
    pub fn curl(&self) -> &str {
        self.printed.iter().find(|line| line.starts_with("curl ")).expect("it was waited for")
    }

    /// `http://127.0.0.1:40123`
    pub fn url(&self) -> &str {
        let line = self.printed.iter().find_map(|line| line.split_once(" is ready on "));
        line.expect("it is printed before the curl line").1.trim()
    }

    /// The administrator's token, as printed.
    pub fn token(&self) -> &str {
        let (_, rest) = self.curl().split_once("Bearer ").expect("the line has a token");
        rest.split_once('\'').expect("in quotes").0
    }

    /// The launcher.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The process of one of the services; waited for, if it is being started again.
    pub fn service(&self, name: &str) -> u32 {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = service_of(self.pid(), name) {
                return found;
            }
            assert!(Instant::now() < deadline, "there is no {name}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// One call with the administrator's token: the status, and the body as JSON.
    pub async fn call(
        &self,
        method: reqwest::Method,
        path: &str,
        body: Option<Value>,
    ) -> (u16, Value) {
        let mut request =
            self.client.request(method, format!("{}{path}", self.url())).bearer_auth(self.token());
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.expect("the gateway answers");
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap_or(Value::Null))
    }

    /// `POST /v1/code_interpreter/run`, which must be accepted.
    pub async fn run(&self, body: Value) -> Value {
        let path = "/v1/code_interpreter/run";
        let (status, answer) = self.call(reqwest::Method::POST, path, Some(body)).await;
        assert_eq!(status, 200, "{answer}");
        answer
    }

    /// SIGTERM, and the launcher's exit code once it has ended.
    pub fn stop(&mut self) -> Option<i32> {
        signal(self.pid(), Signal::TERM);
        self.wait()
    }

    /// The launcher's exit code once it has ended.
    pub fn wait(&mut self) -> Option<i32> {
        self.child.wait().expect("it is a child").code()
    }
}

impl Drop for Crucible {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        signal(self.pid(), Signal::TERM);
        let deadline = Instant::now() + Duration::from_secs(15);
        while Instant::now() < deadline {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        // Its services end with it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The process of one of a launcher's services, if it runs.
pub fn service_of(launcher: u32, name: &str) -> Option<u32> {
    children(launcher).into_iter().find(|child| {
        let line = std::fs::read(format!("/proc/{child}/cmdline")).unwrap_or_default();
        line.split(|&byte| byte == 0).nth(1) == Some(name.as_bytes())
    })
}

/// `PATH` and the like, as (name, value), if set.
fn kept(name: &str) -> Option<(String, OsString)> {
    Some((String::from(name), std::env::var_os(name)?))
}

/// The program on the `PATH`, or `None` after saying that `test` is skipped.
pub fn needs(program: &str, test: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found =
        std::env::split_paths(&path).map(|entry| entry.join(program)).find(|path| path.is_file());
    if found.is_none() {
        eprintln!("skipped: {test} (no {program} on this machine)");
    }
    found
}

fn read_until(lines: &Receiver<String>, last: impl Fn(&str) -> bool) -> Vec<String> {
    let deadline = Instant::now() + PATIENCE;
    let mut printed = Vec::new();
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match lines.recv_timeout(left) {
            Ok(line) => {
                let done = last(&line);
                printed.push(line);
                if done {
                    return printed;
                }
            }
            Err(RecvTimeoutError::Timeout) => panic!("not ready: {printed:#?}"),
            Err(RecvTimeoutError::Disconnected) => panic!("it ended: {printed:#?}"),
        }
    }
}
