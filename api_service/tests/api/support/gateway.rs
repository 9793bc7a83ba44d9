//! A gateway that is a process, so that it can be killed as one, and says what it says.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use super::{FakeWorker, PASSWORD, SECRET_KEY, TOKEN, eventually};

/// One gateway process that a test has started. Dropped, it ends as by `kill -9`.
pub struct Gateway {
    process: Child,
    /// Where it listens, as `127.0.0.1:40123`.
    pub address: String,
}

impl Gateway {
    /// Starts one with its database in `files`, and waits until it is ready.
    pub async fn start(
        files: &Path,
        worker: &FakeWorker,
        variables: &[(&str, &str)],
        log: Stdio,
    ) -> Self {
        let address = files.join("address");
        let _ = std::fs::remove_file(&address);
        let process = Command::new(env!("CARGO_BIN_EXE_api_service"))
            .env_clear()
            .env("PORT", "0")
            .env("ADDRESS_FILE", &address)
            .env("SECRET_KEY", SECRET_KEY)
            .env("INTERNAL_AUTH_TOKEN", TOKEN)
            .env("ADMIN_USERNAME", "admin")
            .env("ADMIN_PASSWORD", PASSWORD)
            .env("DATABASE_URL", format!("sqlite:{}", files.join("test.db").display()))
            .env("EXECUTION_SERVICE_URL", worker.url())
            .envs(variables.iter().copied())
            .stderr(log)
            .spawn()
            .unwrap();
        // From here on it is killed with this, also when it never gets ready.
        let mut gateway = Self { process, address: String::new() };
        gateway.address = eventually(async || {
            let address = std::fs::read_to_string(&address).ok()?;
            let ready = reqwest::get(format!("http://{address}/readyz")).await.ok()?;
            ready.status().is_success().then_some(address)
        })
        .await;
        gateway
    }

    /// The URL of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// A token of the administrator.
    pub async fn admin(&self) -> String {
        let body = json!({"username": "admin", "password": PASSWORD});
        let asked = reqwest::Client::new().post(self.url("/v1/auth/token")).json(&body);
        let answer: Value = asked.send().await.unwrap().json().await.unwrap();
        answer["access_token"].as_str().unwrap().to_owned()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}
