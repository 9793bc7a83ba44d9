//! Sign-in, refresh, sign-out, users, API keys.

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::App;

#[tokio::test]
async fn a_form_and_json_both_sign_in() {
    let app = App::start().await;
    let form = "grant_type=password&username=Admin&password=correct%2dnobody-logs-this";
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let answer =
        app.send(Method::POST, "/v1/auth/token", "", &headers, Some(form.to_owned())).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let pair = answer.json();
    assert_eq!((&pair["token_type"], &pair["expires_in"]), (&json!("bearer"), &json!(1800)));
    let me = app.get("/v1/users/me", pair["access_token"].as_str().unwrap()).await.json();
    assert_eq!((&me["username"], &me["is_admin"]), (&json!("admin"), &json!(true)));
    app.sign_in("admin").await;
}

#[tokio::test]
async fn unknown_users_and_wrong_passwords_look_alike() {
    let app = App::start().await;
    let mut details = Vec::new();
    for name in ["admin", "nobody"] {
        let body = json!({"username": name, "password": "wrong password"});
        let answer = app.post("/v1/auth/token", "", body).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert_eq!(answer.code(), "bad_credentials");
        details.push(answer.json()["detail"].clone());
    }
    assert_eq!(details[0], details[1]);
}

#[tokio::test]
async fn guessing_is_limited_by_name() {
    let app = App::start().await;
    let guess = json!({"username": "admin", "password": "wrong password"});
    for _ in 0..10 {
        let answer = app.post("/v1/auth/token", "", guess.clone()).await;
        assert_eq!(answer.code(), "bad_credentials");
    }
    let limited = app.post("/v1/auth/token", "", guess).await;
    assert_eq!(
        (limited.status, &*limited.code()),
        (StatusCode::TOO_MANY_REQUESTS, "too_many_attempts")
    );
    assert!(limited.headers.contains_key("retry-after"));
    let other = json!({"username": "other", "password": "wrong password"});
    assert_eq!(app.post("/v1/auth/token", "", other).await.code(), "bad_credentials");
}

#[tokio::test]
async fn a_used_refresh_token_revokes_its_family() {
    let app = App::start().await;
    let refresh = |token: String| {
        let body = json!({"refresh_token": token});
        async { app.post("/v1/auth/refresh", "", body).await }
    };
    let token = |value: &serde_json::Value| value["refresh_token"].as_str().unwrap().to_owned();
    let first = token(&app.sign_in("admin").await);
    let other = token(&app.sign_in("admin").await);
    let second = token(&refresh(first.clone()).await.json());
    assert_ne!(first, second);
    assert_eq!(refresh(first).await.code(), "refresh_token_invalid");
    assert_eq!(refresh(second).await.code(), "refresh_token_invalid");
    assert_eq!(refresh(other).await.status, StatusCode::OK, "another sign-in is not concerned");
}

#[tokio::test]
async fn a_used_refresh_token_revokes_its_family_after_it_was_forgotten() {
    let app = App::start().await;
    let first = app.sign_in("admin").await["refresh_token"].clone();
    let other = app.sign_in("admin").await["refresh_token"].clone();
    let refresh = async |token: &serde_json::Value| {
        app.post("/v1/auth/refresh", "", json!({"refresh_token": token})).await
    };
    let second = refresh(&first).await.json()["refresh_token"].clone();
    let database = sqlx::AnyPool::connect(app.settings.database_url.expose()).await.unwrap();
    let forgotten = sqlx::query("DELETE FROM refresh_tokens WHERE used_at IS NOT NULL");
    assert_eq!(forgotten.execute(&database).await.unwrap().rows_affected(), 1);
    database.close().await;
    assert_eq!(refresh(&first).await.code(), "refresh_token_invalid");
    assert_eq!(refresh(&second).await.code(), "refresh_token_invalid", "somebody has a copy");
    assert_eq!(refresh(&other).await.status, StatusCode::OK, "another sign-in is not concerned");
}

#[tokio::test]
async fn of_two_who_refresh_at_once_one_wins() {
    let app = App::start().await;
    let token = app.sign_in("admin").await["refresh_token"].clone();
    let body = json!({"refresh_token": token});
    let tries = (0..8).map(|_| app.post("/v1/auth/refresh", "", body.clone()));
    let answers = futures::future::join_all(tries).await;
    let won = answers.iter().filter(|answer| answer.status == StatusCode::OK).count();
    assert_eq!(won, 1);
}

#[tokio::test]
async fn signing_out_ends_the_family() {
    let app = App::start().await;
    let body = json!({"refresh_token": app.sign_in("admin").await["refresh_token"]});
    for _ in 0..2 {
        let answer = app.post("/v1/auth/logout", "", body.clone()).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
    }
    let answer = app.post("/v1/auth/refresh", "", body).await;
    assert_eq!(answer.code(), "refresh_token_invalid");
}

#[tokio::test]
async fn users_have_rules() {
    let app = App::start().await;
    let admin = app.admin().await;
    let cases = [
        (json!({"username": "x", "password": "long enough"}), "username"),
        (json!({"username": "a b", "password": "long enough"}), "username"),
        (json!({"username": "eve", "password": "short"}), "password"),
        (json!({"username": "evelyn-x", "password": "Evelyn-X"}), "password"),
        (json!({"username": "eve", "password": "x".repeat(300)}), "password"),
        (json!({"username": "eve", "password": "long enough", "admin": true}), "admin"),
    ];
    for (body, field) in cases {
        let answer = app.post("/v1/users", &admin, body).await;
        assert_eq!(
            (answer.status, &*answer.code()),
            (StatusCode::UNPROCESSABLE_ENTITY, "validation_failed")
        );
        assert_eq!(answer.json()["errors"][0]["loc"], field);
    }
    app.user("eve").await;
    let again = json!({"username": "EVE", "password": "long enough"});
    assert_eq!(app.post("/v1/users", &admin, again).await.code(), "username_taken");
}

#[tokio::test]
async fn an_api_key_works_until_it_is_deleted() {
    let app = App::start().await;
    let token = app.user("eve").await;
    let made = app.post("/v1/api_keys", &token, json!({"name": "ci"})).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    let made = made.json();
    let key = made["key"].as_str().unwrap();
    assert!(key.len() == 44 && key.starts_with("e2b_"), "{key}");
    let listed = app.get("/v1/api_keys", &token).await;
    assert!(!listed.text.contains(key) && listed.json()["data"][0]["name"] == "ci");

    assert_eq!(app.get("/v1/users/me", key).await.status, StatusCode::OK);
    let by_header = app.send(Method::GET, "/v1/users/me", "", &[("X-API-Key", key)], None).await;
    assert_eq!(by_header.json()["scopes"], json!(["run", "sessions", "read"]));

    let path = format!("/v1/api_keys/{}", made["id"].as_str().unwrap());
    assert_eq!(app.delete(&path, &token).await.status, StatusCode::NO_CONTENT);
    assert_eq!(app.delete(&path, &token).await.code(), "api_key_not_found");
    assert_eq!(app.get("/v1/users/me", key).await.code(), "credential_invalid");
}

#[tokio::test]
async fn a_deleted_api_key_is_refused_at_once_although_it_was_just_used() {
    let app = App::start().await;
    let token = app.user("eve").await;
    for _ in 0..10 {
        let made = app.post("/v1/api_keys", &token, json!({"name": "ci"})).await.json();
        let key = made["key"].as_str().unwrap();
        for _ in 0..2 {
            assert_eq!(app.run(key, "say hi").await.status, StatusCode::OK);
        }
        let path = format!("/v1/api_keys/{}", made["id"].as_str().unwrap());
        let using = futures::future::join_all((0..8).map(|_| app.run(key, "say hi")));
        let (_, deleted) = tokio::join!(using, app.delete(&path, &token));
        assert_eq!(deleted.status, StatusCode::NO_CONTENT);
        assert_eq!(app.run(key, "say hi").await.code(), "credential_invalid");
    }
}

#[tokio::test]
async fn nobody_gives_more_than_they_have() {
    let app = App::start().await;
    let token = app.user("eve").await;
    let admin_key = json!({"name": "x", "scopes": ["admin"]});
    assert_eq!(app.post("/v1/api_keys", &token, admin_key).await.code(), "scope_missing");
    let keys_only = json!({"name": "x", "scopes": ["keys"]});
    let made = app.post("/v1/api_keys", &token, keys_only).await.json();
    let key = made["key"].as_str().unwrap();
    let run_key = json!({"name": "x", "scopes": ["run"]});
    assert_eq!(app.post("/v1/api_keys", key, run_key).await.code(), "scope_missing");
    for (scopes, loc) in [(json!(["root"]), "scopes[0]"), (json!(["run", "run"]), "scopes[1]")] {
        let answer = app.post("/v1/api_keys", &token, json!({"name": "x", "scopes": scopes})).await;
        assert_eq!(answer.json()["errors"][0]["loc"], loc);
    }
    let past = json!({"name": "x", "expires_at": "2020-01-01T00:00:00Z"});
    assert_eq!(
        app.post("/v1/api_keys", &token, past).await.json()["errors"][0]["loc"],
        "expires_at"
    );
}

#[tokio::test]
async fn a_user_has_a_hundred_keys_at_most() {
    let app = App::start().await;
    let (one, other) = (app.user("one").await, app.user("other").await);
    let make = async |token: &str| app.post("/v1/api_keys", token, json!({"name": "k"})).await;
    let mut last = String::new();
    for _ in 0..100 {
        let made = make(&one).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
        last = made.json()["id"].as_str().unwrap().to_owned();
    }
    assert_eq!(make(&one).await.code(), "too_many_api_keys");
    assert_eq!(make(&other).await.status, StatusCode::CREATED);
    app.delete(&format!("/v1/api_keys/{last}"), &one).await;
    assert_eq!(make(&one).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_key_works_beside_a_scheme_of_somebody_else_and_not_beside_another_credential() {
    let app = App::start().await;
    let admin = app.admin().await;
    let key = app.post("/v1/api_keys", &admin, json!({"name": "k"})).await.json()["key"].clone();
    let key = key.as_str().unwrap();
    let me = async |headers: &[(&str, &str)]| {
        app.send(Method::GET, "/v1/users/me", "", headers, None).await
    };
    let bearer = |token: &str| format!("Bearer {token}");
    let proxy = ("authorization", "Basic dXNlcjpwYXNzd29yZA==");
    assert_eq!(me(&[proxy, ("x-api-key", key)]).await.status, StatusCode::OK);
    assert_eq!(me(&[("authorization", &bearer(key)), ("x-api-key", key)]).await.status, 200);
    assert_eq!(me(&[proxy]).await.code(), "not_authenticated");
    assert_eq!(me(&[proxy, ("x-api-key", "e2b_0")]).await.code(), "credential_invalid");
    for (first, second) in [(&*admin, key), ("e2b_0", key), (&*admin, "e2b_0")] {
        let answer = me(&[("authorization", &bearer(first)), ("x-api-key", second)]).await;
        assert_eq!((answer.status.as_u16(), &*answer.code()), (401, "several_credentials"));
    }
    let twice = [("x-api-key", key), ("x-api-key", key)];
    assert_eq!(me(&twice).await.code(), "several_credentials");
}
