//! Secrets are in no log, in no file, on no command line and in no sandbox, at the most talkative
//! level there is, whatever callers do wrong.

use std::fs::File;
use std::path::{Path, PathBuf};

use reqwest::{Client, Method};
use rustix::process::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::crucible::Crucible;
use crate::processes::{descendants, signal};

/// In every secret that these tests choose, and in everything that is a user's business: `.ci/run`
/// looks for it in what the whole suite has printed.
const MARK: &str = "nobody-logs-this";
const SECRET_KEY: &str = "signing-nobody-logs-this-8c1d0e5f7a2b4963";
const INTERNAL: &str = "internal-nobody-logs-this-3f9a5c7e1b2d4860";
const PASSWORD: &str = "password nobody-logs-this 17";
/// What a user may find in the own history: kept by the database, and not logged either.
const TOLD: &str = "told-nobody-logs-this";

const RUN: &str = "/v1/code_interpreter/run";

/// A caller who makes mistakes.
struct Caller<'a> {
    crucible: &'a Crucible,
    client: Client,
}

impl Caller<'_> {
    async fn send(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Value {
        let mut request = self.client.post(format!("{}{path}", self.crucible.url()));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.body(body.to_owned()).send().await.expect("the gateway answers");
        answer.json().await.unwrap_or(Value::Null)
    }

    async fn json(&self, path: &str, body: Value) -> Value {
        self.send(path, &[("content-type", "application/json")], &body.to_string()).await
    }

    /// Everything that a credential can be: gives those that were good, none of which may be kept.
    async fn credentials(&self) -> Vec<String> {
        let good = json!({"username": "admin", "password": PASSWORD});
        let pair = self.json("/v1/auth/token", good).await;
        let refresh = json!({"refresh_token": pair["refresh_token"]});
        let next = self.json("/v1/auth/refresh", refresh.clone()).await;
        self.json("/v1/auth/refresh", refresh).await;
        let form = [("content-type", "application/x-www-form-urlencoded")];
        self.send("/v1/auth/token", &form, "username=admin&password=wrong-nobody-logs-this").await;
        self.send("/v1/auth/token", &form, "username=nobody-logs-this&password=%zz").await;
        self.send("/v1/auth/token", &form, "nobody-logs-this=1").await;
        let (status, key) =
            self.crucible.call(Method::POST, "/v1/api_keys", Some(json!({"name": "k"}))).await;
        assert_eq!(status, 201, "{key}");
        let key = key["key"].as_str().expect("it is told once").to_owned();
        let path = format!("/v1/api_keys/{key}?api_key={key}&token=nobody-logs-this");
        for headers in [
            [("x-api-key", &*key), ("cookie", "session=nobody-logs-this")],
            [("authorization", "Basic bm9ib2R5LWxvZ3MtdGhpcw=="), ("x-api-key", &key)],
            [("authorization", "Bearer nobody-logs-this"), ("referer", "nobody-logs-this")],
            [("x-api-key", "e2b_nobody-logs-this"), ("user-agent", "nobody-logs-this")],
            [
                ("x-request-id", "nobody logs this: nobody-logs-this"),
                ("origin", "nobody-logs-this"),
            ],
        ] {
            self.send(&path, &headers, "nobody-logs-this").await;
        }
        let mut secrets = vec![key];
        for token in ["access_token", "refresh_token"] {
            for pair in [&pair, &next] {
                secrets.push(pair[token].as_str().expect("both were good").to_owned());
            }
        }
        secrets
    }

    async fn mistakes(&self) {
        let bearer = format!("Bearer {}", self.crucible.token());
        let json = [("authorization", &*bearer), ("content-type", "application/json")];
        for body in [
            r#"{"code": "nobody-logs-this"#,
            r#"{"nobody-logs-this": 1, "nobody-logs-this": 2}"#,
            r#"{"language": "nobody-logs-this", "code": "nobody-logs-this", "env": {"a-nobody-logs-this": "x"}}"#,
            r#"{"language": "python", "code": "nobody-logs-this", "files": {"/nobody-logs-this": ""}}"#,
            r#"{"language": "python", "code": "1", "session_id": "ses_nobodylogsthis", "stdin": "nobody-logs-this"}"#,
            r#"{"language": "c", "code": "nobody-logs-this", "compiler_flags": ["-nobody-logs-this"]}"#,
        ] {
            self.send(RUN, &json, body).await;
        }
        let text = [("authorization", &*bearer), ("content-type", "text/nobody-logs-this")];
        self.send(RUN, &text, MARK).await;
    }

    async fn runs(&self) {
        let inside = "import os, sys, glob\n\
             # nobody-logs-this\n\
             hidden = 'nobody' + '-logs-this'\n\
             own = ('self', 'thread-self', str(os.getpid()))\n\
             mine = {k for k, v in os.environ.items() if hidden in v}\n\
             for path in glob.glob('/proc/[0-9]*/environ') + glob.glob('/proc/[0-9]*/cmdline'):\n\
             \x20   try: text = open(path, errors='replace').read()\n\
             \x20   except OSError: continue\n\
             \x20   if hidden in text and path.split('/')[2] not in own: print('found in', path)\n\
             print('seen by itself:', sorted(mine), len(sys.stdin.read()))";
        let body = json!({
            "language": "python", "code": inside, "stdin": MARK, "args": [MARK],
            "env": {"MINE": MARK}, "files": {"nobody-logs-this.txt": MARK},
        });
        let answer = self.crucible.run(body).await;
        let seen = format!("seen by itself: ['MINE'] {}\n", MARK.len());
        assert_eq!(answer["stdout"], seen, "{answer}");
        for (language, code) in [
            ("python", format!("raise ValueError('{TOLD}')")),
            ("python", format!("print('{TOLD}') or 1 +")),
            ("bash", format!("echo {TOLD} >&2; exit 3")),
            ("c", format!("int main(void) {{ return {}; }}", TOLD.replace('-', "_"))),
        ] {
            self.crucible.run(json!({"language": language, "code": code})).await;
        }
        let session =
            json!({"language": "python", "env": {"MINE": MARK}, "metadata": {"note": TOLD}});
        let path = "/v1/code_interpreter/sessions";
        let (status, session) = self.crucible.call(Method::POST, path, Some(session)).await;
        assert_eq!(status, 201, "{session}");
        let code = format!("x = '{MARK}'");
        let body = json!({"language": "python", "code": code, "session_id": session["session_id"]});
        self.crucible.run(body).await;
        let bearer = format!("Bearer {}", self.crucible.token());
        let once = [
            ("authorization", &*bearer),
            ("content-type", "application/json"),
            ("idempotency-key", TOLD),
        ];
        let body = json!({"language": "bash", "code": format!("echo {TOLD} # {MARK}")}).to_string();
        for _ in 0..2 {
            self.send(RUN, &once, &body).await;
        }
    }

    /// A run that the worker dies under, and one while there is none.
    async fn faults(&self) {
        let body = json!({"language": "bash", "code": format!("sleep 60 # {MARK}")});
        let run = self.crucible.call(Method::POST, RUN, Some(body.clone()));
        let killer = async {
            tokio::time::sleep(std::time::Duration::from_millis(500)).await;
            signal(self.crucible.service("worker"), Signal::KILL);
        };
        let ((status, answer), ()) = tokio::join!(run, killer);
        assert_eq!(status, 503, "{answer}");
        let short = json!({"language": "bash", "code": format!("true # {MARK}")});
        for _ in 0..3 {
            self.crucible.call(Method::POST, RUN, Some(short.clone())).await;
        }
    }
}

async fn nothing_leaks(format: &str) {
    let (data, logs) = (TempDir::new().expect("a directory"), TempDir::new().expect("a directory"));
    let log = logs.path().join("log");
    let variables = [
        ("LOG_LEVEL", "trace"),
        ("LOG_FORMAT", format),
        ("SECRET_KEY", SECRET_KEY),
        ("INTERNAL_AUTH_TOKEN", INTERNAL),
        ("ADMIN_PASSWORD", PASSWORD),
    ];
    let heard = File::create(&log).expect("a file");
    let mut crucible = Crucible::start_logging(data.path(), &variables, heard);
    let client = Client::builder().no_proxy().build().expect("a client");
    let caller = Caller { crucible: &crucible, client };
    let mut secrets = caller.credentials().await;
    caller.mistakes().await;
    caller.runs().await;
    let kept_by = processes_with_secrets(&crucible);
    caller.faults().await;
    drop(caller);

    let token = crucible.token().to_owned();
    let printed = crucible.printed().replace(&token, "");
    secrets.extend([token, PASSWORD.to_owned(), SECRET_KEY.to_owned(), INTERNAL.to_owned()]);
    for path in files_below(data.path()) {
        let content = std::fs::read(&path).unwrap_or_default();
        for secret in &secrets {
            assert!(!holds(&content, secret), "{} holds {secret}", path.display());
        }
        let content = String::from_utf8_lossy(&content).replace(TOLD, "");
        assert_eq!(around(&content, MARK), None, "{}", path.display());
    }
    assert_eq!(crucible.stop(), Some(0));

    let heard = std::fs::read_to_string(&log).expect("UTF-8");
    assert!(heard.contains("TRACE"), "it was talkative: {} bytes", heard.len());
    secrets.extend([MARK, &MARK.replace('-', "_"), "bm9ib2R5LWxvZ3MtdGhpcw"].map(String::from));
    for secret in &secrets {
        assert_eq!(around(&heard, secret), None, "the log holds it");
        assert_eq!(around(&printed, secret), None, "it is printed");
    }
    assert_eq!(kept_by, Vec::<String>::new());
}

/// Processes that show a secret to whoever may read `/proc`, other than those that were given it.
fn processes_with_secrets(crucible: &Crucible) -> Vec<String> {
    let services = [crucible.service("gateway"), crucible.service("worker")];
    let mut found = Vec::new();
    for process in descendants(crucible.pid()) {
        let read = |file| {
            let text = std::fs::read(format!("/proc/{process}/{file}")).unwrap_or_default();
            String::from_utf8_lossy(&text).replace('\0', " ")
        };
        let (line, environ) = (read("cmdline"), read("environ"));
        let given: &[&str] = match services.iter().position(|service| *service == process) {
            Some(0) => &[SECRET_KEY, INTERNAL],
            Some(_) => &[INTERNAL],
            None if line.contains(" worker") => &[INTERNAL],
            None => &[],
        };
        let rest = given.iter().fold(environ, |text, secret| text.replace(secret, ""));
        for text in [&line, &rest] {
            if let Some(found_here) = around(text, MARK) {
                found.push(format!("{line}: {found_here}"));
            }
        }
    }
    found
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    entries
        .flat_map(|entry| match entry.file_type() {
            Ok(kind) if kind.is_dir() => files_below(&entry.path()),
            Ok(kind) if kind.is_file() => vec![entry.path()],
            Ok(_) | Err(_) => Vec::new(),
        })
        .collect()
}

fn holds(content: &[u8], secret: &str) -> bool {
    content.windows(secret.len()).any(|window| window == secret.as_bytes())
}

/// The first place where `text` holds `secret`, with what is around it.
fn around(text: &str, secret: &str) -> Option<String> {
    let at = text.find(secret)?;
    let place = text[..at].chars().rev().take(200).collect::<Vec<_>>();
    Some(place.into_iter().rev().chain(text[at..].chars().take(80)).collect())
}

#[tokio::test]
async fn no_secret_is_kept_or_told_with_logs_as_json() {
    nothing_leaks("json").await;
}

#[tokio::test]
async fn no_secret_is_kept_or_told_with_logs_as_text() {
    nothing_leaks("pretty").await;
}

/// Settings that cannot be used are named without their values.
#[test]
fn a_start_that_fails_tells_no_secret() {
    for (name, value) in [
        ("DATABASE_URL", "postgres://crucible:nobody-logs-this@127.0.0.1:1/crucible"),
        ("DATABASE_URL", "postgres://crucible:nobody-logs-this@[bad/crucible"),
        ("DATABASE_URL", "mysql://crucible:nobody-logs-this@127.0.0.1/crucible"),
        ("SECRET_KEY", "nobody-logs-this"),
        ("INTERNAL_AUTH_TOKEN", "nobody-logs-this \u{fc} 0123456789abcdefghijklmnop"),
        ("EXECUTION_SERVICE_URL", "http://user:nobody-logs-this@127.0.0.1:1"),
        ("METRICS_ADDRESS", "nobody-logs-this"),
    ] {
        let data = TempDir::new().expect("a directory");
        let told = Crucible::fails(data.path(), &[(name, value), ("LOG_LEVEL", "trace")]);
        assert_eq!(around(&told, MARK), None, "{name}: {told}");
        assert!(!told.is_empty(), "{name}: it says why");
    }
}
