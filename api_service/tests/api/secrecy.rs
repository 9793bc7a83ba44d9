//! What must not be in a log is not in it.

use serde_json::json;

use crate::support::{App, SECRET_KEY, captured};

#[tokio::test]
async fn no_secret_and_no_code_is_logged() {
    let app = App::start().await;
    let token = app.admin().await;
    let password = "a-password-that-nobody-logs";
    let user = json!({"username": "quiet", "password": password});
    app.post("/v1/users", &token, user.clone()).await;
    let pair = app.post("/v1/auth/token", "", user).await.json();
    let key = app.post("/v1/api_keys", &token, json!({"name": "k"})).await.json();
    let key = key["key"].as_str().unwrap().to_owned();
    app.run(&key, "say code-that-nobody-logs").await;
    app.run(&key, "break code-that-nobody-logs").await;
    app.get("/v1/users/me", "not-a-token-that-anybody-logs").await;
    app.post("/v1/auth/refresh", "", json!({"refresh_token": pair["refresh_token"]})).await;
    app.post("/v1/auth/refresh", "", json!({"refresh_token": pair["refresh_token"]})).await;

    let log = captured();
    assert!(log.contains("answered"), "the log is kept");
    let refresh = pair["refresh_token"].as_str().unwrap();
    let access = pair["access_token"].as_str().unwrap();
    for secret in
        [password, &*token, access, refresh, &*key, "nobody-logs", "anybody-logs", SECRET_KEY]
    {
        assert!(!log.contains(secret), "the log holds {secret}");
    }
}
