//! Standard input that stays open.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{App, Events};

const EXECUTIONS: &str = "/v1/code_interpreter/executions";

fn echo(stdin: Value) -> Value {
    json!({"code": "echo", "language": "python", "stdin": stdin})
}

#[tokio::test]
async fn a_run_reads_what_is_written_to_it_and_the_end() {
    let app = App::start().await;
    let token = app.admin().await;
    let mut events =
        Events::run(&app, &token, &echo(json!({"open": true, "text": "first"})), &[]).await;
    let started = events.next().await.unwrap();
    let path = format!("{EXECUTIONS}/{}/stdin", started.data["execution_id"].as_str().unwrap());
    {
        let seen = app.worker.seen();
        assert!(seen.executes[0].open_stdin && &*seen.executes[0].stdin == b"first");
    }
    let write = async |body: Value| app.post(&path, &token, body).await;
    assert_eq!(write(json!({"text": "hä\n"})).await.json(), json!({"accepted_bytes": 4}));
    assert_eq!(events.next().await.unwrap().data["text"], "hä\n");
    assert_eq!(write(json!({"text": "too much"})).await.code(), "stdin_full");
    assert_eq!(write(json!({"base64": "AGI="})).await.status, StatusCode::OK);
    assert_eq!(events.next().await.unwrap().data["text"], "\0b");
    assert_eq!(write(json!({"eof": true})).await.json(), json!({"accepted_bytes": 0}));
    let answer = events.rest().await.pop().unwrap();
    assert_eq!(answer.data["stdout"], "hä\n\0b");
    assert_eq!(write(json!({"text": "late"})).await.code(), "execution_not_running");
}

#[tokio::test]
async fn what_is_not_open_takes_nothing() {
    let app = App::start().await;
    let token = app.admin().await;
    for stdin in [json!("in full"), json!({"open": false}), Value::Null] {
        let body = json!({"code": "hang", "language": "python", "stdin": stdin});
        let mut events = Events::run(&app, &token, &body, &[]).await;
        let started = events.next().await.unwrap();
        let path = format!("{EXECUTIONS}/{}/stdin", started.data["execution_id"].as_str().unwrap());
        assert_eq!(app.post(&path, &token, json!({"text": "x"})).await.code(), "stdin_closed");
    }
}

#[tokio::test]
async fn bad_input_names_its_field() {
    let app = App::start().await;
    let token = app.admin().await;
    let path = format!("{EXECUTIONS}/exe_1/stdin");
    let many = "x".repeat(65_537);
    for (body, loc) in [
        (json!({}), "text"),
        (json!({"text": "a", "base64": "YQ=="}), "base64"),
        (json!({"base64": "?"}), "base64"),
        (json!({"text": many}), "text"),
        (json!({"text": "a", "eof": 1}), "eof"),
        (json!({"more": "a"}), "more"),
    ] {
        let refused = app.post(&path, &token, body.clone()).await;
        assert_eq!(refused.code(), "validation_failed", "{loc}");
        assert_eq!(refused.json()["errors"][0]["loc"], loc);
    }
    assert_eq!(app.post(&path, &token, json!({"text": "a"})).await.code(), "execution_not_found");
    for (stdin, loc) in
        [(json!({}), "stdin.open"), (json!({"text": "a"}), "stdin"), (json!(7), "stdin")]
    {
        let body = json!({"code": "echo", "language": "python", "stdin": stdin});
        let refused = app.post("/v1/code_interpreter/run", &token, body).await;
        assert_eq!(refused.json()["errors"][0]["loc"], loc, "{stdin}");
    }
}
