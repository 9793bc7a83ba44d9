//! Answers that are posted when a detached run has ended.

use std::net::SocketAddr;

use aws_lc_rs::hmac;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::support::{App, NEVER, captured, eventually};

const RUN: &str = "/v1/code_interpreter/run";
const SECRET: &str = "nobody-else-knows-this-webhook-secret";

/// Takes requests and answers each with the next status.
struct Receiver(TcpListener);

impl Receiver {
    async fn open() -> (Self, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        (Self(listener), address)
    }

    /// Head and body of the next request, which is answered with `status`.
    async fn take(&self, status: &str) -> (String, Vec<u8>) {
        let (mut stream, _) = timeout(NEVER, self.0.accept()).await.unwrap().unwrap();
        let mut received = Vec::new();
        loop {
            let mut piece = [0; 4096];
            let count = stream.read(&mut piece).await.unwrap();
            received.extend_from_slice(&piece[..count]);
            let Some(end) = received.windows(4).position(|four| four == b"\r\n\r\n") else {
                continue;
            };
            let head = String::from_utf8(received[..end].to_vec()).unwrap().to_ascii_lowercase();
            let length: usize = field(&head, "content-length").parse().unwrap();
            if received.len() == end + 4 + length {
                let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
                stream.write_all(answer.as_bytes()).await.unwrap();
                return (head, received.split_off(end + 4));
            }
        }
    }
}

fn field<'a>(head: &'a str, name: &str) -> &'a str {
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    lines.into_iter().find(|(field, _)| *field == name).map(|(_, value)| value).expect(name)
}

fn detached(code: &str, url: &str, secret: Option<&str>) -> Value {
    json!({
        "code": code, "language": "python", "detached": true,
        "webhook": {"url": url, "secret": secret},
    })
}

#[tokio::test]
async fn an_answer_is_posted_signed_and_again_when_it_is_not_taken() {
    let (receiver, address) = Receiver::open().await;
    let app = App::start_with(&[("WEBHOOK_HOSTS", &address.to_string())]).await;
    let token = app.admin().await;
    let url = format!("http://{address}/in?key=1");
    let begun = app.post(RUN, &token, detached("say hi", &url, Some(SECRET))).await;
    assert_eq!(begun.status, StatusCode::ACCEPTED, "{}", begun.text);
    let (_, first) = receiver.take("503 Not Now").await;
    let (head, body) = receiver.take("204 Taken").await;
    assert_eq!(first, body, "the same again");
    assert!(head.starts_with("post /in?key=1 http/1.1"), "{head}");
    let answer: Value = serde_json::from_slice(&body).unwrap();
    let id = begun.json()["execution_id"].as_str().unwrap().to_owned();
    assert_eq!((&answer["stdout"], &answer["execution_id"]), (&json!("hi"), &json!(id)));
    assert_eq!(field(&head, "crucible-execution-id"), id);
    let timestamp = field(&head, "crucible-timestamp");
    let signed = [timestamp.as_bytes(), b".", &body].concat();
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let hex: String =
        hmac::sign(&key, &signed).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(field(&head, "crucible-signature"), format!("t={timestamp},v1={hex}"));
    eventually(async || captured().contains("a webhook was delivered").then_some(())).await;
    assert!(!captured().contains(SECRET));
    let bytes = std::fs::read(app.file("test.db")).unwrap();
    assert!(!bytes.windows(SECRET.len()).any(|bytes| bytes == SECRET.as_bytes()));
}

/// A run of which there is no answer has one all the same for whoever waits.
#[tokio::test]
async fn a_failure_of_ours_is_posted_as_a_problem() {
    let (receiver, address) = Receiver::open().await;
    let app = App::start_with(&[("WEBHOOK_HOSTS", &address.to_string())]).await;
    let token = app.admin().await;
    let begun = app.post(RUN, &token, detached("die", &format!("http://{address}"), None)).await;
    assert_eq!(begun.status, StatusCode::ACCEPTED, "{}", begun.text);
    let (head, body) = receiver.take("302 Elsewhere\r\nlocation: http://127.0.0.1:1/").await;
    assert!(!head.contains("crucible-signature"), "without a secret there is none");
    let told: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(told["problem"]["code"], "execution_unknown");
    let host = address.to_string();
    eventually(async || {
        let log = captured();
        let given_up = |line: &str| line.contains("is given up") && line.contains(&host);
        log.lines().any(given_up).then_some(())
    })
    .await;
}

#[tokio::test]
async fn only_hosts_that_the_operator_names_are_posted_to() {
    let (receiver, address) = Receiver::open().await;
    let by_name = format!("localhost:{}", address.port());
    let app = App::start_with(&[("WEBHOOK_HOSTS", &by_name)]).await;
    let token = app.admin().await;
    let ask = async |url: &str| app.post(RUN, &token, detached("say hi", url, None)).await;
    for other in [format!("http://{address}/"), "https://example.org/".to_owned()] {
        let refused = ask(&other).await;
        assert_eq!((refused.status, &*refused.code()), (StatusCode::FORBIDDEN, "webhook_refused"));
        assert!(refused.json()["detail"].as_str().unwrap().contains("WEBHOOK_HOSTS"));
    }
    for (webhook, loc) in [
        (json!({"url": "ftp://localhost/"}), "webhook.url"),
        (json!({"url": "http://localhost/", "secret": ""}), "webhook.secret"),
        (json!({"url": "http://localhost/", "more": 1}), "webhook.more"),
    ] {
        let body =
            json!({"code": "say hi", "language": "python", "detached": true, "webhook": webhook});
        assert_eq!(app.post(RUN, &token, body).await.json()["errors"][0]["loc"], loc);
    }
    let waiting = json!({"code": "say hi", "language": "python", "webhook": {"url": "http://x/"}});
    assert_eq!(app.post(RUN, &token, waiting).await.json()["errors"][0]["loc"], "webhook");
    // Its name is allowed, and leads to this machine: its address is not.
    assert_eq!(ask(&format!("http://{by_name}/")).await.status, StatusCode::ACCEPTED);
    eventually(async || {
        let log = captured();
        let given_up = |line: &str| line.contains("is given up") && line.contains(&by_name);
        log.lines().any(given_up).then_some(())
    })
    .await;
    let nobody = timeout(std::time::Duration::from_millis(50), receiver.0.accept()).await;
    assert!(nobody.is_err(), "it was not dialled");
}
