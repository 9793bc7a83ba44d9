//! Users are shown, disabled, enabled, deleted, and get other passwords.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Answer, App, PASSWORD, Postgres, eventually};

const SESSIONS: &str = "/v1/code_interpreter/sessions";
const EXECUTIONS: &str = "/v1/code_interpreter/executions";
const NEW: &str = "another-nobody-logs-this";

async fn id_of(app: &App, token: &str) -> String {
    app.get("/v1/users/me", token).await.json()["id"].as_str().unwrap().to_owned()
}

/// What administrators do to users: `disable`, `enable`, or nothing for a look.
async fn change(app: &App, id: &str, what: &str) -> Answer {
    let path = format!("/v1/users/{id}/{what}");
    app.send(Method::POST, &path, &app.admin().await, &[], None).await
}

async fn put(app: &App, path: &str, token: &str, body: Value) -> Answer {
    app.send(Method::PUT, path, token, &[], Some(body.to_string())).await
}

async fn try_to_sign_in(app: &App, name: &str, password: &str) -> Answer {
    app.post("/v1/auth/token", "", json!({"username": name, "password": password})).await
}

async fn key_of(app: &App, token: &str) -> String {
    let made = app.post("/v1/api_keys", token, json!({"name": "k"})).await.json();
    made["key"].as_str().unwrap().to_owned()
}

async fn refresh(app: &App, pair: &Value) -> Answer {
    app.post("/v1/auth/refresh", "", json!({"refresh_token": pair["refresh_token"]})).await
}

#[tokio::test]
async fn administrators_see_users_page_by_page() {
    let app = App::start().await;
    let admin = app.admin().await;
    for name in ["first", "second"] {
        app.user(name).await;
    }
    let page = app.get("/v1/users?limit=2", &admin).await.json();
    let names = |page: &Value| -> Vec<String> {
        let users = page["data"].as_array().unwrap().iter();
        users.map(|user| user["username"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&page), ["second", "first"]);
    let next = format!("/v1/users?limit=2&cursor={}", page["next_cursor"].as_str().unwrap());
    let last = app.get(&next, &admin).await.json();
    assert_eq!((names(&last), &last["next_cursor"]), (vec!["admin".to_owned()], &Value::Null));
    let id = page["data"][0]["id"].as_str().unwrap();
    let one = app.get(&format!("/v1/users/{id}"), &admin).await.json();
    assert_eq!(one, page["data"][0]);
    assert_eq!(one["disabled_at"], Value::Null);
    for unknown in ["usr_0", "exe_0", "me0", "usr_%00"] {
        let answer = app.get(&format!("/v1/users/{unknown}"), &admin).await;
        assert_eq!(answer.code(), "user_not_found", "{unknown}");
    }
}

#[tokio::test]
async fn no_credential_of_a_disabled_user_is_good() {
    let app = App::start().await;
    let token = app.user("eve").await;
    let (id, key, pair) =
        (id_of(&app, &token).await, key_of(&app, &token).await, app.sign_in("eve"));
    let pair = pair.await;
    for credential in [&token, &key] {
        assert_eq!(app.run(credential, "say hi").await.status, StatusCode::OK);
    }
    let disabled = change(&app, &id, "disable").await;
    assert!(disabled.json()["disabled_at"].is_string(), "{}", disabled.text);
    for credential in [&token, &key] {
        assert_eq!(app.run(credential, "say hi").await.code(), "credential_invalid");
        assert_eq!(app.get(EXECUTIONS, credential).await.code(), "credential_invalid");
    }
    assert_eq!(refresh(&app, &pair).await.code(), "refresh_token_invalid");
    let refused = try_to_sign_in(&app, "eve", PASSWORD).await;
    assert_eq!((refused.status, &*refused.code()), (StatusCode::FORBIDDEN, "user_disabled"));
    let wrong = try_to_sign_in(&app, "eve", "something else").await;
    assert_eq!(wrong.code(), "bad_credentials", "only who knows the password is told");

    assert_eq!(change(&app, &id, "enable").await.json()["disabled_at"], Value::Null);
    assert_eq!(
        app.run(&token, "say hi").await.code(),
        "credential_invalid",
        "it is an old sign-in"
    );
    assert_eq!(refresh(&app, &pair).await.code(), "refresh_token_invalid");
    assert_eq!(app.run(&key, "say hi").await.status, StatusCode::OK);
    assert_eq!(try_to_sign_in(&app, "eve", PASSWORD).await.status, StatusCode::OK);
}

#[tokio::test]
async fn what_a_removed_user_has_running_ends() {
    let app = App::start().await;
    for (name, deleted) in [("disabled", false), ("deleted", true)] {
        let token = app.user(name).await;
        let id = id_of(&app, &token).await;
        let made = app.post(SESSIONS, &token, json!({"language": "python"})).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
        let removing = async {
            eventually(async || (!app.worker.seen().running.is_empty()).then_some(())).await;
            let admin = app.admin().await;
            let answer = if deleted {
                app.delete(&format!("/v1/users/{id}"), &admin).await
            } else {
                change(&app, &id, "disable").await
            };
            assert!(answer.status.is_success(), "{}", answer.text);
            assert!(app.worker.seen().sessions.is_empty(), "the session of the {name} user");
        };
        let (run, ()) = tokio::join!(app.run(&token, "hang"), removing);
        assert_eq!(run.json()["status"], "cancelled", "{}", run.text);
    }
}

#[tokio::test]
async fn of_a_deleted_user_nothing_is_left_to_whoever_gets_the_name() {
    let app = App::start().await;
    let admin = app.admin().await;
    let token = app.user("eve").await;
    let (id, key) = (id_of(&app, &token).await, key_of(&app, &token).await);
    let execution = app.run(&token, "say hi").await.json()["execution_id"].clone();
    let execution = format!("{EXECUTIONS}/{}", execution.as_str().unwrap());
    let path = format!("/v1/users/{id}");
    assert_eq!(app.delete(&path, &admin).await.status, StatusCode::NO_CONTENT);
    assert_eq!(app.delete(&path, &admin).await.code(), "user_not_found");
    assert_eq!(app.get(&path, &admin).await.code(), "user_not_found");
    assert_eq!(change(&app, &id, "enable").await.code(), "user_not_found");
    for credential in [&token, &key] {
        assert_eq!(app.get(EXECUTIONS, credential).await.code(), "credential_invalid");
    }
    assert_eq!(try_to_sign_in(&app, "eve", PASSWORD).await.code(), "bad_credentials");
    let listed = app.get("/v1/users", &admin).await.json();
    assert_eq!(listed["data"].as_array().unwrap().len(), 1, "{listed}");

    let other = app.user("eve").await;
    assert_ne!(id_of(&app, &other).await, id);
    assert_eq!(app.get(&execution, &other).await.code(), "execution_not_found");
    assert_eq!(app.get(EXECUTIONS, &other).await.json()["data"], json!([]));
    assert_eq!(app.get("/v1/api_keys", &other).await.json()["data"], json!([]));
    assert_eq!(app.get("/v1/users/me", &token).await.code(), "credential_invalid");
}

#[tokio::test]
async fn somebody_can_always_administer() {
    let app = App::start().await;
    one_administrator_stays(&app).await;
}

#[tokio::test]
async fn somebody_can_always_administer_on_postgres() {
    let Some(cluster) = Postgres::start() else {
        return;
    };
    one_administrator_stays(&App::start_with(&[("DATABASE_URL", &cluster.url())]).await).await;
}

async fn one_administrator_stays(app: &App) {
    let admin = app.admin().await;
    let first = id_of(app, &admin).await;
    for answer in [
        change(app, &first, "disable").await,
        app.delete(&format!("/v1/users/{first}"), &admin).await,
    ] {
        assert_eq!((answer.status, &*answer.code()), (StatusCode::CONFLICT, "last_admin"));
    }
    assert_eq!(app.get("/v1/users", &admin).await.status, StatusCode::OK, "nothing has changed");

    let body = json!({"username": "second", "password": PASSWORD, "is_admin": true});
    let second = app.post("/v1/users", &admin, body).await.json()["id"].clone();
    let second = second.as_str().unwrap();
    let other = app.sign_in("second").await["access_token"].as_str().unwrap().to_owned();
    let disable = async |id: &str, token: &str| {
        let path = format!("/v1/users/{id}/disable");
        app.send(Method::POST, &path, token, &[], None).await.status
    };
    let (one, two) = tokio::join!(disable(second, &admin), disable(&first, &other));
    assert!((one == StatusCode::OK) != (two == StatusCode::OK), "{one} and {two}");
}

#[tokio::test]
async fn a_changed_password_ends_every_sign_in() {
    let app = App::start().await;
    let token = app.user("eve").await;
    let (key, pair) = (key_of(&app, &token).await, app.sign_in("eve").await);
    let mine = "/v1/users/me/password";
    let body = |password: &str, new: &str| json!({"password": password, "new_password": new});
    let wrong = put(&app, mine, &token, body("something else", NEW)).await;
    assert_eq!((wrong.status, &*wrong.code()), (StatusCode::FORBIDDEN, "wrong_password"));
    for (bad, loc) in [
        (body(PASSWORD, "short"), "new_password"),
        (body("", NEW), "password"),
        (json!({"password": PASSWORD, "new_password": NEW, "is_admin": true}), "is_admin"),
    ] {
        let answer = put(&app, mine, &token, bad).await;
        assert_eq!(answer.json()["errors"][0]["loc"], loc, "{}", answer.text);
    }
    assert_eq!(put(&app, mine, &token, body(PASSWORD, NEW)).await.status, StatusCode::NO_CONTENT);
    assert_eq!(app.get("/v1/users/me", &token).await.code(), "credential_invalid");
    assert_eq!(refresh(&app, &pair).await.code(), "refresh_token_invalid");
    assert_eq!(try_to_sign_in(&app, "eve", PASSWORD).await.code(), "bad_credentials");
    assert_eq!(try_to_sign_in(&app, "eve", NEW).await.status, StatusCode::OK);
    assert_eq!(app.get("/v1/users/me", &key).await.json()["is_admin"], false);
}

#[tokio::test]
async fn a_password_cannot_be_guessed_by_changing_it() {
    let app = App::start().await;
    let token = app.user("eve").await;
    let body = json!({"password": "guess", "new_password": NEW});
    let mut last = String::new();
    for _ in 0..30 {
        last = put(&app, "/v1/users/me/password", &token, body.clone()).await.code();
    }
    assert_eq!(last, "too_many_attempts");
}

#[tokio::test]
async fn administrators_give_others_new_passwords() {
    let app = App::start().await;
    let admin = app.admin().await;
    let token = app.user("eve").await;
    let of = |id: String| format!("/v1/users/{id}/password");
    let (eves, mine) = (of(id_of(&app, &token).await), of(id_of(&app, &admin).await));
    let body = json!({"password": NEW});
    assert_eq!(put(&app, &eves, &token, body.clone()).await.code(), "scope_missing");
    assert_eq!(put(&app, &mine, &admin, body.clone()).await.code(), "own_password");
    assert_eq!(
        put(&app, &of("usr_0".to_owned()), &admin, body.clone()).await.code(),
        "user_not_found"
    );
    let named = json!({"password": "eve"});
    assert_eq!(put(&app, &eves, &admin, named).await.code(), "validation_failed");
    assert_eq!(put(&app, &eves, &admin, body).await.status, StatusCode::NO_CONTENT);
    assert_eq!(app.get("/v1/users/me", &token).await.code(), "credential_invalid");
    assert_eq!(try_to_sign_in(&app, "eve", NEW).await.status, StatusCode::OK);
}

#[tokio::test]
async fn another_gateway_follows_within_seconds() {
    let Some(cluster) = Postgres::start() else {
        return;
    };
    let url = cluster.url();
    let here = App::start_with(&[("DATABASE_URL", &url)]).await;
    let there = App::start_with(&[("DATABASE_URL", &url)]).await;
    let token = here.user("eve").await;
    let (id, key) = (id_of(&here, &token).await, key_of(&here, &token).await);
    for credential in [&token, &key] {
        assert_eq!(there.get("/v1/users/me", credential).await.status, StatusCode::OK);
    }
    assert_eq!(change(&here, &id, "disable").await.status, StatusCode::OK);
    let since = std::time::Instant::now();
    for credential in [&token, &key] {
        eventually(async || {
            let answer = there.get("/v1/users/me", credential).await;
            (answer.status == StatusCode::UNAUTHORIZED).then_some(())
        })
        .await;
    }
    // Five, and what a loaded machine takes.
    assert!(since.elapsed().as_secs() < 15, "{:?}", since.elapsed());
}
