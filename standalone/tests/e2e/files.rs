//! Files of sessions: up, changed by a program, and down.

use std::process::Command;

use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

use crate::crucible::{Crucible, needs, processors};
use crate::sessions::session;

/// A session of Bash.
struct Scene {
    crucible: &'static Crucible,
    client: Client,
    id: String,
    path: String,
}

struct Answer {
    status: u16,
    tag: String,
    content: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.content).expect("it is JSON")
    }
}

impl Scene {
    async fn new() -> Self {
        let crucible = Crucible::shared();
        let (id, path) = session(crucible, "bash").await;
        Self { crucible, client: Client::new(), id, path }
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Answer {
        let url = format!("{}{}/files{path}", self.crucible.url(), self.path);
        let mut request = self.client.request(method, url).bearer_auth(self.crucible.token());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.body(body).send().await.expect("an answer");
        let tag = answer.headers().get("etag").map(|tag| tag.to_str().expect("text").to_owned());
        Answer {
            status: answer.status().as_u16(),
            tag: tag.unwrap_or_default(),
            content: answer.bytes().await.expect("all of it").to_vec(),
        }
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], Vec::new()).await
    }

    async fn put(&self, path: &str, headers: &[(&str, &str)], content: &[u8]) -> Answer {
        self.send(Method::PUT, path, headers, content.to_vec()).await
    }

    async fn run(&self, code: &str) -> String {
        let body = json!({"language": "bash", "code": code, "session_id": self.id, "timeout": 30});
        let answer = self.crucible.run(body).await;
        assert_eq!(answer["status"], "succeeded", "{answer}");
        answer["stdout"].as_str().expect("text").to_owned()
    }

    async fn end(self) {
        let (status, _) = self.crucible.call(Method::DELETE, &self.path, None).await;
        assert_eq!(status, StatusCode::OK.as_u16());
    }
}

#[tokio::test]
async fn a_file_goes_up_is_changed_and_comes_down() {
    let _processors = processors().await;
    let scene = Scene::new().await;
    let made = scene.put("/in/a%20file%0A%FF", &[], b"one\n").await;
    assert_eq!(made.status, 201);
    let changed = scene.run("(cd in; cat a*; echo two >> a*; stat -c '%a %U' a*)").await;
    assert_eq!(changed.lines().next(), Some("one"));
    assert!(changed.contains("644"), "{changed}");
    let found = scene.get("/in/a%20file%0A%FF").await;
    assert_eq!((found.status, &*found.content), (200, &b"one\ntwo\n"[..]));
    // What the program changed is another version.
    let stale = [("if-match", &*made.tag)];
    let refused = scene.put("/in/a%20file%0A%FF", &stale, b"mine").await;
    assert_eq!((refused.status, &refused.json()["code"]), (412, &json!("file_changed")));
    let fresh = [("if-match", &*found.tag)];
    assert_eq!(scene.put("/in/a%20file%0A%FF", &fresh, b"mine").await.status, 200);
    assert_eq!(scene.run("cat in/a*").await, "mine");
    let listed = scene.get("?depth=2").await.json();
    assert_eq!(listed["entries"][1]["path"], "in/a%20file%0A%FF");
    assert_eq!(listed["entries"][1]["encoding"], "percent");
    scene.end().await;
}

#[tokio::test]
async fn twenty_megabytes_go_both_ways() {
    let _processors = processors().await;
    let scene = Scene::new().await;
    let content: Vec<u8> =
        (0..5_000_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    assert_eq!(scene.put("/large", &[], &content).await.status, 201);
    let sum = scene.run("cksum < large").await;
    assert!(sum.ends_with(" 20000000\n"), "{sum}");
    assert!(scene.get("/large").await.content == content);
    let range = [("range", "bytes=10000001-10000004")];
    let part = scene.send(Method::GET, "/large", &range, Vec::new()).await;
    assert_eq!((part.status, &*part.content), (206, &content[10_000_001..10_000_005]));
    scene.end().await;
}

#[tokio::test]
async fn archives_are_those_of_tar() {
    let Some(tar) = needs("tar", "archives_are_those_of_tar") else { return };
    let _processors = processors().await;
    let scene = Scene::new().await;
    let home = tempfile::tempdir().expect("a directory");
    let long = "long/".repeat(40);
    let script = format!(
        "mkdir -p d/{long}; echo 1 > d/one; chmod 750 d/one; ln -s one d/link; echo 2 > 'd/{long}two'; \
         ln d/one d/hard; tar cf in.tar d"
    );
    let made = Command::new("sh").args(["-c", &script]).current_dir(home.path()).status();
    assert!(made.expect("a shell").success());
    let sent = std::fs::read(home.path().join("in.tar")).expect("an archive");
    let unpacked = scene.put(".tar?path=up", &[], &sent).await;
    assert_eq!(unpacked.status, 200, "{}", unpacked.json());
    let seen = scene.run(&format!("(cd up/d; cat one hard link {long}two; stat -c %a one)")).await;
    assert_eq!(seen, "1\n1\n1\n2\n750\n");
    scene.run("echo 3 > up/d/three; mkfifo up/d/pipe").await;
    let packed = scene.get(".tar?path=up").await;
    std::fs::write(home.path().join("out.tar"), &packed.content).expect("room");
    let script = "mkdir out; tar xf out.tar -C out; cd out/d; cat one link three; test ! -e pipe";
    let out = Command::new("sh").args(["-ec", script]).current_dir(home.path()).output();
    let out = out.expect("a shell");
    assert!(out.status.success(), "{tar:?}: {out:?}");
    assert_eq!(out.stdout, b"1\n1\n3\n");
    scene.end().await;
}

#[tokio::test]
async fn what_is_no_file_is_neither_read_nor_waited_for() {
    let _processors = processors().await;
    let scene = Scene::new().await;
    let script =
        "mkfifo pipe; mkdir dir; ln -s /etc/passwd out; ln -s loop loop; truncate -s 1M sparse";
    scene.run(script).await;
    for (path, status, code) in [
        ("/pipe", 409, "special_file"),
        ("/dir", 409, "is_directory"),
        ("/out", 409, "file_refused"),
        ("/loop", 409, "file_refused"),
        ("/none", 404, "file_not_found"),
    ] {
        let refused = scene.get(path).await;
        assert_eq!((refused.status, &refused.json()["code"]), (status, &json!(code)), "{path}");
    }
    assert_eq!(scene.get("/sparse").await.content.len(), 1 << 20);
    let gone = scene.send(Method::DELETE, "/out", &[], Vec::new()).await;
    assert_eq!(gone.status, 204);
    scene.end().await;
}

#[tokio::test]
async fn a_watch_tells_what_a_program_does_and_that_the_session_has_ended() {
    let _processors = processors().await;
    let scene = Scene::new().await;
    let url = format!("{}{}/files:watch", scene.crucible.url(), scene.path);
    let request = scene.client.get(url).bearer_auth(scene.crucible.token());
    let mut events = request.send().await.expect("an answer");
    let mut told = String::new();
    let mut until = async |part: &str| {
        while !told.contains(part) {
            let piece = events.chunk().await.expect("events").expect("more of them");
            told.push_str(&String::from_utf8_lossy(&piece));
        }
    };
    until("event: ready").await;
    scene.run("echo 12345 > new.txt").await;
    until("event: created\ndata: {\"path\":\"new.txt\"").await;
    scene.run("rm new.txt").await;
    until("event: removed").await;
    scene.end().await;
    until("event: end\ndata: {\"reason\":\"session_ended\"}").await;
    assert!(events.chunk().await.expect("its end").is_none());
}
