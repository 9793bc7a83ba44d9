//! Every route × every kind of caller.

mod files;
mod ownership;
mod registration;
mod strangers;

use std::collections::BTreeSet;

use api_service::domain::scope::{Access, Scope};
use api_service::http::rest;
use reqwest::Method;
use serde_json::json;

use self::strangers::{Stranger, strangers};
use crate::support::App;

/// What callers get who may not. `owner` is what the owner gets.
struct Row {
    method: Method,
    path: &'static str,
    body: Option<serde_json::Value>,
    needs: Access,
    owner: u16,
    /// What another user gets, where the route names something of the owner's.
    foreign: Option<u16>,
}

fn row(method: Method, path: &'static str, needs: Access, owner: u16) -> Row {
    Row { method, path, body: None, needs, owner, foreign: None }
}

/// One that changes a session of the owner's.
fn of_session(method: Method, path: &'static str, owner: u16) -> Row {
    Row { foreign: Some(404), ..row(method, path, Access::Needs(Scope::Sessions), owner) }
}

fn table() -> Vec<Row> {
    use Access::{Needs, SignedIn};
    let (get, post, delete) = (Method::GET, Method::POST, Method::DELETE);
    let user = json!({"username": "made-by-table", "password": "long enough"});
    let passwords = json!({"password": "not the present one", "new_password": "long enough"});
    let run = json!({"code": "say hi", "language": "python"});
    [
        Row { body: Some(user), ..row(post.clone(), "/v1/users", Needs(Scope::Admin), 403) },
        row(get.clone(), "/v1/doctor", Needs(Scope::Admin), 403),
        row(get.clone(), "/v1/users/me", SignedIn, 200),
        Row {
            body: Some(json!({"name": "x"})),
            ..row(post.clone(), "/v1/api_keys", Needs(Scope::Keys), 201)
        },
        row(get.clone(), "/v1/api_keys", Needs(Scope::Keys), 200),
        Row {
            body: Some(run),
            ..row(post.clone(), "/v1/code_interpreter/run", Needs(Scope::Run), 200)
        },
        row(get.clone(), "/v1/code_interpreter/executions", Needs(Scope::Read), 200),
        Row {
            foreign: Some(404),
            ..row(get.clone(), "/v1/code_interpreter/executions/{id}", Needs(Scope::Read), 200)
        },
        Row {
            foreign: Some(404),
            ..row(
                get.clone(),
                "/v1/code_interpreter/executions/{id}/output/{stream}",
                Needs(Scope::Read),
                200,
            )
        },
        Row {
            foreign: Some(404),
            ..row(
                get.clone(),
                "/v1/code_interpreter/executions/{id}/artifacts/{path}",
                Needs(Scope::Read),
                200,
            )
        },
        Row {
            foreign: Some(404),
            ..row(
                get.clone(),
                "/v1/code_interpreter/executions/{id}/events",
                Needs(Scope::Read),
                200,
            )
        },
        Row {
            body: Some(json!({"text": "hi"})),
            foreign: Some(404),
            ..row(
                post.clone(),
                "/v1/code_interpreter/executions/{id}/stdin",
                Needs(Scope::Run),
                409,
            )
        },
        Row {
            foreign: Some(404),
            ..row(
                post.clone(),
                "/v1/code_interpreter/executions/{id}/cancel",
                Needs(Scope::Run),
                409,
            )
        },
        Row {
            body: Some(json!({"language": "python"})),
            ..row(post.clone(), "/v1/code_interpreter/sessions", Needs(Scope::Sessions), 201)
        },
        row(get.clone(), "/v1/code_interpreter/sessions", Needs(Scope::Read), 200),
        Row {
            foreign: Some(404),
            ..row(get.clone(), "/v1/code_interpreter/sessions/{id}", Needs(Scope::Read), 200)
        },
    ]
    .into_iter()
    .chain(files::table())
    .chain([
        Row {
            body: Some(json!({"command": "say hi"})),
            foreign: Some(404),
            ..row(post.clone(), PROCESSES, Needs(Scope::Run), 200)
        },
        Row { foreign: Some(404), ..row(get.clone(), PROCESSES, Needs(Scope::Read), 200) },
        Row { foreign: Some(404), ..row(get.clone(), PROCESS, Needs(Scope::Read), 200) },
        Row {
            foreign: Some(404),
            ..row(get.clone(), processes_of("events"), Needs(Scope::Read), 200)
        },
        Row {
            body: Some(json!({"text": "hi"})),
            foreign: Some(404),
            ..row(post.clone(), processes_of("stdin"), Needs(Scope::Run), 409)
        },
        Row {
            body: Some(json!({"signal": "SIGTERM"})),
            foreign: Some(404),
            ..row(post.clone(), processes_of("signal"), Needs(Scope::Run), 409)
        },
        Row {
            body: Some(json!({"cols": 80, "rows": 24})),
            foreign: Some(404),
            ..row(post.clone(), processes_of("resize"), Needs(Scope::Run), 409)
        },
        Row { foreign: Some(404), ..row(delete.clone(), PROCESS, Needs(Scope::Run), 200) },
        Row {
            foreign: Some(404),
            body: Some(json!({"metadata": {"a": 1}})),
            ..row(Method::PATCH, "/v1/code_interpreter/sessions/{id}", Needs(Scope::Sessions), 200)
        },
        Row {
            foreign: Some(404),
            body: Some(json!({"ttl": 60})),
            ..row(
                post.clone(),
                "/v1/code_interpreter/sessions/{id}/extend",
                Needs(Scope::Sessions),
                200,
            )
        },
        Row {
            body: Some(json!({"allow": ["example.com"]})),
            ..of_session(Method::PATCH, "/v1/code_interpreter/sessions/{id}/network", 200)
        },
        Row {
            foreign: Some(404),
            ..row(
                get.clone(),
                "/v1/code_interpreter/sessions/{id}/network/log",
                Needs(Scope::Read),
                200,
            )
        },
        of_session(post.clone(), "/v1/code_interpreter/sessions/{id}/pause", 200),
        of_session(post.clone(), "/v1/code_interpreter/sessions/{id}/resume", 200),
        of_session(post.clone(), "/v1/code_interpreter/sessions/{id}/interrupt", 200),
        of_session(post.clone(), "/v1/code_interpreter/sessions/{id}/restart", 200),
        Row {
            body: Some(json!({"language": "python"})),
            ..of_session(post.clone(), "/v1/code_interpreter/sessions/{id}/contexts", 201)
        },
        Row {
            foreign: Some(404),
            ..row(
                get.clone(),
                "/v1/code_interpreter/sessions/{id}/contexts",
                Needs(Scope::Read),
                200,
            )
        },
        of_session(
            post.clone(),
            "/v1/code_interpreter/sessions/{id}/contexts/{context_id}/interrupt",
            200,
        ),
        of_session(
            post.clone(),
            "/v1/code_interpreter/sessions/{id}/contexts/{context_id}/restart",
            200,
        ),
        of_session(delete.clone(), "/v1/code_interpreter/sessions/{id}/contexts/{context_id}", 204),
        of_session(delete.clone(), "/v1/code_interpreter/sessions/{id}", 200),
        Row {
            foreign: Some(404),
            ..row(delete.clone(), "/v1/api_keys/{id}", Needs(Scope::Keys), 204)
        },
        row(get.clone(), "/v1/users", Needs(Scope::Admin), 403),
        row(get, "/v1/users/{id}", Needs(Scope::Admin), 403),
        row(delete, "/v1/users/{id}", Needs(Scope::Admin), 403),
        row(post.clone(), "/v1/users/{id}/disable", Needs(Scope::Admin), 403),
        row(post, "/v1/users/{id}/enable", Needs(Scope::Admin), 403),
        Row { body: Some(passwords), ..row(Method::PUT, "/v1/users/me/password", SignedIn, 403) },
        Row {
            body: Some(json!({"password": "long enough"})),
            ..row(Method::PUT, "/v1/users/{id}/password", Needs(Scope::Admin), 403)
        },
    ])
    .collect()
}

const PROCESSES: &str = "/v1/code_interpreter/sessions/{id}/processes";
const PROCESS: &str = "/v1/code_interpreter/sessions/{id}/processes/{pid}";

/// What can be asked about a process.
fn processes_of(what: &str) -> &'static str {
    match what {
        "events" => "/v1/code_interpreter/sessions/{id}/processes/{pid}/events",
        "stdin" => "/v1/code_interpreter/sessions/{id}/processes/{pid}/stdin",
        "signal" => "/v1/code_interpreter/sessions/{id}/processes/{pid}/signal",
        _ => "/v1/code_interpreter/sessions/{id}/processes/{pid}/resize",
    }
}

#[test]
fn the_table_has_every_protected_route() {
    let tested: BTreeSet<_> = table()
        .iter()
        .map(|row| (row.method.to_string(), row.path, format!("{:?}", row.needs)))
        .collect();
    let registered: BTreeSet<_> = rest::protected()
        .iter()
        .map(|row| (row.method.to_string(), row.path, format!("{:?}", row.access)))
        .collect();
    assert_eq!(tested, registered);
    assert!(rest::public().iter().all(|row| row.access == Access::Public));
}

#[tokio::test]
async fn every_caller_gets_what_the_table_says() {
    let app = App::start().await;
    let admin = app.admin().await;
    let owner = app.user("owner").await;
    let foreign = app.user("foreign").await;
    let strangers = strangers(&app, &owner).await;
    let ids = Ids::of(&app, &owner).await;

    for row in table() {
        let path = ids.fill(row.path);
        let body = row.body.clone().map(|body| body.to_string());
        let at = format!("{} {}", row.method, row.path);
        let ask =
            async |token: &str| app.send(row.method.clone(), &path, token, &[], body.clone()).await;
        for Stranger { who, credential, code } in &strangers {
            let answer = ask(credential).await;
            assert_eq!((answer.status.as_u16(), &*answer.code()), (401, *code), "{at} by {who}");
        }
        if let Access::Needs(needed) = row.needs {
            let lacking = key_without(&app, &owner, needed).await;
            let answer = ask(&lacking).await;
            assert_eq!((answer.status.as_u16(), &*answer.code()), (403, "scope_missing"), "{at}");
        }
        if let Some(status) = row.foreign {
            for (who, token) in [("another user", &foreign), ("the admin", &admin)] {
                assert_eq!(ask(token).await.status.as_u16(), status, "{at} by {who}");
            }
        }
        assert_eq!(ask(&owner).await.status.as_u16(), row.owner, "{at} by its owner");
    }
    let user = json!({"username": "by-admin", "password": "long enough"});
    assert_eq!(app.post("/v1/users", &admin, user).await.status.as_u16(), 201);
    assert_eq!(app.get("/v1/doctor", &admin).await.status.as_u16(), 200);
}

#[tokio::test]
async fn unknown_paths_tell_strangers_nothing() {
    let app = App::start().await;
    assert_eq!(app.get("/v1/secret", "").await.status.as_u16(), 401);
    let admin = app.admin().await;
    assert_eq!(app.get("/v1/secret", &admin).await.code(), "not_found");
    let answer = app.send(Method::DELETE, "/v1/users/me", &admin, &[], None).await;
    assert_eq!(
        (answer.code().as_str(), &answer.headers["allow"]),
        ("method_not_allowed", &"GET, HEAD".parse().unwrap())
    );
}

#[tokio::test]
async fn authentication_comes_before_the_body() {
    let app = App::start().await;
    let answer =
        app.send(Method::POST, "/v1/code_interpreter/run", "", &[], Some("{".into())).await;
    assert_eq!(answer.code(), "not_authenticated");
}

struct Ids {
    execution: String,
    session: String,
    process: String,
    key: String,
    user: String,
}

impl Ids {
    async fn of(app: &App, owner: &str) -> Self {
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        let session = json!({"language": "python"});
        let session = app.post("/v1/code_interpreter/sessions", owner, session).await.json();
        let key = app.post("/v1/api_keys", owner, json!({"name": "k"})).await.json();
        let path =
            format!("/v1/code_interpreter/sessions/{}/processes", text(&session["session_id"]));
        let process = app.post(&path, owner, json!({"command": "say hi"})).await.json();
        let run = json!({"code": "say hi", "language": "python", "collect": ["*"]});
        Self {
            process: process["process_id"].to_string(),
            execution: text(
                &app.post("/v1/code_interpreter/run", owner, run).await.json()["execution_id"],
            ),
            session: text(&session["session_id"]),
            key: text(&key["id"]),
            user: text(&app.get("/v1/users/me", owner).await.json()["id"]),
        }
    }

    fn fill(&self, path: &str) -> String {
        let id = match path.split("/{id}").next().and_then(|before| before.rsplit('/').next()) {
            Some("executions") => &self.execution,
            Some("sessions") => &self.session,
            Some("users") => &self.user,
            _ => &self.key,
        };
        // The session's default one, which it was made with.
        let path = path.replace("{context_id}", "ctx_defaultpython");
        let file = if path.contains("/artifacts/") { "plot.png" } else { "made.txt" };
        let path = path.replace("{stream}", "stdout").replace("{path}", file);
        path.replace("{pid}", &self.process).replace("{id}", id)
    }
}

async fn key_without(app: &App, owner: &str, scope: Scope) -> String {
    let others: Vec<&str> = Scope::ALL
        .iter()
        .filter(|other| **other != scope && **other != Scope::Admin)
        .map(|other| other.name())
        .collect();
    let made = app.post("/v1/api_keys", owner, json!({"name": "x", "scopes": others})).await;
    made.json()["key"].as_str().unwrap().to_owned()
}
