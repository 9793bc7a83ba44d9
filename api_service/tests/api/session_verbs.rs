//! What can be done to a session that lives, and how sessions are found again.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Answer, App, eventually};

const SESSIONS: &str = "/v1/code_interpreter/sessions";

async fn create(app: &App, token: &str, body: Value) -> Value {
    let made = app.post(SESSIONS, token, body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    made.json()
}

fn id(session: &Value) -> &str {
    session["session_id"].as_str().unwrap()
}

async fn verb(app: &App, token: &str, session: &Value, verb: &str) -> Answer {
    app.send(Method::POST, &format!("{SESSIONS}/{}/{verb}", id(session)), token, &[], None).await
}

fn told(answer: &Answer) -> (u16, String) {
    (answer.status.as_u16(), answer.code())
}

#[tokio::test]
async fn a_session_says_what_it_was_made_with_and_what_it_has_used() {
    let app = App::start().await;
    let token = app.user("eve").await;
    let body = json!({
        "idle": 59.5, "auto_resume": false, "limits": {"memory_bytes": 100_000_000},
        "files": {"a/in.txt": "x", "b": {"base64": "AA=="}},
    });
    let made = create(&app, &token, body).await;
    assert_eq!(
        (&made["language"], &made["idle"], &made["auto_resume"], &made["contexts"]),
        (&Value::Null, &json!(60), &json!(false), &json!([]))
    );
    assert_eq!(
        (&made["limits"]["memory_bytes"], &made["usage"]),
        (&json!(100_000_000), &Value::Null)
    );
    let shown = app.get(&format!("{SESSIONS}/{}", id(&made)), &token).await.json();
    let usage = json!({"cpu_ms": 52, "memory_bytes": 1024, "disk_bytes": 4096});
    assert_eq!(shown["usage"], usage);
    let written: Vec<(String, usize)> = {
        let seen = app.worker.seen();
        seen.session_files.iter().map(|file| (file.path.clone(), file.content.len())).collect()
    };
    assert_eq!(written, [("a/in.txt".to_owned(), 1), ("b".to_owned(), 1)]);

    app.worker.end_sessions();
    let lost = app.get(&format!("{SESSIONS}/{}", id(&made)), &token).await.json();
    for field in ["idle", "auto_resume", "limits", "usage"] {
        assert_eq!(lost[field], Value::Null, "{field}");
    }
    let plain = create(&app, &token, json!({"language": "sh"})).await;
    assert_eq!((&plain["language"], &plain["auto_resume"]), (&json!("bash"), &json!(true)));
}

#[tokio::test]
async fn a_session_is_extended_paused_and_resumed() {
    let app = App::start().await;
    let token = app.user("eve").await;
    let made = create(&app, &token, json!({"language": "python"})).await;
    let path = format!("{SESSIONS}/{}/extend", id(&made));
    let extended = app.post(&path, &token, json!({"ttl": 86_400})).await.json();
    assert_eq!(extended["expires_at"], "2096-10-03T07:06:40Z", "the worker's own time");
    let bad = app.post(&path, &token, json!({"ttl": 0.5})).await;
    assert_eq!(told(&bad), (422, "validation_failed".into()));
    for (word, status) in
        [("pause", "paused"), ("pause", "paused"), ("resume", "active"), ("resume", "active")]
    {
        let answer = verb(&app, &token, &made, word).await.json();
        assert_eq!(answer["status"], status, "{word}");
        let shown = app.get(&format!("{SESSIONS}/{}", id(&made)), &token).await.json();
        assert_eq!(
            (&shown["status"], &shown["expires_at"]),
            (&json!(status), &extended["expires_at"])
        );
    }
}

#[tokio::test]
async fn who_pauses_what_is_busy_and_who_uses_what_is_paused_is_told_what_to_do() {
    let app = App::start().await;
    let token = app.user("eve").await;
    let made = create(&app, &token, json!({"language": "python", "auto_resume": false})).await;
    let run = |code: &str| {
        let body = json!({"code": code, "language": "python", "session_id": id(&made)});
        app.post("/v1/code_interpreter/run", &token, body)
    };
    let pausing = async {
        eventually(async || (!app.worker.seen().running.is_empty()).then_some(())).await;
        let busy = verb(&app, &token, &made, "pause").await;
        verb(&app, &token, &made, "interrupt").await;
        busy
    };
    let (_, busy) = tokio::join!(run("hang"), pausing);
    assert_eq!(told(&busy), (409, "session_busy".into()));
    eventually(async || app.worker.seen().running.is_empty().then_some(())).await;
    verb(&app, &token, &made, "pause").await;
    let refused = run("say hi").await;
    assert_eq!(told(&refused), (409, "session_paused".into()));
    assert!(refused.json()["detail"].as_str().unwrap().contains("resume it first"));
    verb(&app, &token, &made, "resume").await;
    assert_eq!(run("say hi").await.json()["stdout"], "hi");
}

#[tokio::test]
async fn verbs_of_a_session_that_is_over_say_so() {
    let app = App::start().await;
    let token = app.user("eve").await;
    let made = create(&app, &token, json!({"language": "python"})).await;
    app.worker.end_sessions();
    for word in ["pause", "resume", "interrupt", "restart"] {
        let answer = verb(&app, &token, &made, word).await;
        assert_eq!(told(&answer), (410, "session_lost".into()), "{word}");
    }
    let path = format!("{SESSIONS}/{}/extend", id(&made));
    let answer = app.post(&path, &token, json!({"ttl": 60})).await;
    assert_eq!(told(&answer), (410, "session_lost".into()));
}

#[tokio::test]
async fn sessions_are_found_by_their_notes_and_by_how_they_are() {
    let app = App::start().await;
    let (token, stranger) = (app.user("eve").await, app.user("mallory").await);
    let mut made = Vec::new();
    for number in 0..5 {
        let metadata = json!({"team": "a b&c", "number": number, "odd": number % 2 == 1});
        let body = json!({"language": "python", "metadata": metadata});
        made.push(create(&app, &token, body).await);
    }
    verb(&app, &token, &made[3], "pause").await;
    let found = async |who: &str, query: &str| {
        let page = app.get(&format!("{SESSIONS}?{query}"), who).await.json();
        let data = page["data"].as_array().unwrap_or_else(|| panic!("{query}: {page}")).clone();
        let numbers = data.iter().map(|one| one["metadata"]["number"].as_u64().unwrap());
        (numbers.collect::<Vec<_>>(), page["next_cursor"].clone())
    };
    let all = "metadata.team=a+b%26c";
    assert_eq!(found(&token, all).await.0, [4, 3, 2, 1, 0]);
    assert_eq!(found(&token, &format!("{all}&metadata.odd=true")).await.0, [3, 1]);
    assert_eq!(found(&token, &format!("{all}&metadata.number=3")).await.0, [3]);
    assert_eq!(found(&token, "status=paused").await.0, [3]);
    assert_eq!(found(&token, "status=active&metadata.odd=true").await.0, [1]);
    for none in ["metadata.team=a", "metadata.nobody=", "status=lost"] {
        assert_eq!(found(&token, none).await, (Vec::new(), Value::Null), "{none}");
    }
    assert!(found(&stranger, all).await.0.is_empty());

    let (first, cursor) = found(&token, &format!("{all}&metadata.odd=false&limit=2")).await;
    assert_eq!(first, [4, 2]);
    let query = format!("{all}&metadata.odd=false&limit=2&cursor={}", cursor.as_str().unwrap());
    assert_eq!(found(&token, &query).await, (vec![0], Value::Null));

    for (query, loc) in [
        ("bogus=1", "bogus"),
        ("metadata.=1", "metadata."),
        ("status=sleepy", "status"),
        ("limit=1&limit=2", "limit"),
        ("limit=0", "limit"),
        ("cursor=x", "cursor"),
    ] {
        let answer = app.get(&format!("{SESSIONS}?{query}"), &token).await;
        assert_eq!(told(&answer), (422, "validation_failed".into()), "{query}");
        assert_eq!(answer.json()["errors"][0]["loc"], loc, "{query}");
    }
}

#[tokio::test]
async fn a_session_gets_another_note() {
    let app = App::start().await;
    let token = app.user("eve").await;
    let made = create(&app, &token, json!({"language": "python", "metadata": {"a": 1}})).await;
    let path = format!("{SESSIONS}/{}", id(&made));
    let patch = async |body: Value| {
        app.send(Method::PATCH, &path, &token, &[], Some(body.to_string())).await
    };
    let changed = patch(json!({"metadata": {"b": [2]}})).await.json();
    assert_eq!(changed["metadata"], json!({"b": [2]}));
    assert_eq!(app.get(&path, &token).await.json()["metadata"], json!({"b": [2]}));
    for bad in [json!({}), json!({"metadata": null}), json!({"metadata": {}, "ttl": 1})] {
        assert_eq!(told(&patch(bad).await), (422, "validation_failed".into()));
    }
    let long = patch(json!({"metadata": {"x": "y".repeat(16 << 10)}})).await;
    assert_eq!(told(&long), (422, "validation_failed".into()));
    app.delete(&path, &token).await;
    assert_eq!(told(&patch(json!({"metadata": {}})).await), (404, "session_not_found".into()));
}
