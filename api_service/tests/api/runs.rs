//! Runs: what goes to the worker, what comes back, what is remembered.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::{App, eventually};

const RUN: &str = "/v1/code_interpreter/run";
const EXECUTIONS: &str = "/v1/code_interpreter/executions";

#[tokio::test]
async fn the_answer_is_the_one_of_the_contract() {
    let app = App::start().await;
    let answer = app.run(&app.admin().await, "say 1").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let mut answer = answer.json();
    let id = answer["execution_id"].take();
    assert!(id.as_str().unwrap().starts_with("exe_"));
    assert_eq!(
        answer,
        json!({
            "execution_id": null, "session_id": null, "language": "python", "status": "succeeded",
            "output": "1", "stdout": "1", "stderr": "", "error": null, "exit_code": 0,
            "signal": null, "duration_ms": 3, "results": [], "diagnostic": null,
            "truncated": {
                "stdout": false, "stderr": false, "results": false, "results_omitted": 0,
                "stdout_bytes": 1, "stderr_bytes": 0
            },
            "encoding": {"stdout": "utf-8", "stderr": "utf-8"},
            "full_output": {"stdout": null, "stderr": null},
            "usage": {
                "cpu_ms": 2, "peak_memory_bytes": 9_437_184, "processes": 1, "disk_bytes": 0,
                "accounting": "enforced", "shared": false
            },
            "phases": {
                "queue_ms": 0, "start_ms": 0, "compile_ms": null, "run_ms": 2, "cold_start": false
            },
            "state_lost": false, "isolation": "degraded"
        })
    );
}

#[tokio::test]
async fn everything_that_was_asked_for_reaches_the_worker() {
    let app = App::start().await;
    let token = app.admin().await;
    let body = json!({
        "code": "say x", "language": "c", "timeout": 1.5, "session_id": null,
        "stdin": {"base64": "AP8="}, "args": ["a", "b"], "env": {"A": "1"},
        "files": {"d/t": "text", "b": {"base64": "AAE="}}, "compiler_flags": ["-O2"],
        "limits": {
            "memory_bytes": 1, "processes": 2, "output_bytes": 3, "disk_bytes": 4, "inodes": 5,
            "open_files": 6, "cpu_ms": 7
        }
    });
    let headers = [("x-request-id", "my-own.id_1")];
    let answer = app.send(Method::POST, RUN, &token, &headers, Some(body.to_string())).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert_eq!(answer.headers["x-request-id"], "my-own.id_1");
    let seen = app.worker.seen();
    assert_eq!(seen.request_ids, ["my-own.id_1"]);
    assert!(!seen.deadlines[0].is_empty());
    let sent = &seen.executes[0];
    assert_eq!(sent.execution_id, answer.json()["execution_id"]);
    assert_eq!((&*sent.stdin, sent.args.len(), &*sent.env["A"]), (&[0, 255][..], 2, "1"));
    let files: Vec<_> = sent.files.iter().map(|file| (&*file.path, &*file.content)).collect();
    assert_eq!(files, [("b", &[0, 1][..]), ("d/t", b"text")]);
    assert_eq!(sent.compiler_flags, ["-O2"]);
    let limits = sent.limits.unwrap();
    assert_eq!((limits.wall_ms, limits.memory_bytes), (Some(1500), Some(1)));
    assert_eq!((limits.processes, limits.output_bytes), (Some(2), Some(3)));
    assert_eq!((limits.disk_bytes, limits.inodes), (Some(4), Some(5)));
    assert_eq!((limits.open_files, limits.cpu_ms), (Some(6), Some(7)));
}

#[tokio::test]
async fn a_program_that_fails_is_no_error() {
    let app = App::start().await;
    let answer = app.run(&app.admin().await, "fail").await;
    assert_eq!(answer.status, StatusCode::OK);
    let answer = answer.json();
    assert_eq!((&answer["status"], &answer["error"]), (&json!("failed"), &json!("ValueError: no")));
    assert_eq!(answer["diagnostic"]["line"], 3);
}

#[tokio::test]
async fn what_was_left_out_is_marked_and_what_is_no_text_is_flagged() {
    let app = App::start().await;
    let answer = app.run(&app.admin().await, "gap").await.json();
    assert_eq!(answer["stdout"], "head\n… [1000 bytes left out] …\ntail");
    assert_eq!(
        (&answer["stderr"], &answer["encoding"]["stderr"]),
        (&json!("\u{fffd}"), &json!("replaced"))
    );
    assert_eq!(answer["truncated"]["stdout_bytes"], 1008);
}

#[tokio::test]
async fn runs_are_remembered_and_paged() {
    let app = App::start().await;
    let token = app.admin().await;
    let mut ids = Vec::new();
    for n in 0..5 {
        let answer = app.run(&token, &format!("say {n}")).await.json();
        ids.push(answer["execution_id"].as_str().unwrap().to_owned());
    }
    let whole = app.get(&format!("{EXECUTIONS}/{}", ids[4]), &token).await.json();
    assert_eq!((&whole["stdout"], &whole["status"]), (&json!("4"), &json!("succeeded")));
    assert!(whole["finished_at"].is_string());

    let mut listed = Vec::new();
    let mut path = format!("{EXECUTIONS}?limit=2");
    loop {
        let page = app.get(&path, &token).await.json();
        for item in page["data"].as_array().unwrap() {
            listed.push(item["execution_id"].as_str().unwrap().to_owned());
        }
        let Some(cursor) = page["next_cursor"].as_str() else {
            break;
        };
        path = format!("{EXECUTIONS}?limit=2&cursor={cursor}");
    }
    ids.reverse();
    assert_eq!(listed, ids);
    assert_eq!(app.get(&format!("{EXECUTIONS}/exe_1"), &token).await.code(), "execution_not_found");
}

/// The id of the caller's only run, once it is there in the state `status`.
async fn only_run(app: &App, token: &str, status: &str) -> String {
    eventually(async || {
        let page = app.get(EXECUTIONS, token).await.json();
        let run = &page["data"][0];
        (run["status"] == status).then(|| run["execution_id"].as_str().unwrap().to_owned())
    })
    .await
}

#[tokio::test]
async fn a_cancelled_run_answers_with_what_it_had_written() {
    let app = App::start().await;
    let token = app.user("eve").await;
    let stranger = app.user("mallory").await;
    let cancelling = async {
        let id = only_run(&app, &token, "running").await;
        let path = format!("{EXECUTIONS}/{id}/cancel");
        let foreign = app.post(&path, &stranger, json!({})).await;
        assert_eq!(foreign.code(), "execution_not_found");
        eventually(async || app.worker.seen().executes.first().map(|_| ())).await;
        app.post(&path, &token, json!({})).await
    };
    let (run, cancelled) = tokio::join!(app.run(&token, "hang"), cancelling);
    let cancelled = cancelled.json();
    let told = (&cancelled["success"], &cancelled["message"]);
    assert_eq!(told, (&json!(true), &json!("Execution cancelled")));
    assert_eq!(cancelled["execution"]["stdout"], "begun\n", "what there was");
    let run = run.json();
    assert_eq!((&run["status"], &run["stdout"]), (&json!("cancelled"), &json!("begun\n")));
    let path = format!("{EXECUTIONS}/{}/cancel", run["execution_id"].as_str().unwrap());
    assert_eq!(app.post(&path, &token, json!({})).await.json(), cancelled, "once more is harmless");
}

#[tokio::test]
async fn a_caller_who_hangs_up_ends_the_run() {
    let app = App::start().await;
    let token = app.admin().await;
    let hung_up = tokio::time::timeout(Duration::from_millis(500), app.run(&token, "hang")).await;
    assert!(hung_up.is_err());
    let id = only_run(&app, &token, "cancelled").await;
    eventually(async || app.worker.seen().abandoned.contains(&id).then_some(())).await;
    let record = app.get(&format!("{EXECUTIONS}/{id}"), &token).await.json();
    assert!(record["finished_at"].is_string() && record.get("stdout").is_none(), "{record}");
}

#[tokio::test]
async fn runs_can_be_picked_by_session_status_language_and_time() {
    let app = App::start().await;
    let token = app.admin().await;
    let session = app.post("/v1/code_interpreter/sessions", &token, json!({"language": "python"}));
    let session = session.await.json()["session_id"].as_str().unwrap().to_owned();
    let body = json!({"code": "say hi", "language": "python", "session_id": session});
    app.post("/v1/code_interpreter/run", &token, body).await;
    app.run(&token, "fail").await;
    let bash = json!({"code": "hang", "language": "bash", "detached": true});
    let bash = app.post("/v1/code_interpreter/run", &token, bash).await;
    assert_eq!(bash.status, StatusCode::ACCEPTED, "{}", bash.text);
    let running = 1;
    let count = async |query: &str| {
        let page = app.get(&format!("{EXECUTIONS}?{query}"), &token).await;
        assert_eq!(page.status, StatusCode::OK, "{query}: {}", page.text);
        page.json()["data"].as_array().unwrap().len()
    };
    assert_eq!(count("").await, 2 + running);
    assert_eq!(count(&format!("session_id={session}")).await, 1);
    assert_eq!(count("session_id=ses_none").await, 0);
    assert_eq!(count("status=failed").await, 1);
    assert_eq!(count("status=succeeded&language=python").await, 1);
    assert_eq!(count("language=python").await, 2);
    eventually(async || (count("status=running").await == running).then_some(())).await;
    assert_eq!(count("status=queued").await, 0);
    assert_eq!(count("since=2020-01-01T00:00:00Z").await, 2 + running);
    assert_eq!(count("since=2999-01-01T00:00:00%2B01:00").await, 0);
    assert_eq!(count("status=failed&limit=1").await, 1);
    for (query, loc) in [
        ("status=odd", "status"),
        ("session_id=x", "session_id"),
        ("language=%00", "language"),
        ("since=soon", "since"),
        ("limit=0", "limit"),
        ("cursor=x", "cursor"),
    ] {
        let refused = app.get(&format!("{EXECUTIONS}?{query}"), &token).await;
        assert_eq!(refused.json()["errors"][0]["loc"], loc, "{query}");
    }
}
