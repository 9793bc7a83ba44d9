//! One storage code on two databases.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::Duration;

use api_service::domain::api_key::ApiKey;
use api_service::domain::credentials::Username;
use api_service::domain::execution::{Execution, ExecutionFilter, ExecutionState};
use api_service::domain::idempotency::{Earlier, IdempotencyKey, Reservation};
use api_service::domain::ids::{ApiKeyId, BootId, ExecutionId, FamilyId, SessionId, UserId};
use api_service::domain::language::LanguageName;
use api_service::domain::page::PageRequest;
use api_service::domain::refresh_token::{RefreshToken, Rotation};
use api_service::domain::scope::Scope;
use api_service::domain::session::{EndReason, Session, SessionStage};
use api_service::domain::timestamp::Timestamp;
use api_service::domain::user::{Removal, User};
use api_service::storage::{Database, Error, ExecutionRow, Retention};
use reqwest::StatusCode;

use crate::support::{App, Postgres};

#[tokio::test]
async fn sqlite_keeps_everything() {
    let files = tempfile::TempDir::new().unwrap();
    let url = format!("sqlite:{}", files.path().join("test.db").display());
    everything(&url).await;
    let mode = std::fs::metadata(files.path().join("test.db")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "it holds password hashes");
}

#[tokio::test]
async fn sqlite_gives_disk_back() {
    let files = tempfile::TempDir::new().unwrap();
    let path = files.path().join("test.db");
    let database = Database::connect(&format!("sqlite:{}", path.display())).await.unwrap();
    let (user, boot) = (users(&database).await, BootId::generate());
    database.insert_boot(&boot).await.unwrap();
    let body = "x".repeat(1 << 20);
    for number in 0..16 {
        let reservation = Reservation {
            user: user.clone(),
            route: "run",
            key: IdempotencyKey::parse(&number.to_string()).unwrap(),
            fingerprint: "f".to_owned(),
            execution: None,
        };
        assert_eq!(database.reserve_key(&reservation, &boot).await.unwrap(), None);
        database.answer_key(&reservation, 200, &body).await.unwrap();
        database.forget_large_answers_of(&user, 4 << 20).await.unwrap();
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    database.forget_large_answers_of(&user, 0).await.unwrap();
    database.give_disk_back().await.unwrap();
    database.close().await;
    let bytes = std::fs::metadata(&path).unwrap().len();
    assert!(bytes < 1 << 20, "{bytes} bytes after 16 MiB that were forgotten");
}

#[tokio::test]
async fn postgres_keeps_everything() {
    let Some(cluster) = Postgres::start() else {
        return;
    };
    everything(&cluster.url()).await;
}

#[tokio::test]
async fn the_gateway_runs_on_postgres() {
    let Some(cluster) = Postgres::start() else {
        return;
    };
    let app = App::start_with(&[("DATABASE_URL", &cluster.url())]).await;
    let token = app.user("eve").await;
    let answer = app.run(&token, "say hi").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let page = app.get("/v1/code_interpreter/executions", &token).await.json();
    assert_eq!(page["data"][0]["status"], "succeeded");
}

async fn everything(url: &str) {
    let database = Database::connect(url).await.unwrap();
    Database::connect(url).await.unwrap().close().await;
    assert!(database.is_up().await && database.has_no_users().await.unwrap());
    let user = users(&database).await;
    refresh_tokens(&database, &user).await;
    api_keys(&database, &user).await;
    executions(&database, &user).await;
    long_reports(&database, &user).await;
    sessions(&database, &user).await;
    idempotency(&database, &user).await;
    departures(&database).await;
    database.close().await;
}

async fn users(database: &Database) -> UserId {
    let user = User {
        id: UserId::generate(),
        username: Username::parse("Eve").unwrap(),
        is_admin: true,
        created_at: Timestamp::now(),
        disabled_at: None,
        generation: 0,
    };
    database.insert_user(&user, "hash").await.unwrap();
    let again = User { id: UserId::generate(), ..user.clone() };
    assert!(matches!(database.insert_user(&again, "hash").await, Err(Error::Conflict)));
    let (found, hash) = database.user_by_name(&user.username).await.unwrap().unwrap();
    assert_eq!((found.id.as_str(), &*hash), (user.id.as_str(), "hash"));
    assert_eq!(database.first_admin().await.unwrap().unwrap().id, user.id);
    assert!(database.user_by_id(&UserId::generate()).await.unwrap().is_none());
    user.id
}

/// A user of whom something goes on stays until it has ended.
async fn departures(database: &Database) {
    let (later, user) = (Timestamp::now().after(Duration::from_secs(60)), UserId::generate());
    let username = Username::parse("leaving").unwrap();
    let about = User {
        id: user.clone(),
        username: username.clone(),
        is_admin: false,
        created_at: Timestamp::now(),
        disabled_at: None,
        generation: 0,
    };
    database.insert_user(&about, "hash").await.unwrap();
    assert!(!database.set_password(&user, Some("other"), "new").await.unwrap());
    assert!(database.set_password(&user, Some("hash"), "new").await.unwrap());
    assert!(database.set_password(&user, None, "newer").await.unwrap());
    assert_eq!(database.active_account(&user).await.unwrap().unwrap().generation, 2);
    let session = Session {
        id: SessionId::generate(),
        user: user.clone(),
        language: LanguageName::parse("c"),
        created_at: Timestamp::now(),
        expires_at: later,
        metadata: "{}".to_owned(),
        worker_instance: None,
        stage: SessionStage::Live,
    };
    database.insert_session(&session, &BootId::generate()).await.unwrap();
    assert_eq!(database.sessions_of_the_disabled().await.unwrap(), []);
    assert_eq!(database.delete_user(&user).await.unwrap(), Removal::Done);
    assert_eq!(database.delete_user(&user).await.unwrap(), Removal::NoSuchUser);
    assert!(database.user_by_name(&username).await.unwrap().is_none());
    assert_eq!(
        database.sessions_of_the_disabled().await.unwrap(),
        [(user.clone(), session.id.clone())]
    );
    assert_eq!(database.users_deleted_before(later).await.unwrap(), []);
    assert!(database.end_session(&session.id, EndReason::Deleted).await.unwrap());
    assert_eq!(database.users_deleted_before(Timestamp::from_millis(1)).await.unwrap(), []);
    assert_eq!(database.users_deleted_before(later).await.unwrap(), std::slice::from_ref(&user));
    database.forget_deleted_user(&user).await.unwrap();
    assert_eq!(database.users_deleted_before(later).await.unwrap(), []);
}

async fn refresh_tokens(database: &Database, user: &UserId) {
    let later = Timestamp::now().after(Duration::from_secs(60));
    let family = FamilyId::generate();
    let token = |hash: &str, expires_at| RefreshToken {
        hash: hash.to_owned(),
        family: family.clone(),
        user: user.clone(),
        generation: 3,
        expires_at,
    };
    database.insert_refresh_token(&token("a", later)).await.unwrap();
    database.insert_refresh_token(&token("old", Timestamp::from_millis(1))).await.unwrap();
    let rotate =
        async |from: &str, to: &str| database.rotate_refresh_token(from, to, later).await.unwrap();
    assert_eq!(rotate("unknown", "x").await, Rotation::Refused);
    assert_eq!(rotate("old", "x").await, Rotation::Refused);
    assert_eq!(rotate("a", "b").await, Rotation::Rotated(user.clone(), 3));
    assert_eq!(rotate("a", "c").await, Rotation::Reused(family.clone()));
    assert_eq!(rotate("b", "c").await, Rotation::Refused);
}

async fn api_keys(database: &Database, user: &UserId) {
    let key = ApiKey {
        id: ApiKeyId::generate(),
        user: user.clone(),
        name: "ci".to_owned(),
        preview: "e2b_1234".to_owned(),
        scopes: vec![Scope::Run, Scope::Read],
        created_at: Timestamp::now(),
        expires_at: None,
    };
    database.insert_api_key(&key, "hash").await.unwrap();
    let (found, is_admin) = database.api_key_by_hash("hash").await.unwrap().unwrap();
    assert_eq!((found.scopes, found.expires_at, is_admin), (key.scopes, None, true));
    assert!(!database.delete_api_key(&UserId::generate(), &key.id).await.unwrap());
    assert!(database.delete_api_key(user, &key.id).await.unwrap());
}

async fn executions(database: &Database, user: &UserId) {
    let (boot, dead) = (BootId::generate(), BootId::generate());
    database.insert_boot(&boot).await.unwrap();
    let execution = |session| Execution {
        id: ExecutionId::generate(),
        user: user.clone(),
        session,
        language: LanguageName::parse("c").unwrap(),
        worker_instance: Some("life-1".to_owned()),
        created_at: Timestamp::now(),
        finished_at: None,
        state: ExecutionState::Running,
    };
    let (first, second) = (execution(None), execution(Some(SessionId::generate())));
    let third = execution(None);
    let row = |execution: &Execution, state, boot: &BootId| {
        Arc::new(ExecutionRow::of(Execution { state, ..execution.clone() }, boot).unwrap())
    };
    let write = async |rows: &[Arc<ExecutionRow>]| database.write_executions(rows, &[]).await;
    let begun = [
        row(&first, ExecutionState::Running, &boot),
        row(&second, ExecutionState::Running, &dead),
        row(&third, ExecutionState::Running, &boot),
    ];
    write(&begun).await.unwrap();
    write(&[row(&first, ExecutionState::Cancelled, &boot)]).await.unwrap();
    write(&[row(&first, ExecutionState::Unknown, &boot)]).await.unwrap();
    database.write_executions(&[], &[first.id.clone(), third.id.clone()]).await.unwrap();
    database.settle_what_dead_boots_left().await.unwrap();
    let find = async |id| database.execution_of(user, id).await.unwrap();
    let state = async |id| find(id).await.unwrap().state;
    assert_eq!(state(&first.id).await, ExecutionState::Cancelled, "the first end counts");
    assert_eq!(state(&second.id).await, ExecutionState::Unknown, "its gateway is dead");
    assert!(find(&third.id).await.is_none(), "it was taken back");
    write(&begun).await.unwrap();
    assert_eq!(state(&second.id).await, ExecutionState::Unknown, "it does not begin again");
    write(&[row(&second, ExecutionState::Cancelled, &dead)]).await.unwrap();
    assert_eq!(state(&second.id).await, ExecutionState::Cancelled, "its gateway knew its end");
    database.write_executions(&[], std::slice::from_ref(&third.id)).await.unwrap();
    let nobodys = Execution { user: UserId::generate(), ..first.clone() };
    let nobodys = Execution { id: ExecutionId::generate(), ..nobodys };
    let refused = write(&[row(&nobodys, ExecutionState::Running, &boot)]).await;
    assert!(matches!(refused, Err(Error::NoSuchUser)), "{refused:?}");

    let page = PageRequest { limit: 1, after: None };
    let newest = database.executions_of(user, &page, &ExecutionFilter::default()).await.unwrap();
    assert_eq!((&newest.items[0].id, newest.next.as_ref()), (&second.id, Some(&second.id)));
    let page = PageRequest { limit: 1, after: newest.next };
    let oldest = database.executions_of(user, &page, &ExecutionFilter::default()).await.unwrap();
    assert_eq!((&oldest.items[0].id, oldest.next), (&first.id, None));

    let retention = Retention {
        age: Duration::from_secs(60),
        executions_per_user: 1,
        report_bytes_per_user: 1 << 20,
        idempotency: Duration::from_secs(60),
        answer_bytes_per_user: 1 << 20,
    };
    database.forget_the_old(&retention).await.unwrap();
    assert!(database.execution_of(user, &first.id).await.unwrap().is_some(), "it is young");
    database.forget_the_many(&retention).await.unwrap();
    assert!(database.execution_of(user, &first.id).await.unwrap().is_none());
    assert!(database.execution_of(user, &second.id).await.unwrap().is_some());
    database.renew_boot(&boot, Timestamp::from_millis(0)).await.unwrap();
    database.delete_boot(&boot).await.unwrap();
}

/// Of reports of 400 kB each, a megabyte has room for the two newest.
async fn long_reports(database: &Database, user: &UserId) {
    let boot = BootId::generate();
    database.insert_boot(&boot).await.unwrap();
    let list = async || {
        let page = PageRequest { limit: 100, after: None };
        let found = database.executions_of(user, &page, &ExecutionFilter::default()).await;
        found.unwrap().items.into_iter().map(|run| run.id).collect::<Vec<_>>()
    };
    let before = list().await.len();
    let mut ids = Vec::new();
    for _ in 0..4 {
        let execution = Execution {
            id: ExecutionId::generate(),
            user: user.clone(),
            session: None,
            language: LanguageName::parse("c").unwrap(),
            worker_instance: None,
            created_at: Timestamp::now(),
            finished_at: None,
            state: ExecutionState::Cancelled,
        };
        ids.insert(0, execution.id.clone());
        let row = ExecutionRow::of(execution, &boot).unwrap();
        let mut row = serde_json::to_value(row).unwrap();
        row["report"] = "x".repeat(400_000).into();
        let row: ExecutionRow = serde_json::from_value(row).unwrap();
        database.write_executions(&[Arc::new(row)], &[]).await.unwrap();
    }
    let retention = |bytes| Retention {
        age: Duration::from_secs(60),
        executions_per_user: 100,
        report_bytes_per_user: bytes,
        idempotency: Duration::from_secs(60),
        answer_bytes_per_user: 1 << 20,
    };
    database.forget_the_many(&retention(1_600_000)).await.unwrap();
    assert_eq!(list().await.len(), before + 4, "there is room");
    database.forget_the_many(&retention(1 << 20)).await.unwrap();
    let left = list().await;
    assert_eq!(left[..2], ids[..2]);
    assert!(!left.contains(&ids[2]) && !left.contains(&ids[3]), "{left:?}");
    database.delete_boot(&boot).await.unwrap();
}

async fn sessions(database: &Database, user: &UserId) {
    let now = Timestamp::now();
    let session = Session {
        id: SessionId::generate(),
        user: user.clone(),
        language: Some(LanguageName::parse("bash").unwrap()),
        created_at: now,
        expires_at: now,
        metadata: "{}".to_owned(),
        worker_instance: None,
        stage: SessionStage::Starting,
    };
    let id = &session.id;
    database.insert_session(&session, &BootId::generate()).await.unwrap();
    let page = PageRequest { limit: 10, after: None };
    assert!(database.sessions_of(user, &page).await.unwrap().items.is_empty(), "not live yet");
    database.session_is_live(&session).await.unwrap();
    let later = now.after(Duration::from_secs(60));
    database.session_ends_at(id, later).await.unwrap();
    assert!(database.set_session_metadata(user, id, "{\"a\":1}").await.unwrap());
    assert!(!database.set_session_metadata(&UserId::generate(), id, "{}").await.unwrap());
    let found = database.session_of(user, id).await.unwrap().unwrap();
    assert_eq!((found.expires_at, &*found.metadata), (later, "{\"a\":1}"));
    let without = Session { id: SessionId::generate(), language: None, ..session.clone() };
    database.insert_session(&without, &BootId::generate()).await.unwrap();
    let found = database.session_of(user, &without.id).await.unwrap().unwrap();
    assert_eq!(found.language, None);
    database.delete_session_row(&without.id).await.unwrap();
    assert_eq!(database.sessions_of(user, &page).await.unwrap().items.len(), 1);
    assert!(database.session_of(&UserId::generate(), id).await.unwrap().is_none());
    assert!(database.end_session(id, EndReason::Lost).await.unwrap());
    assert!(!database.end_session(id, EndReason::Deleted).await.unwrap(), "it ended once");
    let found = database.session_of(user, id).await.unwrap().unwrap();
    assert_eq!(found.stage, SessionStage::Ended(EndReason::Lost));
    database.put_away_session(id).await.unwrap();
    assert!(database.session_of(user, id).await.unwrap().is_none());
}

async fn idempotency(database: &Database, user: &UserId) {
    let boot = BootId::generate();
    database.insert_boot(&boot).await.unwrap();
    let reservation = |key: &str| Reservation {
        user: user.clone(),
        route: "run",
        key: IdempotencyKey::parse(key).unwrap(),
        fingerprint: "f".to_owned(),
        execution: None,
    };
    let (a, b) = (reservation("a"), reservation("b"));
    let reserve = async |it: &Reservation| database.reserve_key(it, &boot).await.unwrap();
    assert_eq!(reserve(&a).await, None);
    assert_eq!(reserve(&a).await, Some(Earlier::InProgress));
    let other = Reservation { fingerprint: "g".to_owned(), ..a.clone() };
    assert_eq!(reserve(&other).await, Some(Earlier::OtherBody));
    database.answer_key(&a, 201, "sealed").await.unwrap();
    let answered = Earlier::Answered { status: 201, sealed_body: "sealed".to_owned() };
    assert_eq!(reserve(&a).await, Some(answered));
    let retention = |bytes| Retention {
        age: Duration::from_secs(60),
        executions_per_user: 100,
        report_bytes_per_user: 1 << 20,
        idempotency: Duration::from_secs(60),
        answer_bytes_per_user: bytes,
    };
    database.forget_the_many(&retention(6)).await.unwrap();
    assert!(matches!(reserve(&a).await, Some(Earlier::Answered { .. })), "six bytes are allowed");
    // Of two answers the newer one stays; their order is that of milliseconds.
    tokio::time::sleep(Duration::from_millis(5)).await;
    let newer = reservation("newer");
    assert_eq!(reserve(&newer).await, None);
    database.answer_key(&newer, 201, "sealed").await.unwrap();
    database.forget_the_many(&retention(11)).await.unwrap();
    assert!(matches!(reserve(&newer).await, Some(Earlier::Answered { .. })));
    assert_eq!(reserve(&a).await, None, "it was forgotten, and begins anew");
    assert_eq!(reserve(&b).await, None);
    database.release_key(&b).await.unwrap();
    assert_eq!(reserve(&b).await, None);
    database.delete_boot(&boot).await.unwrap();
    database.settle_what_dead_boots_left().await.unwrap();
    assert_eq!(reserve(&b).await, Some(Earlier::Unknown(None)), "its gateway is dead");
}
