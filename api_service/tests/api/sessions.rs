//! Sessions: one owner, the worker's word, honest ends.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{Answer, App};

const SESSIONS: &str = "/v1/code_interpreter/sessions";

async fn create(app: &App, token: &str) -> String {
    let made = app.post(SESSIONS, token, json!({"language": "python", "metadata": {"a": 1}})).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    made.json()["session_id"].as_str().unwrap().to_owned()
}

async fn run_in(app: &App, token: &str, session: &str, code: &str) -> Answer {
    let body = json!({"code": code, "language": "python", "session_id": session});
    app.post("/v1/code_interpreter/run", token, body).await
}

#[tokio::test]
async fn a_session_is_made_used_and_ended() {
    let app = App::start().await;
    let token = app.user("eve").await;
    let id = create(&app, &token).await;
    let shown = app.get(&format!("{SESSIONS}/{id}"), &token).await.json();
    assert_eq!((&shown["status"], &shown["metadata"]), (&json!("active"), &json!({"a": 1})));
    assert_eq!(shown["expires_at"], "2096-10-02T07:06:40Z", "the worker's own time");

    let run = run_in(&app, &token, &id, "say hi").await.json();
    assert_eq!((&run["session_id"], &run["stdout"]), (&json!(id), &json!("hi")));

    let ended = app.delete(&format!("{SESSIONS}/{id}"), &token).await;
    assert_eq!(ended.json(), json!({"success": true, "message": "Session ended"}));
    for answer in [
        app.delete(&format!("{SESSIONS}/{id}"), &token).await,
        app.get(&format!("{SESSIONS}/{id}"), &token).await,
        run_in(&app, &token, &id, "say hi").await,
    ] {
        assert_eq!((answer.status, &*answer.code()), (StatusCode::NOT_FOUND, "session_not_found"));
    }
}

#[tokio::test]
async fn sessions_are_listed_by_pages_and_only_to_their_owner() {
    let app = App::start().await;
    let (token, stranger) = (app.user("eve").await, app.user("mallory").await);
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(create(&app, &token).await);
    }
    let first = app.get(&format!("{SESSIONS}?limit=2"), &token).await.json();
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = app.get(&format!("{SESSIONS}?limit=2&cursor={cursor}"), &token).await.json();
    let listed: Vec<&Value> = [&first, &second]
        .into_iter()
        .flat_map(|page| page["data"].as_array().unwrap())
        .map(|session| &session["session_id"])
        .collect();
    ids.reverse();
    assert_eq!(listed, ids.iter().collect::<Vec<_>>());
    assert_eq!(second["next_cursor"], Value::Null);
    assert_eq!(app.get(SESSIONS, &stranger).await.json()["data"], json!([]));
    let run = run_in(&app, &stranger, &ids[0], "say hi").await;
    assert_eq!(run.code(), "session_not_found");
}

#[tokio::test]
async fn a_lost_session_is_gone_and_can_be_put_away() {
    let app = App::start().await;
    let token = app.admin().await;
    let (run_first, looked_at) = (create(&app, &token).await, create(&app, &token).await);
    app.worker.end_sessions();
    for _ in 0..2 {
        let run = run_in(&app, &token, &run_first, "say hi").await;
        assert_eq!((run.status, &*run.code()), (StatusCode::GONE, "session_lost"));
    }
    let shown = app.get(&format!("{SESSIONS}/{looked_at}"), &token).await.json();
    assert_eq!(shown["status"], "lost");
    let listed = app.get(SESSIONS, &token).await.json();
    assert!(listed["data"].as_array().unwrap().iter().all(|session| session["status"] == "lost"));

    let path = format!("{SESSIONS}/{looked_at}");
    assert_eq!(app.delete(&path, &token).await.json()["success"], true);
    assert_eq!(app.delete(&path, &token).await.code(), "session_not_found");
}

#[tokio::test]
async fn a_session_that_the_worker_forgot_after_its_time_has_expired() {
    let app = App::start().await;
    let token = app.admin().await;
    let made = app.post(SESSIONS, &token, json!({"language": "python", "ttl": 1})).await.json();
    let id = made["session_id"].as_str().unwrap();
    app.worker.end_sessions();
    for _ in 0..2 {
        let run = run_in(&app, &token, id, "say hi").await;
        assert_eq!((run.status, &*run.code()), (StatusCode::GONE, "session_expired"));
    }
    let shown = app.get(&format!("{SESSIONS}/{id}"), &token).await.json();
    assert_eq!(shown["status"], "expired");
}

#[tokio::test]
async fn the_workers_reasons_have_their_own_codes() {
    let app = App::start().await;
    let token = app.admin().await;
    let full = json!({"language": "python", "env": {"FULL": "1"}});
    let answer = app.post(SESSIONS, &token, full).await;
    assert_eq!((answer.status, &*answer.code()), (StatusCode::CONFLICT, "too_many_sessions"));
    assert_eq!(app.get(SESSIONS, &token).await.json()["data"], json!([]), "it left nothing");
}
