//! Languages are learnt from workers: the gateway knows none by name.

use reqwest::StatusCode;
use serde_json::json;

use crate::support::{App, eventually};

const RUN: &str = "/v1/code_interpreter/run";
const SESSIONS: &str = "/v1/code_interpreter/sessions";

async fn learn_lua(app: &App) {
    app.worker.learn("lua", &["luajit"]);
    eventually(async || {
        let shown = app.get("/v1/languages", "").await.json();
        let names = shown["languages"].as_array().unwrap().iter();
        names.map(|it| &it["name"]).any(|name| name == "lua").then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_language_that_nobody_has_heard_of_is_usable_at_once() {
    let app = App::start().await;
    let token = app.admin().await;
    let body = json!({"code": "say hi", "language": "luajit"});
    let unknown = app.post(RUN, &token, body.clone()).await;
    let told = json!([{
        "loc": "language",
        "msg": "must be one of python (py), bash (shell, sh), c, node (javascript, js)"
    }]);
    assert_eq!((unknown.status.as_u16(), &unknown.json()["errors"]), (422, &told));

    learn_lua(&app).await;
    let run = app.post(RUN, &token, body).await;
    assert_eq!((run.status, &run.json()["language"]), (StatusCode::OK, &json!("lua")));
    assert_eq!(app.worker.seen().executes[0].language, "lua", "the worker gets its own name");
    let id = run.json()["execution_id"].as_str().unwrap().to_owned();
    let record = app.get(&format!("/v1/code_interpreter/executions/{id}"), &token).await.json();
    assert_eq!(record["language"], "lua");
    let session = app.post(SESSIONS, &token, json!({"language": "luajit"})).await;
    assert_eq!((session.status, &session.json()["language"]), (StatusCode::CREATED, &json!("lua")));
    let flags = json!({"code": "x", "language": "lua", "compiler_flags": ["-O2"]});
    let refused = app.post(RUN, &token, flags).await;
    let told = json!([{"loc": "compiler_flags", "msg": "the language lua takes none"}]);
    assert_eq!((refused.status.as_u16(), &refused.json()["errors"]), (422, &told));
}

#[tokio::test]
async fn a_language_that_is_known_and_not_installed_is_told_apart() {
    let app = App::start().await;
    let token = app.admin().await;
    for (path, body) in
        [(RUN, json!({"code": "say hi", "language": "js"})), (SESSIONS, json!({"language": "js"}))]
    {
        let answer = app.post(path, &token, body).await;
        assert_eq!((answer.status.as_u16(), &*answer.code()), (422, "language_unavailable"));
    }
    assert!(app.worker.seen().executes.is_empty());
}

#[tokio::test]
async fn only_what_the_operator_names_is_offered() {
    let app = App::start_with(&[("SUPPORTED_LANGUAGES", "py, c")]).await;
    only_python_and_c_are_shown(&app).await;
    let token = app.admin().await;
    let refused = app.post(RUN, &token, json!({"code": "say hi", "language": "bash"})).await;
    assert_eq!(refused.json()["errors"][0]["msg"], "must be one of python (py), c");
    assert_eq!(app.run(&token, "say hi").await.status, StatusCode::OK);
}

async fn only_python_and_c_are_shown(app: &App) {
    let shown = app.get("/v1/languages", "").await.json();
    let names: Vec<_> =
        shown["languages"].as_array().unwrap().iter().map(|it| &it["name"]).collect();
    assert_eq!(names, ["python", "c"]);
    assert_eq!((&shown["missing"], &shown["compiler_flags"]), (&json!([]), &json!(["-O2"])));
    assert_eq!(shown["languages"][1]["compiler_flags"], json!(["-O2"]));
    assert_eq!(shown["languages"][0]["aliases"], json!(["py"]));
}
