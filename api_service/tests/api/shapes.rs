//! Requests that two readers of HTTP understand differently, or that no reader should understand.

use std::time::Duration;

use crate::support::{App, Raw};

const SILENCE: Duration = Duration::from_millis(300);

/// Statuses of all answers to `bytes` on one connection.
async fn statuses(app: &App, bytes: &str) -> Vec<u16> {
    let mut raw = Raw::connect(app).await;
    raw.send(bytes).await;
    raw.answers(SILENCE).await.iter().map(|answer| answer.status).collect()
}

/// `hidden` is a request of its own for whoever reads the length of the body differently.
fn smuggled(headers: &str) -> String {
    let hidden = "GET /livez HTTP/1.1\r\nhost: x\r\n\r\n";
    format!("POST /v1/auth/logout HTTP/1.1\r\nhost: x\r\n{headers}\r\n\r\n0\r\n\r\n{hidden}")
}

#[tokio::test]
async fn a_request_with_two_lengths_is_refused_and_ends_the_connection() {
    let app = App::start().await;
    for headers in [
        "content-length: 5\r\ntransfer-encoding: chunked",
        "transfer-encoding: chunked\r\ncontent-length: 5",
        "content-length: 5\r\ncontent-length: 6",
        "content-length: 5, 6",
        "content-length: +5",
        "content-length: -5",
        "content-length: 0x5",
        "content-length: 5 5",
        "content-length: 99999999999999999999999",
        "content-length :5",
        "transfer-encoding : chunked",
        "transfer-encoding: xchunked",
        "transfer-encoding: chunked, identity",
        "transfer-encoding: chunked\r\ntransfer-encoding: chunked",
        "transfer-encoding: chunked\r\ntransfer-encoding: identity",
        "x-folded: a\r\n transfer-encoding: chunked",
        "x: a\rb",
        "x: a\0b",
    ] {
        let answered = statuses(&app, &smuggled(headers)).await;
        assert!(matches!(answered[..], [400] | []), "{headers:?}: {answered:?}");
    }
}

#[tokio::test]
async fn chunks_that_lie_about_their_size_are_refused() {
    let app = App::start().await;
    for body in [
        "5\r\nabc\r\n0\r\n\r\nGET /livez HTTP/1.1\r\nhost: x\r\n\r\n",
        "ffffffffffffffff\r\nabc",
        "10000000000000000\r\nabc",
        "-1\r\nabc",
        "0x5\r\nabcde\r\n0\r\n\r\n",
        " 5\r\nabcde\r\n0\r\n\r\n",
        "5\nabcde\n0\n\nGET /livez HTTP/1.1\nhost: x\n\n",
        "zz\r\n",
    ] {
        let head = "POST /v1/auth/logout HTTP/1.1\r\nhost: x\r\n\
                    content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
        let answered = statuses(&app, &format!("{head}{body}")).await;
        assert!(matches!(answered[..], [400 | 413] | []), "{body:?}: {answered:?}");
    }
}

#[tokio::test]
async fn the_body_of_a_refused_request_is_never_taken_for_a_request() {
    let app = App::start().await;
    let hidden = "GET /livez HTTP/1.1\r\nhost: x\r\n\r\n";
    for (path, content_type) in [
        ("/v1/code_interpreter/run", "application/json"),
        ("/v1/auth/token", "text/plain"),
        ("/nowhere", "application/json"),
        ("/livez", "application/json"),
    ] {
        for length in [hidden.len(), 100_000] {
            let request = format!(
                "POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: {content_type}\r\n\
                 content-length: {length}\r\n\r\n{hidden}"
            );
            let answered = statuses(&app, &request).await;
            let refused = [401, 404, 405, 413, 415];
            assert!(
                matches!(answered[..], [status] if refused.contains(&status)),
                "{path} {length}: {answered:?}"
            );
        }
    }
}

#[tokio::test]
async fn requests_in_a_row_are_answered_in_a_row() {
    let app = App::start().await;
    let one = "GET /livez HTTP/1.1\r\nhost: x\r\n\r\n";
    let other = "GET /nowhere HTTP/1.1\r\nhost: x\r\n\r\n";
    let row = [one, other].repeat(20).concat();
    assert_eq!(statuses(&app, &row).await, [200, 404].repeat(20));
}

#[tokio::test]
async fn old_and_unknown_versions_of_http_change_nothing() {
    let app = App::start().await;
    assert_eq!(statuses(&app, "GET /livez HTTP/1.0\r\n\r\n").await, [200]);
    assert_eq!(statuses(&app, "GET /v1/users/me HTTP/1.0\r\n\r\n").await, [401]);
    for line in ["GET /livez", "GET /livez HTTP/0.9", "GET /livez HTTP/2.0", "GET /livez HTTP/9.9"]
    {
        let answered = statuses(&app, &format!("{line}\r\nhost: x\r\n\r\n")).await;
        assert!(matches!(answered[..], [400 | 505] | []), "{line}: {answered:?}");
    }
    let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    assert!(matches!(statuses(&app, preface).await[..], [400] | []));
}

#[tokio::test]
async fn whose_name_is_in_the_host_header_is_of_no_matter() {
    let app = App::start().await;
    for host in ["evil.example", "", "x:99999", "a b", "169.254.169.254", "x\r\nhost: y"] {
        let request = format!("GET /docs HTTP/1.1\r\nhost: {host}\r\n\r\n");
        let mut raw = Raw::connect(&app).await;
        raw.send(request).await;
        let Some(answer) = raw.answer().await else { continue };
        assert!(matches!(answer.status, 307 | 400), "{host}: {answer:?}");
        assert!(!answer.head.contains("evil.example"), "{host}: {answer:?}");
    }
    for target in ["http://evil.example/v1/users/me", "//evil.example/v1/users/me", "*", "x:1"] {
        let request = format!("GET {target} HTTP/1.1\r\nhost: x\r\n\r\n");
        let answered = statuses(&app, &request).await;
        assert!(matches!(answered[..], [400 | 401 | 404] | []), "{target}: {answered:?}");
    }
    let answered = statuses(&app, "CONNECT evil.example:80 HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(matches!(answered[..], [400..=499] | []), "{answered:?}");
}

#[tokio::test]
async fn a_caller_cannot_write_into_the_head_of_an_answer() {
    let app = App::start().await;
    for path in ["/livez?x=%0d%0aset-cookie:%20a=b", "/%0d%0aset-cookie:%20a=b", "/v1/%0d%0a"] {
        let mut raw = Raw::connect(&app).await;
        raw.send(format!("GET {path} HTTP/1.1\r\nhost: x\r\nx-request-id: a\r\n\r\n")).await;
        let answer = raw.answer().await.unwrap();
        assert!(!answer.head.contains("set-cookie"), "{answer:?}");
    }
}
