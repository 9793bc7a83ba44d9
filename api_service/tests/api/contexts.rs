//! Contexts of sessions: made, listed, run in, interrupted, restarted, deleted.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Answer, App, eventually};

const SESSIONS: &str = "/v1/code_interpreter/sessions";
const RUN: &str = "/v1/code_interpreter/run";

async fn session(app: &App, token: &str, body: Value) -> String {
    let made = app.post(SESSIONS, token, body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    made.json()["session_id"].as_str().unwrap().to_owned()
}

async fn context(app: &App, token: &str, session: &str, body: Value) -> Answer {
    app.post(&format!("{SESSIONS}/{session}/contexts"), token, body).await
}

fn told(answer: &Answer) -> (u16, String) {
    (answer.status.as_u16(), answer.code())
}

#[tokio::test]
async fn a_context_is_made_listed_and_deleted() {
    let app = App::start().await;
    let token = app.user("eve").await;
    let id = session(&app, &token, json!({"language": "py"})).await;
    let made = context(&app, &token, &id, json!({"language": "sh", "cwd": "a/b/"})).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    let made = made.json();
    assert_eq!(
        (&made["language"], &made["state"], &made["cwd"]),
        (&json!("bash"), &json!("new"), &json!("a/b"))
    );
    let all = app.get(&format!("{SESSIONS}/{id}/contexts"), &token).await.json();
    let ids: Vec<&Value> =
        all["data"].as_array().unwrap().iter().map(|one| &one["context_id"]).collect();
    assert_eq!(ids, [&json!("ctx_defaultpython"), &made["context_id"]]);
    let shown = app.get(&format!("{SESSIONS}/{id}"), &token).await.json();
    assert_eq!(shown["contexts"], all["data"], "the session shows the same");

    let path = format!("{SESSIONS}/{id}/contexts/{}", made["context_id"].as_str().unwrap());
    assert_eq!(app.delete(&path, &token).await.status, StatusCode::NO_CONTENT);
    assert_eq!(told(&app.delete(&path, &token).await), (404, "context_not_found".into()));
}

#[tokio::test]
async fn a_run_takes_place_in_its_context_and_in_its_language() {
    let app = App::start().await;
    let token = app.user("eve").await;
    let id = session(&app, &token, json!({})).await;
    let made = context(&app, &token, &id, json!({"language": "bash"})).await.json();
    let run = async |body: Value| {
        let mut whole =
            json!({"code": "say hi", "session_id": id, "context_id": made["context_id"]});
        whole.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
        app.post(RUN, &token, whole).await
    };
    for language in [json!({}), json!({"language": "bash"}), json!({"language": "sh"})] {
        let answer = run(language).await.json();
        assert_eq!((&answer["language"], &answer["stdout"]), (&json!("bash"), &json!("hi")));
    }
    {
        let seen = app.worker.seen();
        let wanted = made["context_id"].as_str().unwrap();
        let in_it = |run: &proto::execution_v1::ExecuteRequest| {
            run.context_id == wanted && run.language == "bash"
        };
        assert!(seen.executes.iter().all(in_it), "{:?}", seen.executes);
    }
    let other = run(json!({"language": "python"})).await;
    assert_eq!(told(&other), (422, "language_mismatch".into()));
    for language in [json!(null), json!("bash")] {
        let missing = run(json!({"context_id": "ctx_0", "language": language})).await;
        assert_eq!(told(&missing), (404, "context_not_found".into()));
    }
    let executions = app.get("/v1/code_interpreter/executions", &token).await.json();
    assert_eq!(executions["data"].as_array().unwrap().len(), 3, "a refused run is no execution");
}

#[tokio::test]
async fn a_run_names_a_language_or_a_context_of_its_session() {
    let app = App::start().await;
    let token = app.user("eve").await;
    for (body, loc) in [
        (json!({}), "language"),
        (json!({"session_id": "ses_0"}), "language"),
        (json!({"language": "python", "context_id": "ctx_0"}), "context_id"),
        (json!({"session_id": "ses_0", "context_id": "ses_0"}), "context_id"),
    ] {
        let mut whole = json!({"code": "say hi"});
        whole.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
        let answer = app.post(RUN, &token, whole).await;
        assert_eq!(told(&answer), (422, "validation_failed".into()), "{body}");
        assert_eq!(answer.json()["errors"][0]["loc"], loc, "{body}");
    }
    assert!(app.worker.seen().executes.is_empty());
}

#[tokio::test]
async fn an_interrupt_says_whether_something_ran_and_its_run_says_how_it_ended() {
    let app = App::start().await;
    let token = app.user("eve").await;
    let id = session(&app, &token, json!({"language": "python"})).await;
    let paths = [
        format!("{SESSIONS}/{id}/interrupt"),
        format!("{SESSIONS}/{id}/contexts/ctx_defaultpython/interrupt"),
    ];
    for path in &paths {
        let idle = app.send(Method::POST, path, &token, &[], None).await.json();
        assert_eq!(idle, json!({"interrupted": false}));
        let body = json!({"code": "hang", "language": "python", "session_id": id});
        let running = app.post(RUN, &token, body);
        let interrupting = async {
            eventually(async || (!app.worker.seen().running.is_empty()).then_some(())).await;
            app.send(Method::POST, path, &token, &[], None).await.json()
        };
        let (run, interrupted) = tokio::join!(running, interrupting);
        assert_eq!(interrupted, json!({"interrupted": true}));
        assert_eq!(run.json()["status"], "cancelled", "as the fake worker has it");
    }
    let missing = format!("{SESSIONS}/{id}/contexts/ctx_0/interrupt");
    let missing = app.send(Method::POST, &missing, &token, &[], None).await;
    assert_eq!(told(&missing), (404, "context_not_found".into()));
}

#[tokio::test]
async fn a_restart_gives_the_context_or_all_of_them() {
    let app = App::start().await;
    let token = app.user("eve").await;
    let id = session(&app, &token, json!({"language": "python"})).await;
    let restart = async |path: &str| {
        app.send(Method::POST, &format!("{SESSIONS}/{id}{path}"), &token, &[], None).await
    };
    let one = restart("/contexts/ctx_defaultpython/restart").await.json();
    assert_eq!(one["context_id"], "ctx_defaultpython");
    let all = restart("/restart").await.json();
    assert_eq!(all["data"], json!([one]));
    for missing in ["/contexts/ctx_0/restart", "/contexts/ses_0/restart"] {
        assert_eq!(told(&restart(missing).await), (404, "context_not_found".into()), "{missing}");
    }
}

#[tokio::test]
async fn a_session_has_so_many_contexts() {
    let app = App::start().await;
    let token = app.user("eve").await;
    let id = session(&app, &token, json!({})).await;
    for _ in 0..16 {
        let made = context(&app, &token, &id, json!({"language": "python"})).await;
        assert_eq!(made.status, StatusCode::CREATED);
    }
    let full = context(&app, &token, &id, json!({"language": "python"})).await;
    assert_eq!(told(&full), (409, "session_full".into()));
}

#[tokio::test]
async fn an_idempotency_key_makes_one_context_of_one_session() {
    let app = App::start().await;
    let token = app.user("eve").await;
    let (first, second) =
        (session(&app, &token, json!({})).await, session(&app, &token, json!({})).await);
    let make = async |id: &str| {
        let (path, key) = (format!("{SESSIONS}/{id}/contexts"), [("idempotency-key", "k")]);
        let body = json!({"language": "python"}).to_string();
        app.send(Method::POST, &path, &token, &key, Some(body)).await
    };
    let (made, again) = (make(&first).await.json(), make(&first).await.json());
    assert_eq!(made, again);
    assert_eq!(told(&make(&second).await), (409, "idempotency_key_reused".into()));
    let all = app.get(&format!("{SESSIONS}/{first}/contexts"), &token).await.json();
    assert_eq!(all["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn contexts_of_a_session_that_is_over_are_gone_with_it() {
    let app = App::start().await;
    let token = app.user("eve").await;
    let id = session(&app, &token, json!({"language": "python"})).await;
    app.worker.end_sessions();
    for _ in 0..2 {
        let answer = app.get(&format!("{SESSIONS}/{id}/contexts"), &token).await;
        assert_eq!(told(&answer), (410, "session_lost".into()));
    }
    let made = context(&app, &token, &id, json!({"language": "python"})).await;
    assert_eq!(told(&made), (410, "session_lost".into()));
}
