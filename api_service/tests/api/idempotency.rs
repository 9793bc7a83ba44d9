//! The same key, the same answer.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::{Answer, App, eventually};

const RUN: &str = "/v1/code_interpreter/run";

async fn post(app: &App, path: &str, token: &str, key: &str, body: &str) -> Answer {
    let headers = [("idempotency-key", key)];
    app.send(Method::POST, path, token, &headers, Some(body.to_owned())).await
}

async fn run(app: &App, token: &str, key: &str, code: &str) -> Answer {
    let body = json!({"code": code, "language": "python"}).to_string();
    post(app, RUN, token, key, &body).await
}

#[tokio::test]
async fn a_repeated_request_gets_the_first_answer() {
    let app = App::start().await;
    let token = app.user("eve").await;
    // Its answer is sealed and opened aside, and sent in pieces.
    let long = json!({"code": format!("say {}", "ä\u{1b}".repeat(100_000)), "language": "python"});
    let long = long.to_string();
    let cases = [
        (RUN, r#"{"code": "say hi", "language": "python"}"#),
        ("/v1/code_interpreter/sessions", r#"{"language": "python"}"#),
        ("/v1/api_keys", r#"{"name": "ci"}"#),
    ];
    for (path, body) in cases {
        let first = post(&app, path, &token, "k1", body).await;
        let second = post(&app, path, &token, "k1", body).await;
        assert!(first.status.is_success(), "{}", first.text);
        assert_eq!((first.status, &first.text), (second.status, &second.text));
        assert!(!first.headers.contains_key("idempotent-replayed"));
        assert_eq!(second.headers["idempotent-replayed"], "true");
    }
    let first = post(&app, RUN, &token, "long", &long).await;
    let second = post(&app, RUN, &token, "long", &long).await;
    assert!(first.json()["stdout"].as_str().is_some_and(|text| text.len() == 300_000));
    assert!(first.text == second.text && second.headers["idempotent-replayed"] == "true");
    assert_eq!(app.worker.seen().executes.len(), 2);
    let other_user = app.user("mallory").await;
    let other = run(&app, &other_user, "k1", "say hi").await;
    assert!(!other.headers.contains_key("idempotent-replayed"), "a key is its user's own");
}

/// Whole, a hundred of them would be gigabytes of a database that nobody asks for.
#[tokio::test]
async fn of_a_very_long_answer_a_retry_gets_what_the_history_has() {
    let app = App::start().await;
    let token = app.user("eve").await;
    let first = run(&app, &token, "k", "long").await;
    assert!(first.text.len() > 12 << 20, "{}", first.text.len());
    let second = run(&app, &token, "k", "long").await;
    assert_eq!(second.status, StatusCode::OK);
    assert_eq!(second.headers["idempotent-replayed"], "true");
    let (first, second) = (first.json(), second.json());
    assert_eq!(first["execution_id"], second["execution_id"]);
    assert_eq!(second["truncated"]["results"], true, "it says what it has not");
    assert_eq!(app.worker.seen().executes.len(), 1, "it ran once");
    let bytes = |name: &str| std::fs::metadata(app.file(name)).map_or(0, |file| file.len());
    assert!(bytes("test.db") + bytes("test.db-wal") < 4 << 20);
}

#[tokio::test]
async fn a_key_is_for_one_body() {
    let app = App::start().await;
    let token = app.admin().await;
    run(&app, &token, "k", "say 1").await;
    assert_eq!(run(&app, &token, "k", "say 2").await.code(), "idempotency_key_reused");
    let bad = run(&app, &token, "has spaces", "say 1").await;
    assert_eq!(bad.json()["errors"][0]["loc"], "Idempotency-Key");
}

#[tokio::test]
async fn a_request_that_had_no_effect_frees_its_key() {
    let app = App::start().await;
    let token = app.admin().await;
    for _ in 0..2 {
        assert_eq!(run(&app, &token, "k", "full").await.code(), "worker_full");
    }
    assert_eq!(app.worker.seen().executes.len(), 2, "it was tried again");
}

#[tokio::test]
async fn while_the_first_runs_the_second_is_told_to_wait() {
    let app = App::start().await;
    let token = app.admin().await;
    let second = async {
        eventually(async || app.worker.seen().executes.first().map(|_| ())).await;
        let second = run(&app, &token, "k", "hang").await;
        let page = app.get("/v1/code_interpreter/executions", &token).await.json();
        let id = page["data"][0]["execution_id"].as_str().unwrap();
        let path = format!("/v1/code_interpreter/executions/{id}/cancel");
        app.post(&path, &token, json!({})).await;
        second
    };
    let (first, second) = tokio::join!(run(&app, &token, "k", "hang"), second);
    assert_eq!(second.code(), "idempotency_in_progress");
    assert!(second.headers.contains_key("retry-after"));
    assert_eq!(run(&app, &token, "k", "hang").await.text, first.text);
}

#[tokio::test]
async fn a_request_that_was_cut_off_is_unknown() {
    let app = App::start().await;
    let token = app.admin().await;
    assert_eq!(run(&app, &token, "died", "die").await.code(), "execution_unknown");
    assert_eq!(run(&app, &token, "died", "die").await.code(), "idempotency_unknown");
    let again = run(&app, &token, "died", "die").await.json();
    let began = app.worker.seen().executes[0].execution_id.clone();
    assert!(again["detail"].as_str().unwrap().contains(&began), "{again}");
}

#[tokio::test]
async fn a_retry_whose_first_caller_left_is_attached_to_the_run() {
    let app = App::start().await;
    let token = app.admin().await;
    let first = run(&app, &token, "left", "hang");
    assert!(tokio::time::timeout(Duration::from_millis(500), first).await.is_err());
    let path = "/v1/code_interpreter/executions";
    let page = app.get(path, &token).await.json();
    assert_eq!(page["data"][0]["status"], "running", "it goes on");
    let cancelling = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let id = page["data"][0]["execution_id"].as_str().unwrap();
        app.post(&format!("{path}/{id}/cancel"), &token, json!({})).await
    };
    let retry = async {
        eventually(async || {
            let retry = run(&app, &token, "left", "hang").await;
            (retry.status == StatusCode::OK).then_some(retry)
        })
        .await
    };
    let (retry, _) = tokio::join!(retry, cancelling);
    let answer = retry.json();
    assert_eq!(answer["execution_id"], page["data"][0]["execution_id"]);
    assert_eq!((&answer["stdout"], &answer["status"]), (&json!("begun\n"), &json!("cancelled")));
    assert_eq!(retry.headers["idempotent-replayed"], "true");
    assert_eq!(run(&app, &token, "left", "hang").await.text, retry.text, "and so for ever");
    assert_eq!(app.worker.seen().executes.len(), 1, "it ran once");
}

#[tokio::test]
async fn answers_outlive_a_restart_and_are_sealed() {
    let mut app = App::start().await;
    let token = app.admin().await;
    let first = post(&app, "/v1/api_keys", &token, "k", r#"{"name": "ci"}"#).await;
    app.stop().await;
    app.boot().await;
    let second = post(&app, "/v1/api_keys", &token, "k", r#"{"name": "ci"}"#).await;
    assert_eq!(first.text, second.text);
    app.stop().await;
    let secret = first.json()["key"].as_str().unwrap().to_owned();
    let database = std::fs::read(app.file("test.db")).unwrap();
    let kept = database.windows(secret.len()).any(|bytes| bytes == secret.as_bytes());
    assert!(!kept, "the secret of an API key is in the database");
}

#[tokio::test]
async fn an_answer_is_not_given_again_to_a_credential_that_may_not_have_it() {
    let app = App::start().await;
    let admin = app.admin().await;
    let narrow = json!({"name": "narrow", "scopes": ["keys"]});
    let narrow = app.post("/v1/api_keys", &admin, narrow).await.json()["key"].clone();
    let wide = json!({"name": "wide", "scopes": ["admin", "run"]}).to_string();
    let ask = async |token: &str| {
        let header = [("idempotency-key", "make-a-key")];
        app.send(Method::POST, "/v1/api_keys", token, &header, Some(wide.clone())).await
    };
    let made = ask(&admin).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    let again = ask(narrow.as_str().unwrap()).await;
    assert_eq!((again.status, &*again.code()), (StatusCode::FORBIDDEN, "scope_missing"));
    assert_eq!(ask(&admin).await.json(), made.json(), "its maker gets it");
}

#[tokio::test]
async fn of_two_keys_neither_counts() {
    let app = App::start().await;
    let keys = [("idempotency-key", "one"), ("idempotency-key", "other")];
    let body = json!({"code": "say hi", "language": "python"}).to_string();
    let path = "/v1/code_interpreter/run";
    let answer = app.send(Method::POST, path, &app.admin().await, &keys, Some(body)).await;
    assert_eq!(answer.json()["errors"][0]["loc"], "Idempotency-Key", "{}", answer.text);
    assert!(app.worker.seen().executes.is_empty());
}
