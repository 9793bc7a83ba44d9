//! One gateway of a test's own.

use std::collections::HashMap;
use std::net::SocketAddr;

use api_service::config::Settings;
use api_service::operator::{ensure_admin, operator_token};
use api_service::startup::Application;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::fake_worker::TOKEN;
use super::{FakeWorker, eventually, log};

// The secrets of all tests share the words that `.ci/run` looks for in what they print.
pub const PASSWORD: &str = "correct-nobody-logs-this";
pub const SECRET_KEY: &str = "signing-nobody-logs-this-0123456789abcdef";

pub struct App {
    pub worker: FakeWorker,
    pub settings: Settings,
    pub address: SocketAddr,
    client: Client,
    stop: Option<oneshot::Sender<()>>,
    server: Option<JoinHandle<()>>,
    files: TempDir,
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {}", self.text))
    }

    /// The `code` of a problem, after a look at whether it is one.
    pub fn code(&self) -> String {
        let problem = self.json();
        assert_eq!(self.headers[CONTENT_TYPE], "application/problem+json", "{problem}");
        assert_eq!(problem["status"], self.status.as_u16(), "{problem}");
        assert_eq!(problem["request_id"], self.headers["x-request-id"].to_str().unwrap());
        problem["code"].as_str().unwrap().to_owned()
    }
}

/// Settings of a test, with those of `more` added or in place of them.
pub fn settings(more: &[(&str, &str)]) -> Result<Settings, ::settings::Refused> {
    let mut values = HashMap::from([
        ("PORT", "0"),
        ("SECRET_KEY", SECRET_KEY),
        ("INTERNAL_AUTH_TOKEN", TOKEN),
        ("ADMIN_USERNAME", "admin"),
        ("ADMIN_PASSWORD", PASSWORD),
    ]);
    values.extend(more.iter().copied());
    Settings::from_lookup(|name| values.get(name).map(|value| (*value).to_owned()))
}

impl App {
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    pub async fn start_with(more: &[(&str, &str)]) -> Self {
        log::start();
        let worker = FakeWorker::start();
        let files = TempDir::new().unwrap();
        let database = format!("sqlite:{}", files.path().join("test.db").display());
        let url = worker.url();
        let mut values = vec![("DATABASE_URL", &*database), ("EXECUTION_SERVICE_URL", &*url)];
        values.extend(more);
        let settings = settings(&values).unwrap();
        ensure_admin(&settings).await.unwrap();
        let mut app = Self {
            worker,
            settings,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            client: Client::new(),
            stop: None,
            server: None,
            files,
        };
        app.boot().await;
        app
    }

    /// Starts the gateway, and waits until it has seen the worker.
    pub async fn boot(&mut self) {
        let application = Application::build(self.settings.clone()).await.unwrap();
        self.address = application.address();
        let (stop, stopped) = oneshot::channel::<()>();
        self.server = Some(tokio::spawn(async move {
            let shutdown = async {
                let _ = stopped.await;
            };
            application.run_until_stopped(shutdown).await.unwrap();
        }));
        self.stop = Some(stop);
        self.until_ready().await;
    }

    pub async fn until_ready(&self) {
        eventually(async || {
            let ready = self.get("/readyz", "").await.status;
            (ready == StatusCode::OK).then_some(())
        })
        .await;
    }

    /// Ends the gateway in order.
    pub async fn stop(&mut self) {
        drop(self.stop.take());
        self.server.take().unwrap().await.unwrap();
    }

    pub fn file(&self, name: &str) -> std::path::PathBuf {
        self.files.path().join(name)
    }

    pub async fn admin(&self) -> String {
        operator_token(&self.settings).await.unwrap()
    }

    /// A new user's access token.
    pub async fn user(&self, name: &str) -> String {
        let body = json!({"username": name, "password": PASSWORD});
        let made = self.post("/v1/users", &self.admin().await, body).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
        self.sign_in(name).await["access_token"].as_str().unwrap().to_owned()
    }

    pub async fn sign_in(&self, name: &str) -> Value {
        let body = json!({"username": name, "password": PASSWORD});
        let answer = self.post("/v1/auth/token", "", body).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        answer.json()
    }

    pub async fn get(&self, path: &str, token: &str) -> Answer {
        self.send(Method::GET, path, token, &[], None).await
    }

    pub async fn delete(&self, path: &str, token: &str) -> Answer {
        self.send(Method::DELETE, path, token, &[], None).await
    }

    pub async fn post(&self, path: &str, token: &str, body: Value) -> Answer {
        self.send(Method::POST, path, token, &[], Some(body.to_string())).await
    }

    pub async fn run(&self, token: &str, code: &str) -> Answer {
        let body = json!({"code": code, "language": "python"});
        self.post("/v1/code_interpreter/run", token, body).await
    }

    /// Any request; an empty token sends none, a body is JSON unless a header says otherwise.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        token: &str,
        headers: &[(&str, &str)],
        body: Option<String>,
    ) -> Answer {
        let url = format!("http://{}{path}", self.address);
        let mut request = self.client.request(method, url);
        if !token.is_empty() {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
                request = request.header(CONTENT_TYPE, "application/json");
            }
            request = request.body(body);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        Answer { status, headers, text: response.text().await.unwrap() }
    }
}
