//! What is somebody's is nobody else's, however it is named: by a path, a body, a cursor, a header.

use jsonwebtoken::{EncodingKey, Header, encode};
use reqwest::Method;
use serde_json::json;

use super::Ids;
use crate::support::{App, SECRET_KEY};

#[tokio::test]
async fn a_token_that_outlives_its_user_is_good_for_nothing() {
    let app = App::start().await;
    let claims = json!({
        "iss": "crucible", "aud": "crucible-api", "sub": "usr_gone", "jti": "1", "iat": 0,
        "exp": 4_000_000_000_i64, "admin": true,
    });
    let key = EncodingKey::from_secret(SECRET_KEY.as_bytes());
    let token = encode(&Header::default(), &claims, &key).unwrap();
    assert_eq!(app.run(&token, "say hi").await.code(), "credential_invalid");
    for (path, body) in [
        ("/v1/api_keys", json!({"name": "x"})),
        ("/v1/code_interpreter/sessions", json!({"language": "python"})),
    ] {
        assert_eq!(app.post(path, &token, body).await.code(), "credential_invalid", "{path}");
    }
    assert_eq!(app.get("/v1/users/me", &token).await.code(), "credential_invalid");
    let list = app.get("/v1/code_interpreter/executions", &token).await;
    assert_eq!(list.code(), "credential_invalid");
    assert!(app.worker.seen().executes.is_empty());
}

/// A body can name what belongs to somebody else, too.
#[tokio::test]
async fn a_run_in_a_foreign_session_is_not_found_and_not_run() {
    let app = App::start().await;
    let (owner, foreign, admin) =
        (app.user("owner").await, app.user("foreign").await, app.admin().await);
    let session = app.post("/v1/code_interpreter/sessions", &owner, json!({"language": "python"}));
    let id = session.await.json()["session_id"].clone();
    let body = json!({"code": "say hi", "language": "python", "session_id": id});
    for token in [&foreign, &admin] {
        let answer = app.post("/v1/code_interpreter/run", token, body.clone()).await;
        assert_eq!((answer.status.as_u16(), &*answer.code()), (404, "session_not_found"));
    }
    let answer = app.post("/v1/code_interpreter/run", &owner, body).await;
    assert_eq!(answer.status.as_u16(), 200);
    let listed = app.get("/v1/code_interpreter/executions", &foreign).await.json();
    assert_eq!(listed["data"], json!([]), "a refused run is no execution");
}

/// A cursor is an id: somebody else's must show nothing of theirs.
#[tokio::test]
async fn lists_and_cursors_show_ones_own_only() {
    let app = App::start().await;
    let (owner, foreign) = (app.user("owner").await, app.user("foreign").await);
    let ids = Ids::of(&app, &owner).await;
    for (path, cursor) in [
        ("/v1/code_interpreter/executions", &ids.execution),
        ("/v1/code_interpreter/sessions", &ids.session),
        ("/v1/api_keys", &ids.key),
    ] {
        for query in ["", &format!("?cursor={cursor}"), "?limit=250"] {
            for token in [&foreign, &app.admin().await] {
                let list = app.get(&format!("{path}{query}"), token).await.json();
                assert_eq!(list["data"], json!([]), "{path}{query}");
            }
        }
    }
}

#[tokio::test]
async fn an_idempotency_key_of_another_user_is_another_key() {
    let app = App::start().await;
    let (owner, foreign) = (app.user("owner").await, app.user("foreign").await);
    let key = [("idempotency-key", "the-same")];
    let body = json!({"code": "say mine", "language": "python"}).to_string();
    let path = "/v1/code_interpreter/run";
    let ask = async |token: &str| {
        app.send(Method::POST, path, token, &key, Some(body.clone())).await.json()["execution_id"]
            .clone()
    };
    let (mine, other) = (ask(&owner).await, ask(&foreign).await);
    assert_ne!(mine, other);
    assert_eq!(ask(&owner).await, mine);
}

#[tokio::test]
async fn a_key_cannot_make_a_key_that_may_more() {
    let app = App::start().await;
    let admin = app.admin().await;
    let keys_only = json!({"name": "k", "scopes": ["keys"]});
    let key = app.post("/v1/api_keys", &admin, keys_only.clone()).await.json()["key"].clone();
    let key = key.as_str().unwrap();
    for scope in ["run", "sessions", "read", "admin"] {
        let more = json!({"name": "more", "scopes": ["keys", scope]});
        assert_eq!(app.post("/v1/api_keys", key, more).await.code(), "scope_missing", "{scope}");
    }
    assert_eq!(app.post("/v1/api_keys", key, keys_only).await.status.as_u16(), 201);
}
