//! What was answered is remembered, although it is written behind the answer.

use std::process::Stdio;

use api_service::domain::execution::{Execution, ExecutionState};
use api_service::domain::ids::{BootId, ExecutionId, UserId};
use api_service::domain::language::LanguageName;
use api_service::domain::timestamp::Timestamp;
use api_service::services::history::History;
use api_service::storage::{Change, Database, ExecutionRow, Journal};
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
async fn an_ordered_end_leaves_everything_in_the_database_and_no_journal() {
    let mut app = App::start().await;
    let token = app.admin().await;
    let answer = app.run(&token, "say hi").await.json();
    let id = ExecutionId::parse(answer["execution_id"].as_str().unwrap()).unwrap();
    app.stop().await;
    assert_eq!(std::fs::read_dir(app.file("journal")).unwrap().count(), 0);
    let database = Database::connect(app.settings.database_url.expose()).await.unwrap();
    let admin = database.first_admin().await.unwrap().unwrap();
    let found = database.execution_of(&admin.id, &id).await.unwrap().unwrap();
    assert!(matches!(found.state, ExecutionState::Finished(_)), "{:?}", found.state);
}

#[tokio::test]
async fn without_a_journal_the_database_has_it_before_the_answer() {
    let Some(cluster) = Postgres::start() else {
        return;
    };
    let app = App::start_with(&[("DATABASE_URL", &cluster.url())]).await;
    let token = app.user("eve").await;
    let answer = app.run(&token, "say hi").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let id = ExecutionId::parse(answer.json()["execution_id"].as_str().unwrap()).unwrap();
    let me = app.get("/v1/users/me", &token).await.json();
    let user = UserId::parse(me["id"].as_str().unwrap()).unwrap();
    let database = Database::connect(&cluster.url()).await.unwrap();
    let found = database.execution_of(&user, &id).await.unwrap().unwrap();
    assert!(matches!(found.state, ExecutionState::Finished(_)), "{:?}", found.state);
}

/// A journal as a gateway leaves it that is killed while it writes: the last change of each
/// execution counts, half a line does not, and a user who is gone holds up nobody else.
#[tokio::test]
async fn a_journal_with_half_a_line_is_replayed_up_to_there() {
    let app = App::start().await;
    let folder = app.file("left");
    let database = Database::connect(app.settings.database_url.expose()).await.unwrap();
    let admin = database.first_admin().await.unwrap().unwrap();
    let dead = BootId::generate();
    let execution = |user: UserId| Execution {
        id: ExecutionId::generate(),
        user,
        session: None,
        language: LanguageName::parse("python").unwrap(),
        worker_instance: Some("life-1".to_owned()),
        created_at: Timestamp::now(),
        finished_at: None,
        state: ExecutionState::Running,
    };
    let line = |execution: &Execution, state| {
        let row = ExecutionRow::of(Execution { state, ..execution.clone() }, &dead).unwrap();
        Change::Put(row.into()).to_line().unwrap()
    };
    let [ended, running, refused] = [(); 3].map(|()| execution(admin.id.clone()));
    let nobodys = execution(UserId::generate());
    let mut journal = Journal::create(&folder, &dead).unwrap();
    for one in [&ended, &running, &refused, &nobodys] {
        journal.append(&line(one, ExecutionState::Running)).unwrap();
    }
    journal.append(&line(&ended, ExecutionState::Cancelled)).unwrap();
    journal.append(&Change::TakeBack(refused.id.clone()).to_line().unwrap()).unwrap();
    let cut_off = line(&running, ExecutionState::Cancelled);
    journal.append(&cut_off[..cut_off.len() / 2]).unwrap();
    drop(journal);

    let boot = BootId::generate();
    let live = History::open(database.clone(), Some(&folder), boot).await.unwrap();
    let state = async |it: &Execution| {
        let found = database.execution_of(&it.user, &it.id).await.unwrap();
        found.map(|found| found.state)
    };
    assert_eq!(state(&ended).await, Some(ExecutionState::Cancelled));
    // Housekeeping settles what a dead gateway left running, now or a moment ago.
    let left = state(&running).await;
    assert!(matches!(left, Some(ExecutionState::Running | ExecutionState::Unknown)), "{left:?}");
    assert_eq!((state(&refused).await, state(&nobodys).await), (None, None));
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1, "the journal of the one that lives");
    let other = History::open(database.clone(), Some(&folder), BootId::generate()).await.unwrap();
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 2, "it is nobody else's to replay");
    for history in [live, other] {
        history.close().await.unwrap();
    }
}
