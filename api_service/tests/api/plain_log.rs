//! Whatever callers send, the log holds it without effect: one record is one line, and nothing in it
//! is obeyed by a terminal.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Stdio;
use std::time::Duration;

use api_service::http::rest;
use serde_json::{Value, json};

use crate::support::{FakeWorker, Gateway};

/// Clears the screen, sets the title, and forges a record, by the controls of ASCII and by those of
/// ISO 6429's second set.
const HOSTILE: &str =
    "\x1b[2J\x1b]0;owned\x07\u{9b}31m\0\r\n2026-01-01T00:00:00Z  INFO forged\u{202e}";

/// Sends bytes that no client library would, and takes whatever comes.
fn send(address: &str, request: &[u8]) {
    let mut connection = TcpStream::connect(address).unwrap();
    connection.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    // A request that is refused half-way breaks the connection.
    let _ = connection.write_all(request);
    let _ = connection.read_to_end(&mut Vec::new());
}

/// The bytes of a request with hostile text wherever there is room for some.
fn requests(token: &str) -> Vec<Vec<u8>> {
    let encoded: String = HOSTILE.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let body = json!({
        "code": format!("say {HOSTILE}"), "language": HOSTILE, "username": HOSTILE, "name": HOSTILE,
        "password": HOSTILE, "refresh_token": HOSTILE, HOSTILE: HOSTILE,
    });
    let body = body.to_string();
    let spoiled = HOSTILE.replace('\0', "");
    let run = json!({
        "code": format!("spoil {spoiled}"), "language": "python", "args": [spoiled],
        "env": {"A": spoiled},
    });
    let request = |start: &str, headers: &[u8], body: &str| {
        let length = body.len();
        let mut bytes = format!(
            "{start} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n\
             content-type: application/json\r\nauthorization: Bearer {token}\r\n"
        )
        .into_bytes();
        bytes.extend_from_slice(headers);
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(body.as_bytes());
        bytes
    };
    // In a header everything is allowed but NUL and line ends.
    let field: Vec<u8> = HOSTILE.bytes().filter(|byte| !b"\0\r\n".contains(byte)).collect();
    let named = ["user-agent", "x-request-id", "idempotency-key", "range", "origin", "accept"];
    let headers: Vec<u8> =
        named.iter().flat_map(|name| [name.as_bytes(), b": ", &field, b"\r\n"].concat()).collect();
    let mut all = Vec::new();
    for row in rest::public().iter().chain(&rest::protected()) {
        let path = row.path.replace("{id}", &encoded).replace("{stream}", &encoded);
        all.push(request(
            &format!("{} {path}?cursor={encoded}&limit={encoded}", row.method),
            &headers,
            &body,
        ));
    }
    all.push(request("POST /v1/code_interpreter/run", b"", &run.to_string()));
    all.push(request(&format!("GET /{encoded}"), &headers, ""));
    all.push(request("BR\x1b[31mEW /", b"", ""));
    all.push(request(&format!("GET /{HOSTILE}"), b"", ""));
    all.push([b"GET / HTTP/1.1\r\nx\x1b[2J: ".as_slice(), &field, b"\r\n\r\n"].concat());
    all.push(HOSTILE.as_bytes().to_vec());
    all
}

#[tokio::test]
async fn nothing_that_callers_send_has_an_effect_in_the_log() {
    for format in ["json", "pretty"] {
        let worker = FakeWorker::start();
        let files = tempfile::TempDir::new().unwrap();
        let log = Stdio::from(File::create(files.path().join("log")).unwrap());
        let variables = [("LOG_FORMAT", format), ("LOG_LEVEL", "trace")];
        let gateway = Gateway::start(files.path(), &worker, &variables, log).await;
        let token = gateway.admin().await;
        let requests = requests(&token);
        let count = requests.len();
        let gateway = tokio::task::spawn_blocking(move || {
            requests.iter().for_each(|request| send(&gateway.address, request));
            gateway
        })
        .await
        .unwrap();
        drop(gateway);

        let log = fs::read_to_string(files.path().join("log")).expect("UTF-8");
        assert!(log.lines().count() > count && log.contains("spoil"), "{log}");
        let effect = |c: &char| c.is_control() && *c != '\n' || *c == '\u{202e}';
        let wrong = log.lines().find(|line| line.chars().any(|c| effect(&c)));
        assert_eq!(wrong, None);
        let forged = log.lines().find(|line| line.starts_with("2026-01-01T00:00:00Z"));
        assert_eq!(forged, None);
        if format == "json" {
            for line in log.lines() {
                assert!(serde_json::from_str::<Value>(line).is_ok(), "{line}");
            }
        }
    }
}
