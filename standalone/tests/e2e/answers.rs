//! Answers for a model, and files that land at the caller.

use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::case::run;
use crate::crucible::Crucible;
use crate::sessions::session;

/// Type, disposition and bytes of a file.
async fn fetch(url: &Value) -> (String, String, Vec<u8>) {
    let crucible = Crucible::shared();
    let client = Client::builder().no_proxy().build().expect("a client");
    let url = format!("{}{}", crucible.url(), url.as_str().expect("an address"));
    let answer = client.get(url).bearer_auth(crucible.token()).send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    let header = |name: &str| answer.headers()[name].to_str().expect("text").to_owned();
    let (kind, disposition) = (header("content-type"), header("content-disposition"));
    (kind, disposition, answer.bytes().await.expect("all of it").to_vec())
}

/// The paths and what was done to each, of `files_changed`.
fn changed(answer: &Value) -> Vec<(&str, &str)> {
    let files = answer["files_changed"].as_array().expect("a list");
    files
        .iter()
        .map(|file| (file["path"].as_str().expect("text"), file["change"].as_str().expect("text")))
        .collect()
}

fn paths(answer: &Value) -> Vec<&str> {
    let artifacts = answer["artifacts"].as_array().expect("a list");
    artifacts.iter().map(|artifact| artifact["path"].as_str().expect("text")).collect()
}

#[tokio::test]
async fn files_of_every_language_are_collected_from_sandboxes_that_end() {
    let crucible = Crucible::shared();
    for (language, code) in [
        ("python", "import os; os.mkdir('out'); open('out/a.txt', 'w').write('from here')"),
        (
            "node",
            "const fs = require('fs'); fs.mkdirSync('out'); fs.writeFileSync('out/a.txt', 'from here')",
        ),
        ("bash", "mkdir out; printf 'from here' > out/a.txt; sleep 1000 & exit 0"),
        (
            "c",
            "#include <stdio.h>\n#include <sys/stat.h>\nint main(void) { mkdir(\"out\", 0755); \
             FILE *file = fopen(\"out/a.txt\", \"w\"); fputs(\"from here\", file); return fclose(file); }",
        ),
    ] {
        let collect = json!(["out/**", "*.none"]);
        let answer = crucible.run(run(language, code).with("collect", collect).request).await;
        assert_eq!(paths(&answer), ["out/a.txt"], "{language}: {answer}");
        assert_eq!(answer["artifacts"][0]["mime"], "text/plain");
        let (kind, disposition, bytes) = fetch(&answer["artifacts"][0]["url"]).await;
        assert_eq!(
            (&*kind, &*bytes),
            ("application/octet-stream", &b"from here"[..]),
            "{language}"
        );
        assert!(disposition.starts_with("attachment"), "{disposition}");
    }
}

#[tokio::test]
async fn what_is_no_file_or_too_large_is_named_and_not_read() {
    let code = "mkfifo fifo; ln -s /etc/passwd link; truncate -s 33M large; \
                printf x > $'no \\xff text'; chmod 0 $'no \\xff text'; printf y > \"$(printf 'a b')\"";
    let wish = run("bash", code).with("collect", json!(["*"]));
    let answer = Crucible::shared().run(wish.request).await;
    assert_eq!(paths(&answer), ["a b"], "{answer}");
    let omitted = answer["artifacts_omitted"].as_array().expect("a list");
    let omitted: Vec<_> = omitted.iter().map(|file| (&file["path"], &file["reason"])).collect();
    let expected = [
        (&json!("fifo"), &json!("not_regular")),
        (&json!("large"), &json!("too_large")),
        (&json!("link"), &json!("not_regular")),
        (&json!("no %FF text"), &json!("unreadable")),
    ];
    assert_eq!(omitted, expected);
}

#[tokio::test]
async fn a_session_tells_what_each_run_has_changed() {
    let crucible = Crucible::shared();
    let (id, path) = session(crucible, "python").await;
    let play = async |language: &str, code: &str, more: Value| {
        let mut request = run(language, code).with("session_id", json!(id)).request;
        request.as_object_mut().expect("an object").extend(more.as_object().expect("one").clone());
        crucible.run(request).await
    };
    let made = play("python", "open('a.txt', 'w').write('1')", json!({})).await;
    assert_eq!(changed(&made), [("a.txt", "created")], "{made}");
    assert_eq!(made["files_changed"][0]["size"], 1);
    let idle = play("python", "x = open('a.txt').read()", json!({})).await;
    assert_eq!(changed(&idle), []);
    let more = play(
        "bash",
        "printf 2 >> a.txt; mkdir -p d/__pycache__; touch d/__pycache__/x d/b",
        json!({}),
    );
    assert_eq!(changed(&more.await), [("a.txt", "modified"), ("d/b", "created")]);
    let brought = json!({"files": {"in.csv": "a,b", "other.csv": "c"}, "collect": ["*.csv"]});
    let brought = play("node", "require('fs').appendFileSync('in.csv', '\\n1,2')", brought).await;
    assert_eq!(changed(&brought), [("in.csv", "modified")], "what a request brings is no change");
    assert_eq!(paths(&brought), ["in.csv", "other.csv"]);
    let (_, _, bytes) = fetch(&brought["artifacts"][0]["url"]).await;
    assert_eq!(&*bytes, b"a,b\n1,2");
    let compiled =
        "#include <unistd.h>\nint main(void) { return rename(\"d\", \"e\") | unlink(\"a.txt\"); }";
    let compiled = play("c", compiled, json!({})).await;
    let expected = [("a.txt", "removed"), ("d/b", "removed"), ("e/b", "created")];
    assert_eq!(changed(&compiled), expected, "{compiled}");
    let (status, _) = crucible.call(Method::DELETE, &path, None).await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn a_compact_answer_has_what_a_model_needs() {
    let crucible = Crucible::shared();
    let code = "import sys\nfor n in range(20000): print(n)\nprint('\\x1b[31mred\\x1b[0m')\nboom()";
    let answer = crucible.run(run("python", code).with("answer", json!("compact")).request).await;
    let fields: Vec<_> = answer.as_object().expect("an object").keys().collect();
    assert_eq!(fields, ["exit_code", "status", "text"]);
    let text = answer["text"].as_str().expect("text");
    assert!(text.chars().count() <= 8000 && text.starts_with("0\n1\n2\n"), "{text}");
    assert!(text.contains("\nred\n") && text.contains("characters left out; all: /v1/"), "{text}");
    assert!(text.contains("failed: NameError: name 'boom' is not defined (line 4)"), "{text}");
}

#[tokio::test]
async fn large_results_are_fetched() {
    let crucible = Crucible::shared();
    let code =
        "class Picture:\n    def _repr_png_(self): return bytes(range(256)) * 1000\nPicture()";
    let wish = run("python", code).with("large_results", json!("url"));
    let answer = crucible.run(wish.with("for_model", json!(1000)).request).await;
    let stored = &answer["results"][0]["stored"]["image/png"];
    assert_eq!(stored["size"], 256_000, "{answer}");
    assert!(answer["results"][0]["mime"].get("image/png").is_none());
    let (kind, _, bytes) = fetch(&stored["url"]).await;
    assert_eq!((&*kind, bytes.len(), bytes[255]), ("application/octet-stream", 256_000, 255));
    let told = format!("[image/png, 256000 bytes: {}]", stored["url"].as_str().expect("text"));
    assert!(answer["text"].as_str().expect("text").contains(&told), "{answer}");
}
