//! The Crucible that is being killed, and its clients' way to it.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::Method;
use rustix::process::{WaitOptions, set_child_subreaper, waitpid};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::crucible::Crucible;
use crate::leaks::STEADY_POOL;
use crate::processes::children;

/// A caller's patience. A run takes a second at most, and may wait for a worker that starts.
const PATIENCE: Duration = Duration::from_secs(60);
/// The whole service is to be back after so long, on a busy machine and in a debug build.
pub const BOUND: Duration = Duration::from_secs(30);

/// An answer: status and body. An error is a connection that broke, in words.
pub type Answer = Result<(u16, Value), String>;

/// How to reach it; stays the same when it is started again.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    url: Arc<str>,
    token: Arc<str>,
}

impl Client {
    /// One call with the administrator's token.
    pub async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        self.call_once(method, path, body, None).await
    }

    /// One run, which happens once however often it is asked for with the same key.
    pub async fn run(&self, body: &Value, key: Option<&str>) -> Answer {
        self.call_once(Method::POST, "run", Some(body), key).await
    }

    /// One run whose events are followed to the end of the stream.
    pub async fn stream(&self, body: &Value) -> Streamed {
        let url = format!("{}/v1/code_interpreter/run", self.url);
        let request = self.http.post(url).bearer_auth(&self.token).json(body);
        let request = request.header("Accept", "text/event-stream");
        let broken = |error: reqwest::Error| format!("{error:?}");
        let answer = request.send().await.map_err(broken)?;
        let status = answer.status().as_u16();
        if status != 200 {
            return Ok(Err((status, answer.json().await.map_err(broken)?)));
        }
        Ok(Ok(answer.text().await.map_err(broken)?))
    }

    async fn call_once(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        key: Option<&str>,
    ) -> Answer {
        let url = format!("{}/v1/code_interpreter/{path}", self.url);
        let mut request = self.http.request(method, url).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(body);
        }
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        let broken = |error: reqwest::Error| format!("{error:?}");
        let answer = request.send().await.map_err(broken)?;
        let status = answer.status().as_u16();
        Ok((status, answer.json().await.map_err(broken)?))
    }

    /// Waits until a run is answered, and gives the time that took.
    pub async fn recovered(&self, since: Instant) -> Duration {
        loop {
            let body = json!({"language": "bash", "code": "echo back"});
            if let Ok((200, answer)) = self.run(&body, None).await
                && answer["stdout"] == "back\n"
            {
                return since.elapsed();
            }
            assert!(since.elapsed() < BOUND, "it does not come back");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Every row of a list that `wanted` says to go on for, newest first.
    pub async fn list(&self, path: &str, mut wanted: impl FnMut(&Value) -> bool) -> Vec<Value> {
        let (mut rows, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = format!("{path}?limit=100{cursor}");
            let (status, page) = self.call(Method::GET, &page, None).await.expect("a page");
            assert_eq!(status, 200, "{page}");
            for row in page["data"].as_array().expect("rows") {
                if !wanted(row) {
                    return rows;
                }
                rows.push(row.clone());
            }
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return rows,
            }
        }
    }
}

/// The whole text of a stream, or why there was none: status and body. An error is a connection that broke.
pub type Streamed = Result<Result<String, (u16, Value)>, String>;

/// One Crucible that a test has started.
pub struct Service {
    crucible: Crucible,
    pub client: Client,
    data: TempDir,
    scratch: TempDir,
    log: File,
    port: String,
    /// Processes that have named control groups after themselves.
    pub anchors: Vec<u32>,
}

impl Service {
    /// Starts it. Whatever outlives its parent becomes a child of this process, and is seen.
    pub async fn start() -> Self {
        set_child_subreaper(Some(rustix::process::getpid())).expect("Linux 3.4");
        let (data, scratch) = (directory(), directory());
        let log = log_file();
        let crucible = launch(data.path(), scratch.path(), "0", &log);
        let port = crucible.url().rsplit(':').next().expect("a port").to_owned();
        // A connection that is kept would break with the gateway, and not with a request's own.
        let http = reqwest::Client::builder()
            .no_proxy()
            .pool_max_idle_per_host(0)
            .timeout(PATIENCE)
            .build()
            .expect("a client");
        let (url, token) = (Arc::from(crucible.url()), Arc::from(crucible.token()));
        let client = Client { http, url, token };
        let anchors = vec![crucible.service("worker")];
        Self { crucible, client, data, scratch, log, port, anchors }
    }

    /// Of the launcher.
    pub fn pid(&self) -> u32 {
        self.crucible.pid()
    }

    /// The running launcher.
    pub fn crucible(&self) -> &Crucible {
        &self.crucible
    }

    /// Its data directory and its directory for temporary files.
    pub fn directories(&self) -> [&Path; 2] {
        [self.data.path(), self.scratch.path()]
    }

    /// What a supervisor does when the launcher was killed: starts it again, at once.
    pub fn start_again(&mut self) {
        assert_eq!(self.crucible.wait(), None, "it was killed");
        self.crucible = launch(self.data.path(), self.scratch.path(), &self.port, &self.log);
    }

    /// Ends every session, also those whose beginning was answered to nobody.
    pub async fn end_sessions(&self) {
        for session in self.client.list("sessions", |_| true).await {
            let id = session["session_id"].as_str().expect("an id");
            let path = format!("sessions/{id}");
            self.client.call(Method::DELETE, &path, None).await.expect("an answer");
        }
    }

    /// Waits for the processes that have lost their parents to us. Others wait for their own.
    pub fn reap(&self) {
        let own = self.pid();
        for orphan in children(std::process::id()).into_iter().filter(|pid| *pid != own) {
            let pid = i32::try_from(orphan).ok().and_then(rustix::process::Pid::from_raw);
            let _ = waitpid(pid, WaitOptions::NOHANG);
        }
    }

    /// Ends it in good order.
    pub async fn stop(mut self) {
        assert_eq!(self.crucible.stop(), Some(0));
    }
}

fn launch(data: &Path, scratch: &Path, port: &str, log: &File) -> Crucible {
    let log = log.try_clone().expect("a descriptor");
    let scratch = scratch.to_str().expect("UTF-8");
    let mut variables = vec![
        ("PORT", port),
        ("TMPDIR", scratch),
        ("ACCESS_TOKEN_EXPIRE_MINUTES", "1440"),
        ("EXECUTION_RETENTION_COUNT", "1000000"),
    ];
    variables.extend(STEADY_POOL);
    Crucible::start_logging(data, &variables, log)
}

fn directory() -> TempDir {
    TempDir::new().expect("a temporary directory")
}

/// `KILLS_LOG` names a file; without it nobody reads what the services say.
fn log_file() -> File {
    let path = std::env::var("KILLS_LOG").unwrap_or_else(|_| String::from("/dev/null"));
    File::options().append(true).create(true).open(path).expect("KILLS_LOG can be written")
}
