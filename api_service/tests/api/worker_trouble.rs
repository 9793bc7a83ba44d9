//! A worker that is full, down, lost, or broken.

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::{App, eventually};

const EXECUTIONS: &str = "/v1/code_interpreter/executions";
const SESSIONS: &str = "/v1/code_interpreter/sessions";

#[tokio::test]
async fn a_full_worker_is_503_and_leaves_no_record() {
    let app = App::start().await;
    let token = app.admin().await;
    let answer = app.run(&token, "full").await;
    assert_eq!((answer.status, &*answer.code()), (StatusCode::SERVICE_UNAVAILABLE, "worker_full"));
    assert_eq!(answer.headers["retry-after"], "7", "the worker's own word");
    assert_eq!(answer.json()["queue"], json!({"position": 5, "length": 64}));
    assert_eq!(app.get(EXECUTIONS, &token).await.json()["data"], json!([]));
}

#[tokio::test]
async fn a_user_with_too_many_runs_waiting_gets_429() {
    let app = App::start().await;
    let token = app.admin().await;
    let answer = app.run(&token, "owner full").await;
    let (status, code) = (answer.status, &*answer.code());
    assert_eq!((status, code), (StatusCode::TOO_MANY_REQUESTS, "too_many_runs_waiting"));
    assert_eq!(answer.headers["retry-after"], "7", "the worker's own word");
    assert_eq!(answer.json()["queue"], json!({"position": 5, "length": 64}));
    assert_eq!(app.get(EXECUTIONS, &token).await.json()["data"], json!([]));
}

#[tokio::test]
async fn what_the_worker_refuses_is_told() {
    let app = App::start().await;
    let answer = app.run(&app.admin().await, "refuse").await;
    assert_eq!((answer.status.as_u16(), &*answer.code()), (422, "validation_failed"));
    assert_eq!(answer.json()["detail"], "limits.memory_bytes: must be at most 1 GiB");
    let told = json!([{"loc": "limits.memory_bytes", "msg": "must be at most 1 GiB"}]);
    assert_eq!(answer.json()["errors"], told);
}

#[tokio::test]
async fn a_broken_worker_is_opaque() {
    let app = App::start().await;
    let answer = app.run(&app.admin().await, "break").await;
    assert_eq!((answer.status.as_u16(), &*answer.code()), (500, "internal"));
    assert!(!answer.text.contains("secret-of-the-worker"), "{}", answer.text);
}

#[tokio::test]
async fn a_worker_lost_in_the_middle_leaves_an_honest_unknown() {
    let app = App::start().await;
    let token = app.admin().await;
    let answer = app.run(&token, "die").await;
    assert_eq!((answer.status.as_u16(), &*answer.code()), (503, "execution_unknown"));
    let page = app.get(EXECUTIONS, &token).await.json();
    assert_eq!(page["data"][0]["status"], "unknown");
}

#[tokio::test]
async fn a_worker_that_is_stopped_in_the_middle_leaves_one_too_and_nothing_runs_twice() {
    let app = App::start().await;
    let token = app.admin().await;
    let body = json!({"code": "end", "language": "python"}).to_string();
    let key = [("idempotency-key", "stopped-once")];
    let path = "/v1/code_interpreter/run";
    let first = app.send(Method::POST, path, &token, &key, Some(body.clone())).await;
    assert_eq!((first.status.as_u16(), &*first.code()), (503, "execution_unknown"));
    let again = app.send(Method::POST, path, &token, &key, Some(body)).await;
    assert_eq!((again.status.as_u16(), &*again.code()), (409, "idempotency_unknown"));
    assert_eq!(app.worker.seen().executes.len(), 1);
}

#[tokio::test]
async fn the_gateway_recovers_by_itself_from_a_killed_worker() {
    let app = App::start().await;
    let token = app.admin().await;
    let made = app.post(SESSIONS, &token, json!({"language": "python"})).await.json();
    let session = made["session_id"].as_str().unwrap().to_owned();

    app.worker.kill();
    // Connections that are about to break could still take a call.
    eventually(async || {
        let ready = app.get("/readyz", "").await.status;
        (ready == StatusCode::SERVICE_UNAVAILABLE).then_some(())
    })
    .await;
    let in_session = json!({"code": "say hi", "language": "python", "session_id": session});
    for answer in [
        app.run(&token, "say hi").await,
        app.post("/v1/code_interpreter/run", &token, in_session.clone()).await,
        app.get(&format!("{SESSIONS}/{session}"), &token).await,
        app.get(SESSIONS, &token).await,
        app.post(SESSIONS, &token, json!({"language": "python"})).await,
    ] {
        assert_eq!((answer.status.as_u16(), &*answer.code()), (503, "worker_unavailable"));
        assert!(answer.headers.contains_key("retry-after"));
    }

    app.worker.revive().await;
    app.until_ready().await;
    assert_eq!(app.run(&token, "say back").await.json()["stdout"], "back");
    let lost = app.post("/v1/code_interpreter/run", &token, in_session).await;
    assert_eq!((lost.status, &*lost.code()), (StatusCode::GONE, "session_lost"));
}

#[tokio::test]
async fn a_worker_that_says_what_cannot_be_is_answered_for_all_the_same() {
    let app = App::start().await;
    let token = app.admin().await;
    let answer = app.run(&token, "extreme").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let id = answer.json()["execution_id"].as_str().unwrap().to_owned();
    let again = app.get(&format!("{EXECUTIONS}/{id}"), &token).await;
    assert_eq!(again.json()["status"], "killed", "{}", again.text);
    assert_eq!(app.get(EXECUTIONS, &token).await.json()["data"][0]["status"], "killed");
}

#[tokio::test]
async fn a_worker_that_never_stops_sending_results_is_cut_off() {
    let app = App::start().await;
    let token = app.admin().await;
    let answer = app.run(&token, "flood").await;
    assert_eq!((answer.status.as_u16(), &*answer.code()), (500, "internal"));
    assert_eq!(app.run(&token, "say hi").await.status, StatusCode::OK);
}
