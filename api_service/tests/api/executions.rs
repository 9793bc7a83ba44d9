//! Executions outlive those who follow them.

use std::sync::Arc;
use std::time::Duration;

use api_service::domain::event::Event;
use api_service::domain::ids::{ExecutionId, UserId};
use api_service::domain::language::LanguageName;
use api_service::domain::limits::Limits;
use api_service::domain::run::RunRequest;
use api_service::services::Error;
use api_service::services::executions::{End, Executions, Followed, Follower, Keep};
use api_service::services::history::History;
use api_service::state::compose;
use api_service::storage::Database;
use api_service::workers::client::WorkerClient;
use reqwest::StatusCode;
use serde_json::json;

use crate::support::{App, TOKEN, eventually};

const EXECUTIONS: &str = "/v1/code_interpreter/executions";

/// The service itself, without HTTP, beside a gateway that has made the user.
async fn service(app: &App) -> (Executions, UserId) {
    let database = Database::connect(app.settings.database_url.expose()).await.unwrap();
    let user = database.first_admin().await.unwrap().unwrap().id;
    let boot = api_service::domain::ids::BootId::generate();
    let history = History::open(database.clone(), None, boot).await.unwrap();
    let client = WorkerClient::new(&app.worker.url(), None, TOKEN).unwrap();
    let (state, ..) = compose(&app.settings, database, client, history.clone()).unwrap();
    tokio::spawn(history.write_behind(tokio_util::sync::CancellationToken::new()));
    (state.executions, user)
}

fn run(code: &str) -> RunRequest {
    RunRequest {
        wishes: Default::default(),
        session: None,
        context: None,
        language: LanguageName::parse("py"),
        code: code.to_owned(),
        stdin: Vec::new(),
        open_stdin: false,
        args: Vec::new(),
        env: [].into(),
        files: Vec::new(),
        limits: Limits { wall: Some(Duration::from_secs(20)), ..Limits::default() },
        compiler_flags: Vec::new(),
        network: None,
    }
}

/// The text of the events from where the follower is to the end, and the end.
async fn all(mut follower: Follower) -> (Vec<u64>, String, End) {
    let (mut numbers, mut text) = (Vec::new(), String::new());
    loop {
        match follower.next().await.expect("an end comes first") {
            Followed::Event(number, event) => {
                numbers.push(number);
                if let Event::Output { data, .. } = event {
                    text.push_str(&String::from_utf8_lossy(&data));
                }
            }
            Followed::Gap { first, last } => numbers.extend(first..=last),
            Followed::End(number, end) => {
                assert!(follower.next().await.is_none(), "it is the last");
                assert_eq!(Some(number), numbers.last().map(|last| last + 1));
                return (numbers, text, end);
            }
        }
    }
}

#[tokio::test]
async fn followers_come_and_go_and_the_execution_goes_on() {
    let app = App::start().await;
    let (executions, user) = service(&app).await;
    let id = ExecutionId::generate();
    let started =
        executions.start(&user, id.clone(), run("hang"), "test", Keep::Log).await.unwrap();
    assert_eq!(started.language.as_str(), "python");
    drop(started);
    eventually(async || app.worker.seen().executes.first().map(|_| ())).await;
    let first = executions.follow(&user, &id, 0).await.unwrap();
    let later = executions.follow(&user, &id, 1).await.unwrap();
    let mut leaving = executions.follow(&user, &id, 0).await.unwrap();
    assert!(matches!(leaving.next().await, Some(Followed::Event(1, Event::Started))));
    drop(leaving);
    let foreign = executions.follow(&UserId::generate(), &id, 0).await;
    assert!(matches!(foreign, Err(Error::ExecutionNotFound)));
    assert!(app.worker.seen().abandoned.is_empty());

    executions.cancel(&user, &id, "test").await.unwrap();
    let (first, later) = tokio::join!(all(first), all(later));
    assert_eq!((first.0, &*first.1), (vec![1, 2, 3], "begun\n"));
    assert_eq!((later.0, &*later.1), (vec![2, 3], "begun\n"));
    let (End::Finished(one), End::Finished(other)) = (first.2, later.2) else {
        panic!("it has a report");
    };
    assert!(Arc::ptr_eq(&one, &other) && one.stdout.text == "begun\n");
    let late = all(executions.follow(&user, &id, 2).await.unwrap()).await;
    assert_eq!(late.0, [3], "for a while also after the end");
    assert!(matches!(late.2, End::Finished(again) if Arc::ptr_eq(&one, &again)));
}

#[tokio::test]
async fn what_makes_way_in_the_log_is_a_gap_and_the_report_is_whole() {
    let app = App::start().await;
    let (executions, user) = service(&app).await;
    let id = ExecutionId::generate();
    let many = executions.start(&user, id, run("many"), "test", Keep::Log).await.unwrap();
    let late = many.follower;
    // Reads nothing until the run has ended.
    eventually(async || {
        let page = executions.get(&user, &many.id).await.unwrap();
        page.finished_at.map(|_| ())
    })
    .await;
    let (numbers, text, end) = all(late).await;
    assert_eq!(numbers, (1..=10_002).collect::<Vec<_>>(), "each once");
    let End::Finished(report) = end else { panic!("it has a report") };
    assert_eq!(report.stdout.text.len(), 10_000);
    assert!(text.len() < 10_000, "the oldest made way");
}

#[tokio::test]
async fn whoever_started_it_and_wants_it_no_more_ends_it_for_all() {
    let app = App::start().await;
    let (executions, user) = service(&app).await;
    let id = ExecutionId::generate();
    let started =
        executions.start(&user, id.clone(), run("hang"), "test", Keep::Log).await.unwrap();
    let other = executions.follow(&user, &id, 0).await.unwrap();
    eventually(async || app.worker.seen().executes.first().map(|_| ())).await;
    started.unwanted.cancel();
    let (_, _, end) = all(other).await;
    assert!(matches!(end, End::Failed(Error::ExecutionCancelled(of)) if of == id));
    eventually(async || app.worker.seen().abandoned.contains(&id.to_string()).then_some(())).await;
    assert_eq!(executions.get(&user, &id).await.unwrap().state.name(), "cancelled");
}

#[tokio::test]
async fn a_gateway_that_stops_tells_those_who_wait() {
    let mut app = App::start().await;
    let token = app.admin().await;
    let url = format!("http://{}/v1/code_interpreter/run", app.address);
    let body = json!({"code": "hang", "language": "python"});
    let asked = reqwest::Client::new().post(url).bearer_auth(&token).json(&body).send();
    let waiting = tokio::spawn(asked);
    let id =
        eventually(async || app.worker.seen().executes.first().map(|run| run.execution_id.clone()))
            .await;
    app.stop().await;
    let answer = waiting.await.unwrap().expect("it is answered, not cut off");
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    let told: serde_json::Value = answer.json().await.unwrap();
    assert_eq!(told["code"], "gateway_stopping");
    app.boot().await;
    let record = app.get(&format!("{EXECUTIONS}/{id}"), &token).await.json();
    assert_eq!(record["status"], "cancelled");
}

#[tokio::test]
async fn a_run_that_waits_for_its_turn_is_queued() {
    let app = App::start().await;
    let token = app.admin().await;
    let asking = async {
        let status = async |wanted: &str| {
            eventually(async || {
                let page = app.get(EXECUTIONS, &token).await.json();
                (page["data"][0]["status"] == wanted).then_some(())
            })
            .await;
        };
        status("queued").await;
        app.worker.let_begin();
        status("running").await;
        let page = app.get(EXECUTIONS, &token).await.json();
        let id = page["data"][0]["execution_id"].as_str().unwrap();
        app.post(&format!("{EXECUTIONS}/{id}/cancel"), &token, json!({})).await
    };
    let (run, cancelled) = tokio::join!(app.run(&token, "wait"), asking);
    assert_eq!(cancelled.status, StatusCode::OK);
    assert_eq!(run.json()["status"], "cancelled");
    assert_eq!(run.json()["error"], "the run was cancelled");
}
