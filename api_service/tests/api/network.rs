//! What sessions and runs may reach over the network.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Answer, App};

const SESSIONS: &str = "/v1/code_interpreter/sessions";
const RUN: &str = "/v1/code_interpreter/run";

async fn change(app: &App, token: &str, id: &str, body: Value) -> Answer {
    let path = format!("{SESSIONS}/{id}/network");
    app.send(Method::PATCH, &path, token, &[], Some(body.to_string())).await
}

#[tokio::test]
async fn a_session_says_what_it_may_reach() {
    let app = App::start().await;
    let token = app.user("eve").await;
    let plain = app.post(SESSIONS, &token, json!({})).await.json();
    assert_eq!(plain["network"], Value::Null);

    let policy = json!({
        "mode": "allow", "allow": ["example.com", "*.example.org:8443"], "deny": ["x.example.org"],
        "methods": {"example.com": ["GET", "HEAD"]}, "max_bytes": 1000, "max_connections": 5,
    });
    let made = app.post(SESSIONS, &token, json!({"network": policy})).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    let made = made.json();
    assert_eq!(made["network"], policy);
    let id = made["session_id"].as_str().unwrap();

    let changed = change(&app, &token, id, json!({"mode": "none"})).await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.text);
    assert_eq!((&changed.json()["mode"], &changed.json()["allow"]), (&json!("none"), &json!([])));
    let shown = app.get(&format!("{SESSIONS}/{id}"), &token).await.json();
    assert_eq!(shown["network"]["mode"], "none");

    let log = app.get(&format!("{SESSIONS}/{id}/network/log"), &token).await.json();
    let first = json!({
        "at": "2023-11-14T22:13:20Z", "host": "example.com", "port": 443, "sent": 7, "received": 8,
        "verdict": "allowed", "reason": null,
    });
    assert_eq!((&log["connections"][0], &log["forgotten"]), (&first, &json!(3)));
    assert_eq!(log["connections"][1]["reason"], "not_allowed");
}

#[tokio::test]
async fn what_the_operator_does_not_allow_is_refused_by_field() {
    let app = App::start().await;
    let token = app.user("eve").await;
    let network = json!({"allow": ["example.com", "forbidden.test"]});
    let id = app.post(SESSIONS, &token, json!({})).await.json()["session_id"].clone();
    let run = json!({"language": "python", "code": "say hi", "network": network});
    for answer in [
        app.post(SESSIONS, &token, json!({"network": network})).await,
        app.post(RUN, &token, run).await,
        change(&app, &token, id.as_str().unwrap(), network.clone()).await,
    ] {
        assert_eq!((answer.status.as_u16(), &*answer.code()), (403, "network_refused"));
        assert!(answer.text.contains("network.allow[1]"), "{}", answer.text);
    }
    let broken = json!({"deny": ["broken.test"]});
    let answer = change(&app, &token, id.as_str().unwrap(), broken).await;
    assert_eq!((answer.status.as_u16(), &*answer.code()), (503, "network_unavailable"));
    let listed = app.get(SESSIONS, &token).await.json();
    assert_eq!(listed["data"].as_array().unwrap().len(), 1, "what was refused was not made");
}

#[tokio::test]
async fn a_run_has_a_policy_of_its_own_only_outside_of_sessions() {
    let app = App::start().await;
    let token = app.user("eve").await;
    let mut run =
        json!({"language": "python", "code": "say hi", "network": {"allow": ["example.com"]}});
    assert_eq!(app.post(RUN, &token, run.clone()).await.status, StatusCode::OK);
    let sent = app.worker.seen().executes.last().unwrap().network.clone().unwrap();
    assert_eq!((sent.allowed, sent.allow), (true, vec![String::from("example.com")]));

    let session = app.post(SESSIONS, &token, json!({"language": "python"})).await.json();
    run["session_id"] = session["session_id"].clone();
    let answer = app.post(RUN, &token, run).await;
    assert_eq!(answer.json()["errors"][0]["loc"], "network", "{}", answer.text);
}
