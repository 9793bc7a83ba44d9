//! Answers for a model: a text, no more than that, and files.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::App;

const RUN: &str = "/v1/code_interpreter/run";

async fn run(app: &App, token: &str, more: Value) -> Value {
    let mut body = json!({"language": "python"});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let answer = app.post(RUN, token, body).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    answer.json()
}

#[tokio::test]
async fn a_text_has_everything_in_its_order_and_the_error_last() {
    let app = App::start().await;
    let token = app.user("eve").await;
    let answer = run(&app, &token, json!({"code": "mixed", "for_model": 1000})).await;
    let text = "one\n99%\nthree\nfour\nfailed: KeyError: 'five'\nhint: look";
    assert_eq!(answer["text"], text);
    assert_eq!(answer["stdout"], "one\nthree\n", "the rest is as it was");
    let id = answer["execution_id"].as_str().unwrap();
    let seen = app.get(&format!("/v1/code_interpreter/executions/{id}"), &token).await.json();
    assert_eq!(seen["text"], text);
    let without = run(&app, &token, json!({"code": "mixed"})).await;
    for field in ["text", "artifacts", "files_changed"] {
        assert!(without.get(field).is_none(), "nobody asked for {field}: {without}");
    }
}

#[tokio::test]
async fn a_compact_answer_is_nothing_but_status_exit_code_and_text() {
    let app = App::start().await;
    let token = app.user("eve").await;
    let answer = run(&app, &token, json!({"code": "say 1", "answer": "compact"})).await;
    assert_eq!(answer, json!({"status": "succeeded", "exit_code": 0, "text": "1"}));
    let long = "x".repeat(9000);
    let code = format!("say {long}");
    let answer = run(&app, &token, json!({"code": code, "answer": "compact"})).await;
    let text = answer["text"].as_str().unwrap();
    assert!((7900..=8000).contains(&text.chars().count()));
    let gap = text.lines().find(|line| line.starts_with('…')).unwrap();
    assert!(gap.contains("of 9000 characters left out; all: /v1/code_interpreter/executions/exe_"));
    let path = gap.split("all: ").nth(1).unwrap().trim_end_matches("] …");
    assert_eq!(app.get(path, &token).await.text, long, "where it says, there it is");
}

#[tokio::test]
async fn a_repeated_request_gets_the_same_text() {
    let app = App::start().await;
    let token = app.user("eve").await;
    let body = json!({
        "code": "mixed", "language": "python", "answer": "compact", "collect": ["*"]
    });
    let ask = async || {
        let headers = [("idempotency-key", "once")];
        app.send(Method::POST, RUN, &token, &headers, Some(body.to_string())).await
    };
    let (first, second) = (ask().await, ask().await);
    assert_eq!((&first.text, second.status), (&second.text, StatusCode::OK));
    assert_eq!(second.headers["idempotent-replayed"], "true");
    assert_eq!(app.worker.seen().executes.len(), 1);
}

#[tokio::test]
async fn files_are_told_and_fetched() {
    let app = App::start().await;
    let token = app.user("eve").await;
    let answer = run(&app, &token, json!({"code": "say 1", "collect": ["*.png", "out/**"]})).await;
    assert_eq!(app.worker.seen().executes[0].collect, ["*.png", "out/**"]);
    let id = answer["execution_id"].as_str().unwrap();
    let url = format!("/v1/code_interpreter/executions/{id}/artifacts/");
    let until = "2096-10-02T07:06:40Z";
    assert_eq!(
        answer["artifacts"],
        json!([
            {
                "path": "out/no %FF text.html", "size": 8, "mime": "text/html", "until": until,
                "url": format!("{url}out/no%20%FF%20text.html"), "expired": false
            },
            {
                "path": "plot.png", "size": 1000, "mime": "image/png", "until": until,
                "url": format!("{url}plot.png"), "expired": false
            },
        ])
    );
    let omitted = json!([{"path": "huge.bin", "size": 1_u64 << 40, "reason": "too_large"}]);
    assert_eq!(
        (&answer["artifacts_omitted"], &answer["artifacts_truncated"]),
        (&omitted, &json!(false))
    );

    let page = app.get(answer["artifacts"][0]["url"].as_str().unwrap(), &token).await;
    assert_eq!((page.status, &*page.text), (StatusCode::OK, "<script>"));
    for (header, value) in [
        ("content-type", "application/octet-stream"),
        ("content-length", "8"),
        ("content-disposition", "attachment; filename*=UTF-8''no%20%FF%20text%2Ehtml"),
        ("accept-ranges", "bytes"),
        ("x-content-type-options", "nosniff"),
        ("etag", &*format!("\"{id}\"")),
    ] {
        assert_eq!(page.headers[header], value, "{header}");
    }
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("sandbox") && policy.contains("default-src 'none'"), "{policy}");

    let plot = answer["artifacts"][1]["url"].as_str().unwrap();
    let part = app.send(Method::GET, plot, &token, &[("range", "bytes=48-57")], None).await;
    assert_eq!((part.status, &*part.text), (StatusCode::PARTIAL_CONTENT, "0123456789"));
    assert_eq!(part.headers["content-range"], "bytes 48-57/1000");
    let beyond = app.send(Method::GET, plot, &token, &[("range", "bytes=1000-")], None).await;
    assert_eq!(beyond.code(), "range_not_satisfiable");
    let none = app.get(&format!("{url}other.png"), &token).await;
    assert_eq!(none.code(), "artifact_not_found");
    let seen = app.get(&format!("/v1/code_interpreter/executions/{id}"), &token).await.json();
    assert_eq!(seen["artifacts"], answer["artifacts"]);
}

#[tokio::test]
async fn what_is_gone_says_why() {
    let app = App::start().await;
    let token = app.user("eve").await;
    let gone = async |code: &str| {
        let answer = run(&app, &token, json!({"code": code, "collect": ["*"]})).await;
        app.worker.seen().executes.clear();
        let artifact = answer["artifacts"][1].clone();
        (
            artifact["expired"].clone(),
            app.get(artifact["url"].as_str().unwrap(), &token).await.code(),
        )
    };
    assert_eq!(gone("say expired").await, (json!(true), "output_expired".to_owned()));
    assert_eq!(gone("say kept").await, (json!(false), "output_gone".to_owned()));
}

#[tokio::test]
async fn what_a_run_in_a_session_changed_is_told() {
    let app = App::start().await;
    let token = app.user("eve").await;
    let session = json!({"language": "python"});
    let session = app.post("/v1/code_interpreter/sessions", &token, session).await.json();
    let id = &session["session_id"];
    let answer =
        run(&app, &token, json!({"code": "say 1", "session_id": id, "for_model": 600})).await;
    let changed = json!([
        {"path": "new", "change": "created", "size": 5},
        {"path": "old", "change": "removed", "size": null},
    ]);
    assert_eq!(answer["files_changed"], changed);
    assert_eq!(answer["files_changed_truncated"], false);
    assert_eq!(answer["text"], "1\n[files: created new (5 bytes), removed old]");
    assert!(app.worker.seen().executes[0].report_changes);
}

#[tokio::test]
async fn large_results_are_told_by_their_address() {
    let app = App::start().await;
    let token = app.user("eve").await;
    let wish = json!({
        "code": "draw", "large_results": "url", "collect": ["none"], "for_model": 1000
    });
    let answer = run(&app, &token, wish).await;
    assert!(app.worker.seen().executes[0].store_large_results);
    let result = &answer["results"][0];
    let stored = &result["stored"]["image/png"];
    assert_eq!((&stored["size"], &stored["mime"]), (&json!(100_000), &json!("image/png")));
    assert_eq!(result["mime"], json!({"text/plain": "<Figure>"}));
    let url = stored["url"].as_str().unwrap();
    assert_eq!(app.get(url, &token).await.text.len(), 100_000);
    let text = answer["text"].as_str().unwrap();
    assert!(text.starts_with(&format!("<Figure>\n[image/png, 100000 bytes: {url}]\n")), "{text}");
}

#[tokio::test]
async fn charts_and_tables_are_said_in_words() {
    let app = App::start().await;
    let token = app.user("eve").await;
    let answer = run(&app, &token, json!({"code": "chart", "for_model": 1000})).await;
    let record =
        format!("/v1/code_interpreter/executions/{}", answer["execution_id"].as_str().unwrap());
    let expected = format!(
        "<Figure>\n[chart: pie: a 25 %; see results of {record}]\n<Figure>\n<Figure>\n\
         [application/vnd.crucible.table+json, 9 bytes; see results of {record}]"
    );
    assert_eq!(answer["text"], expected);
    let compact = run(&app, &token, json!({"code": "chart", "answer": "compact"})).await;
    assert!(compact["text"].as_str().unwrap().contains("[chart: pie: a 25 %; "), "{compact}");
    assert!(compact.get("results").is_none());
}

#[tokio::test]
async fn wishes_that_cannot_be_fulfilled_are_refused() {
    let app = App::start().await;
    let token = app.user("eve").await;
    let long = "x".repeat(257);
    for (field, value, loc) in [
        ("for_model", json!(511), "for_model"),
        ("for_model", json!(1_000_001), "for_model"),
        ("answer", json!("short"), "answer"),
        ("large_results", json!("file"), "large_results"),
        ("collect", json!(vec!["x"; 33]), "collect"),
        ("collect", json!([""]), "collect[0]"),
        ("collect", json!(["ok", "/etc/*"]), "collect[1]"),
        ("collect", json!([long]), "collect[0]"),
        ("collect", json!(["[ab]"]), "collect[0]"),
        ("collect", json!(["{a,b}"]), "collect[0]"),
        ("collect", json!(["a\u{0}b"]), "collect[0]"),
    ] {
        let body = json!({"code": "say 1", "language": "python", field: value});
        let answer = app.post(RUN, &token, body).await;
        assert_eq!(answer.code(), "validation_failed", "{field}");
        assert_eq!(answer.json()["errors"][0]["loc"], loc);
    }
    assert!(app.worker.seen().executes.is_empty());
    let least = json!({
        "code": "say 1", "for_model": 512.0, "answer": null, "collect": [], "large_results": null
    });
    assert_eq!(run(&app, &token, least).await["text"], "1");
}
