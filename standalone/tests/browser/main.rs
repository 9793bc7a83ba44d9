//! A page in a real browser, of another origin than the service: it reads a stream of events, speaks over a
//! WebSocket and uses a terminal, all at the same time.

#[allow(dead_code, reason = "each of the programs that use it uses its part")]
#[path = "../machine/crucible.rs"]
mod crucible;
mod page_server;
#[allow(dead_code, unused_imports, reason = "each of the programs that use it uses its part")]
#[path = "../machine/processes.rs"]
mod processes;

use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use reqwest::Method;
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::timeout;

use crucible::Crucible;
use page_server::PageServer;

/// Longer than a browser takes to start on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A browser without a screen, ended with all of its processes.
struct Browser {
    child: Child,
    _profile: TempDir,
}

impl Browser {
    fn open(executable: PathBuf, url: &str) -> Self {
        let profile = TempDir::new().expect("a temporary directory");
        let child = Command::new(executable)
            // What confines a page needs what a container, or root, does not have.
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"])
            .args([
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
            ])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg(url)
            .env("HOME", profile.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("the browser starts");
        Self { child, _profile: profile }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn a_page_holds_a_stream_a_socket_and_a_terminal() {
    let Some(browser) = crucible::needs("chromium", "browser") else {
        return;
    };
    let mut server = PageServer::open().await;
    let data = TempDir::new().expect("a temporary directory");
    let crucible = Crucible::start_in(data.path(), &[("CORS_ORIGINS", server.origin())]);
    let (status, session) = crucible
        .call(Method::POST, "/v1/code_interpreter/sessions", Some(json!({"language": "bash"})))
        .await;
    assert_eq!(status, 201, "{session}");
    server.serve(
        include_str!("page.html")
            .replace("SERVICE", crucible.url())
            .replace("TOKEN", crucible.token())
            .replace("SESSION", session["session_id"].as_str().expect("an id")),
    );
    let browser = Browser::open(browser, server.origin());
    let told = timeout(PATIENCE, server.told()).await.expect("the page says what it saw");
    drop(browser);

    assert_eq!(told["failed"], Value::Null, "{told}");
    let stream = &told["stream"];
    assert_eq!(stream["text"], "1\n2\n3\n", "{told}");
    assert_eq!(stream["ends"], 1, "{told}");
    // Lines come while the program runs, not at its end.
    assert!(stream["early"].as_u64().is_some_and(|lines| lines >= 1), "{told}");
    assert_eq!(told["socket"]["text"], "hello page\n", "{told}");
    assert_eq!(told["socket"]["ends"], 1, "{told}");
    assert_eq!(told["terminal"]["computed"], true, "{told}");
}
