//! Callers who take their time. Others are served meanwhile, and the slow are shown the door.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::json;

use crate::support::{App, NEVER, Raw};

const RUN: &str = "/v1/code_interpreter/run";
const EXECUTIONS: &str = "/v1/code_interpreter/executions";

/// Time limits that a test can wait for.
const SHORT: [(&str, &str); 3] =
    [("REQUEST_HEAD_TIMEOUT", "1"), ("REQUEST_BODY_TIMEOUT", "1"), ("KEEP_ALIVE_TIMEOUT", "1")];

fn head(token: &str, length: usize) -> String {
    format!(
        "POST {RUN} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    )
}

/// Sends `bytes` one at a time until the gateway has had enough, which must not last.
async fn dribble(raw: &mut Raw, bytes: &str) {
    let dribbling = async {
        for byte in bytes.bytes().cycle() {
            if !raw.send([byte]).await || raw.ends(Duration::from_millis(50)).await {
                return;
            }
        }
    };
    tokio::time::timeout(NEVER, dribbling).await.expect("it may dribble for ever");
}

#[tokio::test]
async fn a_connection_that_says_nothing_is_closed() {
    let app = App::start_with(&SHORT).await;
    assert!(Raw::connect(&app).await.ends(NEVER).await);
}

#[tokio::test]
async fn a_head_that_comes_byte_by_byte_is_cut_off() {
    let app = App::start_with(&SHORT).await;
    let mut raw = Raw::connect(&app).await;
    raw.send("GET /livez HTTP/1.1\r\nhost: x\r\nx-slow: ").await;
    dribble(&mut raw, "x").await;
}

#[tokio::test]
async fn a_second_head_on_a_connection_has_no_more_time_than_the_first() {
    let app = App::start_with(&SHORT).await;
    let mut raw = Raw::connect(&app).await;
    raw.send("GET /livez HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert_eq!(raw.answer().await.unwrap().status, 200);
    raw.send("GET /livez HTTP/1.1\r\nhost: x\r\nx-slow: ").await;
    dribble(&mut raw, "x").await;
}

#[tokio::test]
async fn a_body_that_comes_byte_by_byte_is_cut_off() {
    let app = App::start_with(&SHORT).await;
    let token = app.admin().await;
    let mut raw = Raw::connect(&app).await;
    raw.send(head(&token, 1 << 20)).await;
    dribble(&mut raw, " ").await;
    let mut chunked = Raw::connect(&app).await;
    let head = head(&token, 0).replace("content-length: 0", "transfer-encoding: chunked");
    chunked.send(head).await;
    dribble(&mut chunked, "1\r\n \r\n").await;
    assert!(app.worker.seen().executes.is_empty());
}

#[tokio::test]
async fn a_body_that_stops_is_answered_with_408() {
    let app = App::start_with(&SHORT).await;
    let mut raw = Raw::connect(&app).await;
    raw.send(head(&app.admin().await, 100)).await;
    raw.send("{\"code\"").await;
    let answer = raw.answer().await.unwrap();
    assert_eq!(answer.status, 408, "{answer:?}");
    assert!(answer.body.contains("body_too_slow"), "{answer:?}");
    assert!(raw.ends(NEVER).await, "what follows could be taken for another request");
}

#[tokio::test]
async fn others_are_served_while_hundreds_dribble() {
    let app = App::start().await;
    let token = app.admin().await;
    let mut slow = Vec::new();
    for number in 0..300 {
        let mut raw = Raw::connect(&app).await;
        match number % 3 {
            0 => {}
            1 => assert!(raw.send("POST /v1/code_interpreter/run HT").await),
            _ => assert!(raw.send(head(&token, 1000)).await && raw.send("{").await),
        }
        slow.push(raw);
    }
    for _ in 0..20 {
        assert_eq!(app.run(&token, "say hi").await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn large_bodies_of_one_user_leave_room_for_others() {
    let limits = [("MAX_BODY_BYTES", "1048576"), ("MAX_BUFFERED_BYTES", "4194304")];
    let app = App::start_with(&limits).await;
    let (greedy, other) = (app.user("greedy").await, app.user("other").await);
    let mut held = Vec::new();
    for _ in 0..8 {
        let mut raw = Raw::connect(&app).await;
        raw.send(head(&greedy, 1 << 20)).await;
        raw.send(vec![b' '; (1 << 20) - 1]).await;
        held.push(raw);
    }
    // Those beyond the user's half are told so at once, whichever they are.
    let mut refused = 0;
    for raw in &mut held {
        let answer = tokio::time::timeout(Duration::from_secs(2), raw.answer()).await;
        if let Ok(Some(answer)) = answer {
            assert_eq!(answer.status, 503, "{answer:?}");
            assert!(answer.head.contains("retry-after"), "{answer:?}");
            refused += 1;
        }
    }
    assert!(refused >= 6, "two have room, {refused} were refused");
    let large = json!({"language": "python", "code": "say hi", "stdin": "x".repeat(900_000)});
    assert_eq!(app.post(RUN, &other, large.clone()).await.status, StatusCode::OK);
    assert_eq!(app.run(&greedy, "say hi").await.status, StatusCode::OK, "small bodies have room");
    drop(held);
    crate::support::eventually(async || {
        let status = app.post(RUN, &greedy, large.clone()).await.status;
        (status == StatusCode::OK).then_some(())
    })
    .await;
}

/// Long answers that nobody reads are counted, and their user gets no more of them until they are gone.
#[tokio::test]
async fn who_does_not_read_long_answers_gets_no_more_and_others_do() {
    let room = [("MAX_BODY_BYTES", "1048576"), ("MAX_BUFFERED_BYTES", "16777216")];
    let app = App::start_with(&room).await;
    let (slow, other) = (app.user("slow").await, app.user("other").await);
    let body = json!({"code": "long", "language": "python"}).to_string();
    let done = app.run(&slow, "say hi").await.json()["execution_id"].as_str().unwrap().to_owned();
    let mut held = Vec::new();
    let refused = 'refused: {
        for _ in 0..40 {
            let mut raw = Raw::connect(&app).await;
            raw.send(format!("{}{body}", head(&slow, body.len()))).await;
            held.push(raw);
            tokio::time::sleep(Duration::from_millis(100)).await;
            let answer = app.run(&slow, "say hi").await;
            if answer.status != StatusCode::OK {
                break 'refused answer;
            }
        }
        panic!("40 long answers are held for one user");
    };
    assert_eq!((refused.status.as_u16(), &*refused.code()), (503, "answers_full"));
    // Nor those of runs that have ended.
    let paths = ["", "/output/stdout"].map(|part| format!("{EXECUTIONS}/{done}{part}"));
    for path in &paths {
        assert_eq!(app.get(path, &slow).await.code(), "answers_full", "{path}");
    }
    assert_eq!(app.run(&other, "say hi").await.status, StatusCode::OK);
    drop(held);
    let served = async {
        while app.run(&slow, "say hi").await.status != StatusCode::OK {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(NEVER, served).await.expect("the room is given back");
    for path in &paths {
        assert_eq!(app.get(path, &slow).await.status, StatusCode::OK, "{path}");
    }
}
