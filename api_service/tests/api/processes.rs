//! Commands in sessions: waited for, followed, spoken to; and their terminals.

use proto::execution_v1 as wire;
use reqwest::header::ACCEPT;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Answer, App, Events, TerminalFrame, TerminalSocket, eventually};

const SESSIONS: &str = "/v1/code_interpreter/sessions";

/// A user with a session.
struct Scene {
    app: App,
    token: String,
    /// Path of the processes of the session.
    processes: String,
}

impl Scene {
    async fn new() -> Self {
        let app = App::start().await;
        let token = app.user("eve").await;
        let made = app.post(SESSIONS, &token, json!({"language": "python"})).await.json();
        let processes = format!("{SESSIONS}/{}/processes", made["session_id"].as_str().unwrap());
        Self { app, token, processes }
    }

    async fn start(&self, body: Value) -> Answer {
        self.app.post(&self.processes, &self.token, body).await
    }

    /// The path of a process in the background.
    async fn background(&self, body: Value) -> String {
        let mut body = body;
        body["background"] = json!(true);
        let started = self.start(body).await;
        assert_eq!(started.status, StatusCode::CREATED, "{}", started.text);
        format!("{}/{}", self.processes, started.json()["process_id"])
    }

    async fn follow(&self, path: &str, headers: &[(&str, &str)]) -> Events {
        let url = format!("http://{}{path}", self.app.address);
        let mut request = Client::new().get(url).bearer_auth(&self.token);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Events::of(request.send().await.unwrap())
    }
}

#[tokio::test]
async fn a_command_is_waited_for_whatever_its_end() {
    let scene = Scene::new().await;
    let body = json!({
        "command": ["/bin/echo", "say hi"], "env": {"A": "b"}, "cwd": "./data//in", "tag": "it",
        "stdin": "in full", "timeout": 1.5,
    });
    let said = scene.start(body).await;
    assert_eq!(said.status, StatusCode::OK, "{}", said.text);
    let said = said.json();
    assert_eq!(
        (&said["stdout"], &said["stderr"], &said["exit_code"]),
        (&json!("hi"), &json!(""), &json!(0))
    );
    assert_eq!(
        (&said["status"], &said["signal"], &said["tag"]),
        (&json!("exited"), &Value::Null, &json!("it"))
    );
    assert_eq!((&said["duration_ms"], &said["stdout_bytes"]), (&json!(250), &json!(2)));
    assert_eq!(said["truncated"], json!({"stdout": false, "stderr": false}));
    let asked = scene.app.worker.processes.started().remove(0);
    assert_eq!((asked.working_directory.as_str(), asked.timeout_ms), ("data/in", Some(1500)));
    assert!(asked.awaited && !asked.open_stdin && &asked.stdin[..] == b"in full");

    let failed = scene.start(json!({"command": "fail"})).await.json();
    assert_eq!((&failed["status"], &failed["exit_code"]), (&json!("exited"), &json!(3)));
    let asked = scene.app.worker.processes.started().remove(1);
    assert_eq!(asked.command, ["bash", "-c", "fail"], "a text is for bash");
    assert_eq!(asked.timeout_ms, Some(30_000), "that of a run");

    let loud = scene.start(json!({"command": "loud"})).await.json();
    let text = loud["stdout"].as_str().unwrap();
    assert!(text.len() < 1_100_000 && text.contains("bytes left out"), "{}", text.len());
    assert_eq!(
        (&loud["truncated"]["stdout"], &loud["stdout_bytes"]),
        (&json!(true), &json!(4_000_000))
    );

    let missing = scene.start(json!({"command": ["missing"]})).await;
    assert_eq!((missing.status.as_u16(), &*missing.code()), (422, "not_executable"));
    let full = scene.start(json!({"command": "full"})).await;
    assert_eq!((full.status.as_u16(), &*full.code()), (429, "too_many_processes"));
    assert!(full.headers.contains_key("retry-after"));
}

#[tokio::test]
async fn what_makes_no_sense_is_named() {
    let scene = Scene::new().await;
    for (field, body) in [
        ("command", json!({"command": " "})),
        ("command", json!({"command": []})),
        ("command", json!({"command": ["", "x"]})),
        ("command[1]", json!({"command": ["x", "a\u{0}b"]})),
        ("command", json!({"command": 7})),
        ("cwd", json!({"command": "x", "cwd": "../up"})),
        ("cwd", json!({"command": "x", "cwd": "/etc"})),
        ("timeout", json!({"command": "x", "timeout": 0})),
        ("timeout", json!({"command": "x", "timeout": 1e9})),
        ("timeout", json!({"command": "x", "timeout": 86401, "background": true})),
        ("pty.cols", json!({"command": "x", "pty": {"cols": 0}})),
        ("pty.rows", json!({"command": "x", "pty": {"rows": 1001}})),
        ("tag", json!({"command": "x", "tag": "t".repeat(65)})),
        ("stdin", json!({"command": "x", "stdin": "s".repeat((4 << 20) + 1)})),
        ("more", json!({"command": "x", "more": 1})),
    ] {
        let refused = scene.start(body).await;
        assert_eq!(refused.status.as_u16(), 422, "{field}: {}", refused.text);
        assert_eq!(refused.json()["errors"][0]["loc"], field, "{}", refused.text);
    }
    assert!(scene.app.worker.processes.started().is_empty());
    let one = scene.background(json!({"command": "hang"})).await;
    for signal in ["TERM", "SIGRTMIN", "SIGTERM ", "9", ""] {
        let path = format!("{one}/signal");
        let refused = scene.app.post(&path, &scene.token, json!({"signal": signal})).await;
        assert_eq!(refused.code(), "validation_failed", "{signal}");
    }
}

#[tokio::test]
async fn one_in_the_background_is_listed_spoken_to_and_killed() {
    let scene = Scene::new().await;
    let body = json!({"command": ["cat"], "stdin": {"open": true}, "tag": "cat"});
    let one = scene.background(body).await;
    let asked = scene.app.worker.processes.started().remove(0);
    assert!(!asked.awaited && asked.open_stdin && asked.timeout_ms.is_none());
    let (app, token) = (&scene.app, &scene.token);
    let listed = app.get(&scene.processes, token).await.json();
    assert_eq!(listed["data"][0]["tag"], "cat");
    assert_eq!(app.get(&one, token).await.json()["status"], "running");
    let wrote = app.post(&format!("{one}/stdin"), token, json!({"text": "hi\n"})).await;
    assert_eq!(wrote.json(), json!({"accepted_bytes": 3}), "{}", wrote.text);
    let signal = json!({"signal": "SIGUSR1"});
    let sent = app.post(&format!("{one}/signal"), token, signal.clone()).await;
    assert_eq!(sent.status, StatusCode::NO_CONTENT);
    assert_eq!(app.worker.processes.signals()[0].1, "SIGUSR1");
    let resize = app.post(&format!("{one}/resize"), token, json!({"cols": 9, "rows": 9})).await;
    assert_eq!((resize.status.as_u16(), &*resize.code()), (409, "no_terminal"));
    for _ in 0..2 {
        let killed = app.delete(&one, token).await;
        assert_eq!(killed.status, StatusCode::OK, "{}", killed.text);
        assert_eq!(
            (&killed.json()["status"], &killed.json()["signal"]),
            (&json!("killed"), &json!("SIGKILL"))
        );
    }
    let closed = app.post(&format!("{one}/stdin"), token, json!({"text": "x"})).await;
    assert_eq!((closed.status.as_u16(), &*closed.code()), (409, "stdin_closed"));
    let ended = app.post(&format!("{one}/signal"), token, signal).await;
    assert_eq!((ended.status.as_u16(), &*ended.code()), (409, "process_ended"));
    for unknown in ["999", "x", "-1"] {
        let path = format!("{}/{unknown}", scene.processes);
        assert_eq!(app.delete(&path, token).await.code(), "process_not_found", "{unknown}");
    }
    let terminal = scene.background(json!({"command": "bash", "pty": {}})).await;
    let size = scene.app.worker.processes.started()[1].terminal;
    assert_eq!(size, Some(wire::TerminalSize { columns: 80, rows: 24 }));
    let larger = json!({"cols": 132, "rows": 50});
    let resize = app.post(&format!("{terminal}/resize"), token, larger).await;
    assert_eq!(resize.status, StatusCode::NO_CONTENT);
    assert_eq!(app.worker.processes.sizes(), [(132, 50)]);
}

#[tokio::test]
async fn it_is_told_as_it_happens_and_again_from_any_number() {
    let scene = Scene::new().await;
    let request = Client::new()
        .post(format!("http://{}{}", scene.app.address, scene.processes))
        .bearer_auth(&scene.token)
        .header(ACCEPT, "text/event-stream")
        .json(&json!({"command": "say \u{e4}"}));
    let mut events = Events::of(request.send().await.unwrap());
    let mut told = Vec::new();
    while let Some(event) = events.next().await {
        told.push(event);
    }
    let names: Vec<_> = told.iter().map(|event| (event.id, event.name.as_str())).collect();
    assert_eq!(names, [(Some(1), "started"), (Some(2), "stdout"), (Some(3), "finished")]);
    assert_eq!(told[1].data, json!({"text": "\u{e4}", "offset": 0}));
    assert_eq!(
        (&told[2].data["status"], &told[2].data["exit_code"]),
        (&json!("exited"), &json!(0))
    );
    let one = format!("{}/{}/events", scene.processes, told[0].data["process_id"]);
    let mut again = scene.follow(&format!("{one}?after=1"), &[]).await;
    assert_eq!(again.next().await, Some(told[1].clone()));
    let mut rest = scene.follow(&format!("{one}?after=1"), &[("last-event-id", "2")]).await;
    assert_eq!((rest.next().await, rest.next().await), (Some(told[2].clone()), None));
    let none = scene.app.get(&format!("{one}?after=3"), &scene.token).await;
    assert_eq!(none.status, StatusCode::NO_CONTENT);

    let gap = scene.background(json!({"command": "gap"})).await;
    let mut events = scene.follow(&format!("{gap}/events"), &[]).await;
    events.next().await;
    let gap = events.next().await.unwrap();
    assert_eq!((gap.name.as_str(), gap.data), ("gap", json!({"first": 2, "last": 2})));
    assert_eq!(events.next().await.unwrap().data, json!({"text": "there", "offset": 4}));
}

#[tokio::test]
async fn who_follows_is_told_of_the_end_of_the_session_and_of_the_worker() {
    let scene = Scene::new().await;
    let one = scene.background(json!({"command": "hang"})).await;
    let path = format!("{one}/events");
    let mut events = scene.follow(&path, &[]).await;
    assert_eq!(events.next().await.unwrap().name, "started");
    let write = json!({"text": "x"});
    scene.app.worker.end_sessions();
    // It asks again when something happens, or by itself after a while.
    scene.app.worker.kill();
    let last = events.next().await.unwrap();
    assert_eq!((last.id, last.name.as_str()), (None, "finished"));
    assert_eq!(last.data["problem"]["code"], "worker_unavailable", "{last:?}");
    assert_eq!(events.next().await, None);
    scene.app.worker.revive().await;
    let lost = scene.app.post(&format!("{one}/stdin"), &scene.token, write).await;
    assert_eq!((lost.status.as_u16(), &*lost.code()), (410, "session_lost"));
}

#[tokio::test]
async fn a_key_starts_one_and_a_caller_who_leaves_ends_none() {
    let scene = Scene::new().await;
    let body = json!({"command": "hang", "background": true}).to_string();
    let key = [("idempotency-key", "once")];
    let ask = async || {
        let (method, path) = (Method::POST, &scene.processes);
        scene.app.send(method, path, &scene.token, &key, Some(body.clone())).await
    };
    let (first, again) = (ask().await, ask().await);
    assert_eq!((first.status, again.status), (StatusCode::CREATED, StatusCode::CREATED));
    assert_eq!(first.json(), again.json());
    assert_eq!(again.headers["idempotent-replayed"], "true");
    assert_eq!(scene.app.worker.processes.started().len(), 1);

    let waiting = scene.start(json!({"command": "hang too"}));
    assert!(tokio::time::timeout(std::time::Duration::from_millis(300), waiting).await.is_err());
    let listed = eventually(async || {
        let listed = scene.app.get(&scene.processes, &scene.token).await.json();
        (listed["data"].as_array().unwrap().len() == 2).then_some(listed)
    })
    .await;
    assert_eq!(listed["data"][1]["status"], "running", "nobody waits, and it goes on");
}

#[tokio::test]
async fn a_terminal_is_bytes_both_ways() {
    let scene = Scene::new().await;
    let one = scene.background(json!({"command": "bash", "pty": {"cols": 80}})).await;
    let path = format!("{one}/tty?since=2");
    let bearer = format!("Bearer {}", scene.token);
    let by_header = [("authorization", bearer.as_str())];
    let mut socket = TerminalSocket::open(&scene.app, &path, &by_header).await.ok().unwrap();
    let attached = json!({"attached": {"offset": 5, "gap": {"bytes": 3}}});
    assert_eq!(socket.next().await, TerminalFrame::Text(attached));
    socket.types("ls\r").await;
    assert_eq!(socket.next().await, TerminalFrame::Bytes(b"ls\r".to_vec()));
    socket.says(json!({"ack": 8})).await;
    socket.says(json!({"resize": {"cols": 100, "rows": 30}})).await;
    eventually(async || (scene.app.worker.processes.sizes() == [(8, 0), (100, 30)]).then_some(()))
        .await;
    socket.types("exit").await;
    let exit = json!({"exit": {"status": "exited", "exit_code": 7, "signal": null}});
    assert_eq!(socket.next().await, TerminalFrame::Text(exit));
    assert_eq!(socket.next().await, TerminalFrame::Closed(1000));

    let mut socket = TerminalSocket::open(&scene.app, &path, &by_header).await.ok().unwrap();
    socket.next().await;
    socket.types("take over").await;
    assert_eq!(socket.next().await, TerminalFrame::Closed(4001));
    for wrong in [json!({"resize": {"cols": 0, "rows": 1}}), json!({"ack": "x"}), json!(1)] {
        let mut socket = TerminalSocket::open(&scene.app, &path, &by_header).await.ok().unwrap();
        socket.next().await;
        socket.says(wrong).await;
        assert_eq!(socket.next().await, TerminalFrame::Closed(4400));
    }
}

#[tokio::test]
async fn a_terminal_is_opened_by_whom_it_belongs_to() {
    let app = App::start_with(&[("CORS_ORIGINS", "https://ours.example")]).await;
    let scene = Scene { token: app.user("eve").await, processes: String::new(), app };
    let made = scene.app.post(SESSIONS, &scene.token, json!({"language": "python"})).await.json();
    let processes = format!("{SESSIONS}/{}/processes", made["session_id"].as_str().unwrap());
    let scene = Scene { processes, ..scene };
    let one = scene.background(json!({"command": "bash", "pty": {}})).await;
    let plain = scene.background(json!({"command": "hang"})).await;
    let path = format!("{one}/tty");
    let foreign = format!("Bearer {}", scene.app.user("mallory").await);
    let bearer = format!("Bearer {}", scene.token);
    let reading = json!({"name": "reads", "scopes": ["read", "sessions"]});
    let reading = scene.app.post("/v1/api_keys", &scene.token, reading).await.json();
    let reading = reading["key"].as_str().unwrap().to_owned();
    let open = async |path: &str, headers: &[(&str, &str)]| {
        TerminalSocket::open(&scene.app, path, headers).await
    };
    for (code, path, headers) in [
        ((404, "session_not_found"), &path, &[("authorization", foreign.as_str())][..]),
        ((401, "credential_invalid"), &path, &[("authorization", "Bearer e2b_x")]),
        ((403, "scope_missing"), &path, &[("x-api-key", &reading)]),
        ((403, "origin_refused"), &path, &[("origin", "https://theirs.example")]),
        ((409, "no_terminal"), &format!("{plain}/tty"), &[("authorization", &bearer)]),
        ((404, "process_not_found"), &format!("{one}0/tty"), &[("authorization", &bearer)]),
        ((422, "validation_failed"), &format!("{path}?since=-1"), &[("authorization", &bearer)]),
    ] {
        let (status, problem) = open(path, headers).await.err().expect("it is refused");
        assert_eq!((status, problem["code"].as_str().unwrap()), code, "{problem}");
    }
    let no_socket = scene.app.get(&path, &scene.token).await;
    assert_eq!((no_socket.status.as_u16(), &*no_socket.code()), (426, "upgrade_needed"));

    // As a page does.
    let page = [("origin", "https://ours.example")];
    let Ok(mut socket) = open(&path, &page).await else { panic!("it is asked in a frame") };
    socket.says(json!({"op": "auth", "token": scene.token})).await;
    assert!(
        matches!(socket.next().await, TerminalFrame::Text(text) if text["attached"].is_object())
    );
    let foreign = foreign.strip_prefix("Bearer ").unwrap();
    for (code, close, first) in [
        ("not_authenticated", 4401, json!({"ack": 1})),
        ("credential_invalid", 4401, json!({"op": "auth", "token": "e2b_x"})),
        ("scope_missing", 4403, json!({"op": "auth", "token": reading})),
        ("session_not_found", 4404, json!({"op": "auth", "token": foreign})),
    ] {
        let Ok(mut socket) = open(&path, &page).await else { panic!("it is asked in a frame") };
        socket.says(first).await;
        let TerminalFrame::Text(refused) = socket.next().await else { panic!("{code}") };
        assert_eq!(refused["problem"]["code"], code, "{refused}");
        assert_eq!(socket.next().await, TerminalFrame::Closed(close), "{code}");
    }
}
