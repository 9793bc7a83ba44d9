//! Other spellings of a path or a method must not lead around what a route asks of its callers.

use reqwest::Method;
use serde_json::json;

use crate::support::{App, Raw};

/// Each is `POST /v1/users` to some reader of the path.
const SPELLINGS: [&str; 16] = [
    "/v1/%75sers",
    "/v1/%75%73%65%72%73",
    "/%76%31/users",
    "/v1//users",
    "//v1/users",
    "/v1/users/",
    "/v1/./users",
    "/v1/x/../users",
    "/v1/users;x=1",
    "/v1/users%00",
    "/v1/users%2f",
    "/v1%2fusers",
    "/v1/users?x=1",
    "/V1/USERS",
    "/v1\\users",
    "/v1/users#x",
];

fn post(path: &str, token: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

#[tokio::test]
async fn no_spelling_of_a_path_makes_a_user_without_the_scope() {
    let app = App::start().await;
    let user = app.user("ordinary").await;
    let urls = [format!("http://{}/v1/users", app.address), "http://evil.example/v1/users".into()];
    let spellings = SPELLINGS.into_iter().chain(urls.iter().map(String::as_str));
    for (number, path) in spellings.enumerate() {
        for token in [&*user, "", "e2b_0123"] {
            let body = json!({"username": format!("made-{number}"), "password": "long enough"});
            let mut raw = Raw::connect(&app).await;
            raw.send(post(path, token, &body.to_string())).await;
            let answer = raw.answer().await;
            let status = answer.as_ref().map(|answer| answer.status);
            let refused = [400, 401, 403, 404];
            assert!(status.is_some_and(|it| refused.contains(&it)), "{path}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn no_spelling_of_a_path_runs_code_with_a_key_that_may_only_read() {
    let app = App::start().await;
    let scopes = json!({"name": "reader", "scopes": ["read"]});
    let key = app.post("/v1/api_keys", &app.admin().await, scopes).await.json();
    let body = json!({"code": "say hi", "language": "python"}).to_string();
    for path in ["/v1/code_interpreter/%72un", "/v1/code%5finterpreter/run"] {
        let mut raw = Raw::connect(&app).await;
        raw.send(post(path, key["key"].as_str().unwrap(), &body)).await;
        assert_eq!(raw.answer().await.unwrap().status, 403, "{path}");
    }
    assert!(app.worker.seen().executes.is_empty());
}

#[tokio::test]
async fn a_percent_in_an_id_does_not_reach_past_it() {
    let app = App::start().await;
    let owner = app.user("owner").await;
    let foreign = app.user("foreign").await;
    let id = app.run(&owner, "say hi").await.json()["execution_id"].as_str().unwrap().to_owned();
    let spelt = id.replacen("exe", "%65xe", 1);
    let path = format!("/v1/code_interpreter/executions/{spelt}");
    assert_eq!(app.get(&path, &owner).await.status.as_u16(), 200);
    assert_eq!(app.get(&path, &foreign).await.status.as_u16(), 404);
    assert_eq!(app.get(&path, "").await.status.as_u16(), 401);
}

#[tokio::test]
async fn no_other_method_stands_for_one_that_needs_more() {
    let app = App::start().await;
    let admin = app.admin().await;
    let key = app.post("/v1/api_keys", &admin, json!({"name": "k"})).await.json();
    let path = format!("/v1/api_keys/{}", key["id"].as_str().unwrap());
    let overriding =
        [("x-http-method-override", "DELETE"), ("x-method-override", "DELETE"), ("_method", "x")];
    for (method, token, expected) in [
        (Method::GET, &*admin, 405),
        (Method::POST, &admin, 405),
        (Method::HEAD, &admin, 405),
        (Method::OPTIONS, &admin, 405),
        (Method::TRACE, &admin, 405),
        (Method::HEAD, "", 401),
        (Method::OPTIONS, "", 401),
        (Method::from_bytes(b"MADEUP").unwrap(), "", 401),
    ] {
        let answer = app.send(method.clone(), &path, token, &overriding, None).await;
        assert_eq!(answer.status.as_u16(), expected, "{method} by {token:?}");
    }
    let listed = app.get("/v1/api_keys", &admin).await.json();
    assert_eq!(listed["data"][0]["id"], key["id"], "it is still there");
}
