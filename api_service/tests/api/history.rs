//! What was answered is remembered.

use std::process::Stdio;

use api_service::domain::execution::ExecutionState;
use api_service::domain::ids::{ExecutionId, UserId};
use api_service::storage::Database;
use reqwest::StatusCode;
use serde_json::json;

use crate::support::{App, FakeWorker, Gateway, Postgres};

const RUN: &str = "/v1/code_interpreter/run";
const EXECUTIONS: &str = "/v1/code_interpreter/executions";

#[tokio::test]
async fn a_run_that_was_answered_survives_the_kill_of_the_gateway() {
    let worker = FakeWorker::start();
    let files = tempfile::TempDir::new().unwrap();
    let client = reqwest::Client::new();
    let gateway = Gateway::start(files.path(), &worker, &[], Stdio::null()).await;
    let token = gateway.admin().await;
    let mut ids = Vec::new();
    for n in 0..20 {
        let body = json!({"code": format!("say {n}"), "language": "python"});
        let run = client.post(gateway.url(RUN)).bearer_auth(&token).json(&body);
        let answer: serde_json::Value = run.send().await.unwrap().json().await.unwrap();
        ids.push(answer["execution_id"].as_str().unwrap().to_owned());
    }
    drop(gateway);

    let gateway = Gateway::start(files.path(), &worker, &[], Stdio::null()).await;
    for (n, id) in ids.iter().enumerate() {
        let look = client.get(gateway.url(&format!("{EXECUTIONS}/{id}"))).bearer_auth(&token);
        let found: serde_json::Value = look.send().await.unwrap().json().await.unwrap();
        assert_eq!(
            (&found["status"], &found["stdout"]),
            (&json!("succeeded"), &json!(n.to_string()))
        );
    }
}

#[tokio::test]
async fn a_run_can_be_looked_at_and_listed_right_after_its_answer() {
    let app = App::start().await;
    let (token, stranger) = (app.user("eve").await, app.user("mallory").await);
    for n in 0..50 {
        let answer = app.run(&token, &format!("say {n}")).await.json();
        let path = format!("{EXECUTIONS}/{}", answer["execution_id"].as_str().unwrap());
        let found = app.get(&path, &token).await.json();
        assert_eq!((&found["status"], &found["stdout"]), (&json!("succeeded"), &answer["stdout"]));
        assert_eq!(app.get(&path, &stranger).await.code(), "execution_not_found");
    }
    let answer = app.run(&token, "say last").await.json();
    let page = app.get(EXECUTIONS, &token).await.json();
    assert_eq!(page["data"][0]["execution_id"], answer["execution_id"]);
    assert_eq!(page["data"][0]["status"], "succeeded");
}

#[tokio::test]
async fn sqlite_has_a_run_before_its_answer() {
    let app = App::start().await;
    has_a_run_before_its_answer(&app, app.settings.database_url.expose()).await;
}

#[tokio::test]
async fn postgresql_has_a_run_before_its_answer() {
    let Some(cluster) = Postgres::start() else {
        return;
    };
    let app = App::start_with(&[("DATABASE_URL", &cluster.url())]).await;
    has_a_run_before_its_answer(&app, &cluster.url()).await;
}

async fn has_a_run_before_its_answer(app: &App, url: &str) {
    let token = app.user("eve").await;
    let answer = app.run(&token, "say hi").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let id = ExecutionId::parse(answer.json()["execution_id"].as_str().unwrap()).unwrap();
    let me = app.get("/v1/users/me", &token).await.json();
    let user = UserId::parse(me["id"].as_str().unwrap()).unwrap();
    let database = Database::connect(url).await.unwrap();
    let found = database.execution_of(&user, &id).await.unwrap().unwrap();
    assert!(matches!(found.state, ExecutionState::Finished(_)), "{:?}", found.state);
}
