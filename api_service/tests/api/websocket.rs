//! Many runs on one socket.

use std::time::Duration;

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{App, Socket, eventually};

const EXECUTIONS: &str = "/v1/code_interpreter/executions";

fn execute(name: &str, code: &str) -> Value {
    json!({"op": "execute", "ref": name, "code": code, "language": "python"})
}

async fn until(socket: &mut Socket, name: &str, event: &str) -> Value {
    loop {
        let frame = socket.next_of(name).await;
        if frame["event"] == event {
            return frame;
        }
        assert_ne!(frame["event"], "finished", "{frame}");
    }
}

#[tokio::test]
async fn two_runs_on_one_socket_are_told_apart() {
    let app = App::start().await;
    let mut socket = Socket::of(&app, &app.admin().await).await;
    let mut first = execute("a", "echo");
    first["stdin"] = json!({"open": true});
    socket.send(first).await;
    until(&mut socket, "a", "started").await;
    socket.send(execute("b", "hang")).await;
    let begun = until(&mut socket, "b", "stdout").await;
    assert_eq!((&begun["n"], &begun["data"]["text"]), (&json!(2), &json!("begun\n")));
    socket.send(json!({"op": "stdin", "ref": "a", "text": "one\n"})).await;
    assert_eq!(until(&mut socket, "a", "stdout").await["data"]["text"], "one\n");
    socket.send(json!({"op": "cancel", "ref": "b"})).await;
    assert_eq!(until(&mut socket, "b", "finished").await["data"]["status"], "cancelled");
    socket.send(json!({"op": "stdin", "ref": "a", "text": "two\n", "eof": true})).await;
    let answer = until(&mut socket, "a", "finished").await;
    assert_eq!(answer["data"]["stdout"], "one\ntwo\n");
    socket.send(json!({"op": "ping"})).await;
    assert_eq!(socket.next().await.unwrap(), json!({"event": "pong"}));
    // The name is free again, and the end of a run that ended before can be told again.
    let follow = json!({"op": "follow", "ref": "a", "execution_id": answer["data"]["execution_id"], "after": 3});
    socket.send(follow).await;
    let again = until(&mut socket, "a", "finished").await;
    assert_eq!(again["data"], answer["data"]);
}

#[tokio::test]
async fn whoever_closes_the_socket_wants_its_runs_no_more() {
    let app = App::start().await;
    let token = app.admin().await;
    let mut socket = Socket::of(&app, &token).await;
    socket.send(execute("a", "hang")).await;
    let mut detached = execute("b", "hang");
    detached["detached"] = json!(true);
    socket.send(detached).await;
    let id = |frame: Value| frame["data"]["execution_id"].as_str().unwrap().to_owned();
    let ended = id(until(&mut socket, "a", "started").await);
    let kept = id(until(&mut socket, "b", "started").await);
    drop(socket);
    eventually(async || app.worker.seen().abandoned.contains(&ended).then_some(())).await;
    let record = app.get(&format!("{EXECUTIONS}/{kept}"), &token).await.json();
    assert_eq!(record["status"], "running");
    let mut other = Socket::of(&app, &token).await;
    other.send(json!({"op": "follow", "ref": "x", "execution_id": kept})).await;
    assert_eq!(other.next_of("x").await["n"], 1);
    drop(other);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!app.worker.seen().abandoned.contains(&kept), "who only follows ends nothing");
}

#[tokio::test]
async fn a_socket_needs_a_credential_in_time_and_of_an_allowed_page() {
    let app = App::start_with(&[("CORS_ORIGINS", "https://app.example.org")]).await;
    let token = app.admin().await;
    let bearer = format!("Bearer {token}");
    let page = |origin| [("authorization", &*bearer), ("origin", origin)];
    assert!(Socket::open(&app, &page("https://app.example.org")).await.is_ok());
    let (status, body) = Socket::open(&app, &page("https://evil.example")).await.err().unwrap();
    assert!(status == 403 && body.contains("origin_refused"), "{body}");
    let (status, body) =
        Socket::open(&app, &[("authorization", "Bearer e2b_0")]).await.err().unwrap();
    assert!(status == 401 && body.contains("credential_invalid"), "{body}");
    let (status, _) = Socket::open(&app, &[("authorization", "Bearer ")]).await.err().unwrap();
    assert_eq!(status, 401, "a bad header is not made good by a frame");
    assert_eq!(app.get("/v1/code_interpreter/ws", &token).await.code(), "upgrade_needed");

    // By a frame, as browsers must.
    let mut socket = Socket::open(&app, &[]).await.unwrap_or_else(|no| panic!("{no:?}"));
    socket.send(json!({"op": "auth", "token": token})).await;
    assert_eq!(socket.next().await.unwrap(), json!({"event": "authenticated"}));
    socket.send(execute("a", "say hi")).await;
    assert_eq!(until(&mut socket, "a", "finished").await["data"]["stdout"], "hi");
    for first in [
        json!({"op": "auth", "token": "e2b_0"}),
        json!({"op": "execute", "ref": "a", "code": "say hi", "language": "python"}),
        json!("x"),
    ] {
        let mut socket = Socket::open(&app, &[]).await.unwrap_or_else(|no| panic!("{no:?}"));
        socket.send(first).await;
        assert_eq!(socket.next().await, Err(4401));
    }
    let mut silent = Socket::open(&app, &[]).await.unwrap_or_else(|no| panic!("{no:?}"));
    assert_eq!(silent.next().await, Err(4408));
    let mut large = Socket::open(&app, &[]).await.unwrap_or_else(|no| panic!("{no:?}"));
    large.send(json!({"op": "auth", "token": "x".repeat(20_000)})).await;
    assert_eq!(large.next().await, Err(1009));
    assert_eq!(app.worker.seen().executes.len(), 1);
}

#[tokio::test]
async fn a_frame_may_do_what_its_scopes_allow_and_what_is_foreign_is_not_found() {
    let app = App::start().await;
    let (owner, foreign) = (app.user("owner").await, app.user("foreign").await);
    let id = app.run(&owner, "say hi").await.json()["execution_id"].clone();
    let mut socket = Socket::of(&app, &foreign).await;
    for (name, id) in [("a", id.clone()), ("b", json!("exe_none"))] {
        socket.send(json!({"op": "follow", "ref": name, "execution_id": id})).await;
        let told = socket.next_of(name).await;
        assert_eq!(told["event"], "finished");
        assert_eq!(told["data"]["problem"]["code"], "execution_not_found");
    }
    for (scope, frame) in [
        ("read", execute("a", "say hi")),
        ("read", json!({"op": "cancel", "ref": "a"})),
        ("read", json!({"op": "stdin", "ref": "a", "text": "x"})),
        ("run", json!({"op": "follow", "ref": "a", "execution_id": id})),
    ] {
        let key = app.post("/v1/api_keys", &owner, json!({"name": "k", "scopes": [scope]})).await;
        let mut socket = Socket::of(&app, key.json()["key"].as_str().unwrap()).await;
        socket.send(frame.clone()).await;
        let told = socket.next().await.unwrap();
        assert_eq!((&told["event"], &told["ref"]), (&json!("error"), &json!("a")), "{frame}");
        assert_eq!(told["data"]["problem"]["code"], "scope_missing", "{frame}");
    }
    assert_eq!(app.worker.seen().executes.len(), 1);
}

#[tokio::test]
async fn frames_that_are_none_are_told_of_and_change_nothing() {
    let app = App::start().await;
    let mut socket = Socket::of(&app, &app.admin().await).await;
    socket.send(execute("a", "hang")).await;
    until(&mut socket, "a", "stdout").await;
    for (frame, name, code) in [
        (json!({"op": "dance", "ref": "a"}), json!("a"), "validation_failed"),
        (json!([1]), Value::Null, "validation_failed"),
        (execute("a", "say hi"), json!("a"), "validation_failed"),
        (json!({"op": "stdin", "ref": "a", "text": "x"}), json!("a"), "stdin_closed"),
        (json!({"op": "cancel", "ref": "b"}), json!("b"), "execution_not_running"),
    ] {
        socket.send(frame.clone()).await;
        let told = socket.next().await.unwrap();
        assert_eq!((&told["event"], &told["ref"]), (&json!("error"), &name), "{frame}");
        assert_eq!(told["data"]["problem"]["code"], code, "{frame}");
    }
    socket.send_raw(Message::text("{")).await;
    assert_eq!(socket.next().await.unwrap()["data"]["problem"]["code"], "invalid_json");
    // What is refused as a whole is an end, as over HTTP a problem.
    socket.send(execute("c", "full")).await;
    assert_eq!(until(&mut socket, "c", "finished").await["data"]["problem"]["code"], "worker_full");
    for number in 0..15 {
        socket.send(execute(&format!("more {number}"), "hang")).await;
        until(&mut socket, &format!("more {number}"), "started").await;
    }
    socket.send(execute("too many", "hang")).await;
    assert_eq!(socket.next_of("too many").await["event"], "error");
    socket.send_raw(Message::binary(vec![1])).await;
    loop {
        match socket.next().await {
            Ok(_) => {}
            Err(code) => break assert_eq!(code, 1003),
        }
    }
}

#[tokio::test]
async fn a_client_that_answers_no_ping_is_sent_no_more_than_a_window() {
    let app = App::start().await;
    let token = app.admin().await;
    let mut socket = Socket::of(&app, &token).await;
    socket.send(execute("long", "long")).await;
    socket.send(execute("a", "say hi")).await;
    // It reads nothing, and nothing of it is lost to those who read.
    eventually(async || {
        let page = app.get(EXECUTIONS, &token).await.json();
        let ended = |run: &Value| run["status"] == "succeeded";
        page["data"].as_array().unwrap().iter().all(ended).then_some(())
    })
    .await;
    let answer = until(&mut socket, "long", "finished").await;
    assert_eq!(answer["data"]["results"].as_array().unwrap().len(), 12);
}

#[tokio::test]
async fn a_gateway_that_stops_closes_its_sockets_and_says_why() {
    let mut app = App::start().await;
    let token = app.admin().await;
    let mut idle = Socket::of(&app, &token).await;
    idle.send(json!({"op": "ping"})).await;
    idle.next().await.unwrap();
    let ((), closed) = tokio::join!(app.stop(), idle.next());
    assert_eq!(closed, Err(1001));
}

#[tokio::test]
async fn a_credential_that_is_revoked_ends_its_socket() {
    let app = App::start().await;
    let token = app.admin().await;
    let made = app.post("/v1/api_keys", &token, json!({"name": "k"})).await.json();
    let mut socket = Socket::of(&app, made["key"].as_str().unwrap()).await;
    socket.send(execute("a", "hang")).await;
    until(&mut socket, "a", "started").await;
    app.delete(&format!("/v1/api_keys/{}", made["id"].as_str().unwrap()), &token).await;
    loop {
        match socket.next().await {
            Ok(_) => {}
            Err(code) => break assert_eq!(code, 4401),
        }
    }
    eventually(async || (!app.worker.seen().abandoned.is_empty()).then_some(())).await;
}
