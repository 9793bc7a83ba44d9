//! Output that is longer than an answer, from the program to the caller's disk.

use reqwest::{Client, Method, Response};
use rustix::process::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::crucible::Crucible;
use crate::processes::signal;

fn path(answer: &Value) -> &str {
    answer["full_output"]["stdout"]["path"].as_str().expect("it is kept")
}

async fn get(crucible: &Crucible, path: &str, range: &str) -> Response {
    let client = Client::builder().no_proxy().build().expect("a client");
    let request = client.get(format!("{}{path}", crucible.url())).bearer_auth(crucible.token());
    request.header("range", range).send().await.expect("an answer")
}

#[tokio::test]
async fn all_of_a_long_output_can_be_had_until_its_worker_is_gone() {
    let data = TempDir::new().expect("a directory");
    let crucible = Crucible::start_in(data.path(), &[]);
    let answer = crucible.run(json!({"language": "bash", "code": "seq 1 400000"})).await;
    let expected: String = (1..=400_000).map(|number| format!("{number}\n")).collect();
    assert_eq!(answer["truncated"]["stdout_bytes"], expected.len());
    assert_eq!(answer["full_output"]["stdout"]["complete"], true, "{answer}");

    let whole = get(&crucible, path(&answer), "").await;
    assert_eq!(whole.status(), 200);
    assert!(whole.bytes().await.expect("all of it") == expected.as_bytes());
    let end = get(&crucible, path(&answer), "bytes=-7").await;
    assert_eq!((end.status().as_u16(), &*end.bytes().await.expect("it")), (206, &b"400000\n"[..]));

    let raw = crucible.run(json!({"language": "bash", "code": r"printf 'a\xff\x1b[2J\0'"})).await;
    assert_eq!(
        (&raw["encoding"]["stdout"], &raw["stdout"]),
        (&json!("replaced"), &json!("a\u{fffd}\u{1b}[2J\0"))
    );
    let bytes = get(&crucible, path(&raw), "").await.bytes().await.expect("all of it");
    assert_eq!(&*bytes, b"a\xff\x1b[2J\0");

    signal(crucible.service("worker"), Signal::KILL);
    // Until the next one answers, the gateway cannot know.
    let problem = loop {
        let (status, problem) = crucible.call(Method::GET, path(&answer), None).await;
        if status != 503 && status != 200 {
            break (status, problem);
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    };
    assert_eq!((problem.0, &problem.1["code"]), (410, &json!("output_gone")));
    let short = crucible.run(json!({"language": "bash", "code": "echo hello"})).await;
    let id = short["execution_id"].as_str().expect("an id");
    let short = format!("/v1/code_interpreter/executions/{id}/output/stdout");
    assert_eq!(get(&crucible, &short, "").await.text().await.expect("text"), "hello\n");
}
