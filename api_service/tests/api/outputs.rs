//! All that a run wrote, as bytes.

use api_service::domain::report::MOST_OF_HISTORY;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{App, big, eventually};

/// The far future, in unix milliseconds.
const LATER: &str = "4000000000000";

struct Bytes {
    status: StatusCode,
    headers: reqwest::header::HeaderMap,
    data: Vec<u8>,
}

impl Bytes {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

async fn get(app: &App, path: &str, token: &str, range: Option<&str>) -> Bytes {
    let url = format!("http://{}{path}", app.address);
    let mut request = reqwest::Client::new().get(url).bearer_auth(token);
    if let Some(range) = range {
        request = request.header("range", range);
    }
    let answer = request.send().await.unwrap();
    let (status, headers) = (answer.status(), answer.headers().clone());
    Bytes { status, headers, data: answer.bytes().await.unwrap().to_vec() }
}

fn path(run: &Value, stream: &str) -> String {
    let id = run["execution_id"].as_str().unwrap();
    format!("/v1/code_interpreter/executions/{id}/output/{stream}")
}

#[tokio::test]
async fn a_long_output_is_found_by_its_answer_and_comes_whole_or_in_part() {
    let app = App::start().await;
    let token = app.user("eve").await;
    let run = app.run(&token, &format!("big {LATER}")).await.json();
    assert_eq!(run["truncated"]["stdout"], true);
    let stored = &run["full_output"]["stdout"];
    assert_eq!(
        stored,
        &json!({
            "path": path(&run, "stdout"), "bytes": 100_000, "complete": true,
            "available_until": "2096-10-02T07:06:40Z",
        })
    );
    assert_eq!(run["full_output"]["stderr"], Value::Null);
    let path = stored["path"].as_str().unwrap();
    let look = path.trim_end_matches("/output/stdout");
    assert_eq!(app.get(look, &token).await.json()["full_output"], run["full_output"]);

    let whole = get(&app, path, &token, None).await;
    assert_eq!(whole.status, StatusCode::OK);
    assert!(whole.data == big(), "{} bytes", whole.data.len());
    let name = format!("attachment; filename=\"{}.stdout\"", run["execution_id"].as_str().unwrap());
    for (header, value) in [
        ("content-type", "application/octet-stream"),
        ("content-length", "100000"),
        ("content-disposition", &*name),
        ("accept-ranges", "bytes"),
        ("x-content-type-options", "nosniff"),
        ("output-complete", "true"),
        ("output-total-bytes", "100000"),
    ] {
        assert_eq!(whole.header(header), value, "{header}");
    }
    for (range, content_range, from, to) in [
        ("bytes=0-0", "bytes 0-0/100000", 0, 1),
        ("bytes=40000-79999", "bytes 40000-79999/100000", 40_000, 80_000),
        ("bytes=99990-", "bytes 99990-99999/100000", 99_990, 100_000),
        ("bytes=-7", "bytes 99993-99999/100000", 99_993, 100_000),
        ("bytes=99999-999999999999", "bytes 99999-99999/100000", 99_999, 100_000),
    ] {
        let part = get(&app, path, &token, Some(range)).await;
        assert_eq!(
            (part.status, part.header("content-range")),
            (StatusCode::PARTIAL_CONTENT, content_range)
        );
        assert!(part.data == big()[from..to], "{range}: {} bytes", part.data.len());
    }
    for range in ["bytes=100000-", "bytes=-0"] {
        let answer = app.send(Method::GET, path, &token, &[("range", range)], None).await;
        assert_eq!(answer.code(), "range_not_satisfiable", "{range}");
        assert_eq!(answer.headers["content-range"], "bytes */100000");
    }
    for ignored in ["bytes=0-1,3-4", "bytes=5-4", "lines=1-2"] {
        assert_eq!(
            get(&app, path, &token, Some(ignored)).await.status,
            StatusCode::OK,
            "{ignored}"
        );
    }
}

#[tokio::test]
async fn a_short_output_comes_from_the_history() {
    let app = App::start().await;
    let token = app.user("eve").await;
    let run = app.run(&token, "say héllo").await.json();
    assert_eq!(run["full_output"], json!({"stdout": null, "stderr": null}));
    app.worker.kill();
    let stdout = path(&run, "stdout");
    let whole = get(&app, &stdout, &token, None).await;
    assert_eq!((whole.status, &*whole.data), (StatusCode::OK, "héllo".as_bytes()));
    let part = get(&app, &stdout, &token, Some("bytes=2-3")).await;
    assert_eq!(
        (part.status, &*part.data),
        (StatusCode::PARTIAL_CONTENT, &"héllo".as_bytes()[2..4])
    );
    let empty = get(&app, &path(&run, "stderr"), &token, None).await;
    assert_eq!((empty.status, &*empty.data), (StatusCode::OK, &b""[..]));
    let end = get(&app, &path(&run, "stderr"), &token, Some("bytes=-100")).await;
    assert_eq!((end.status, &*end.data), (StatusCode::OK, &b""[..]), "the end of nothing is there");
    let beyond = get(&app, &path(&run, "stderr"), &token, Some("bytes=0-")).await;
    assert_eq!(beyond.status, StatusCode::RANGE_NOT_SATISFIABLE);
    let none = app.get(&path(&run, "stdin"), &token).await;
    assert_eq!(none.code(), "not_found");
}

#[tokio::test]
async fn what_cannot_be_had_says_why() {
    let app = App::start().await;
    let token = app.user("eve").await;
    let get = async |path: &str| app.get(path, &token).await.code();
    let gap = app.run(&token, "gap").await.json();
    assert_eq!(get(&path(&gap, "stdout")).await, "output_not_kept");
    assert_eq!(get(&path(&gap, "stderr")).await, "output_not_kept", "its bytes were replaced");
    let expired = app.run(&token, "big 1").await.json();
    let kept = app.run(&token, &format!("big {LATER}")).await.json();
    app.worker.kill();
    assert_eq!(get(&path(&kept, "stdout")).await, "worker_unavailable");
    app.worker.revive().await;
    app.until_ready().await;
    assert_eq!(get(&path(&kept, "stdout")).await, "output_gone");
    assert_eq!(get(&path(&expired, "stdout")).await, "output_expired");
    let nobodys = "/v1/code_interpreter/executions/exe_none/output/stdout";
    assert_eq!(get(nobodys).await, "execution_not_found");
}

#[tokio::test]
async fn a_run_that_goes_on_has_no_output_yet() {
    let app = App::start().await;
    let token = app.user("eve").await;
    let hang = app.run(&token, "hang");
    let look = async {
        let list = "/v1/code_interpreter/executions";
        let run = eventually(async || {
            let page = app.get(list, &token).await.json();
            let run = page["data"][0].clone();
            (run["status"] == "running").then_some(run)
        })
        .await;
        assert_eq!(app.get(&path(&run, "stdout"), &token).await.code(), "execution_running");
        let cancel = format!("{list}/{}/cancel", run["execution_id"].as_str().unwrap());
        eventually(async || {
            let answer = app.post(&cancel, &token, json!({})).await;
            (answer.status == StatusCode::OK).then_some(())
        })
        .await;
    };
    tokio::join!(hang, look);
}

#[test]
fn the_history_remembers_what_the_worker_does_not_store() {
    const { assert!(proto::wire::REMEMBERED_OUTPUT_BYTES <= MOST_OF_HISTORY) };
}
