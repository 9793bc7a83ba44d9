//! Runs as they happen: streamed, detached, written to, many on one socket.

use futures::{SinkExt, StreamExt};
use reqwest::Method;
use reqwest::header::ACCEPT;
use serde_json::{Value, json};
use tokio::time::{Duration, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::crucible::Crucible;

const RUN: &str = "/v1/code_interpreter/run";
const EXECUTIONS: &str = "/v1/code_interpreter/executions";
const NEVER: Duration = Duration::from_secs(60);

/// The events of one answer.
struct Events {
    response: reqwest::Response,
    received: String,
}

impl Events {
    async fn of(request: reqwest::RequestBuilder) -> Self {
        let token = Crucible::shared().token();
        let request = request.bearer_auth(token).header(ACCEPT, "text/event-stream");
        let response = request.send().await.expect("the gateway answers");
        assert_eq!(response.status().as_u16(), 200, "{response:?}");
        Self { response, received: String::new() }
    }

    async fn run(body: Value) -> Self {
        let url = format!("{}{RUN}", Crucible::shared().url());
        Self::of(reqwest::Client::new().post(url).json(&body)).await
    }

    /// Name and data of the next event; `None` at the end.
    async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some((block, rest)) = self.received.split_once("\n\n") {
                let field = |name| block.lines().find_map(|line| line.strip_prefix(name));
                let found = field("event: ").zip(field("data: ")).map(|(name, data)| {
                    (name.to_owned(), serde_json::from_str(data).expect("JSON"))
                });
                self.received = rest.to_owned();
                match found {
                    Some(event) => return Some(event),
                    None => continue,
                }
            }
            let piece = timeout(NEVER, self.response.chunk()).await.expect("something comes");
            // Whole characters are told, so pieces of ASCII are text as they come.
            self.received.push_str(std::str::from_utf8(&piece.expect("it goes on")?).unwrap());
        }
    }

    /// The next event of this name.
    async fn until(&mut self, name: &str) -> Value {
        loop {
            let (found, data) = self.next().await.expect("it comes");
            if found == name {
                return data;
            }
        }
    }
}

#[tokio::test]
async fn a_count_to_ten_is_told_while_it_goes_on() {
    let code = "import time\nfor n in range(10):\n    print(n + 1)\n    time.sleep(0.1)";
    let mut events = Events::run(json!({"code": code, "language": "python"})).await;
    let id = events.until("started").await["execution_id"].as_str().unwrap().to_owned();
    let mut text = String::new();
    while !text.contains("5\n") {
        text.push_str(events.until("stdout").await["text"].as_str().unwrap());
    }
    let path = format!("{EXECUTIONS}/{id}");
    let (_, record) = Crucible::shared().call(Method::GET, &path, None).await;
    assert_eq!(record["status"], "running", "the half of it is there before the end");
    let answer = events.until("finished").await;
    assert_eq!(answer["stdout"], "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n");
    assert!(events.next().await.is_none(), "it is the last");
}

/// Answers are told apart by what they come after: nothing is written before the program has asked for it.
async fn talks(language: &str, code: &str, session: Option<&str>) {
    let body = json!({
        "code": code, "language": language, "stdin": {"open": true}, "timeout": 60,
        "session_id": session,
    });
    let mut events = Events::run(body).await;
    let id = events.until("started").await["execution_id"].as_str().unwrap().to_owned();
    let path = format!("{EXECUTIONS}/{id}/stdin");
    let write = async |body: Value| {
        let (status, answer) = Crucible::shared().call(Method::POST, &path, Some(body)).await;
        assert_eq!(status, 200, "{language}: {answer}");
    };
    let mut asked = String::new();
    while !asked.contains("name?") {
        asked.push_str(events.until("stdout").await["text"].as_str().unwrap());
    }
    write(json!({"text": "Ad"})).await;
    write(json!({"text": "a\n"})).await;
    while !asked.contains("hello Ada") {
        asked.push_str(events.until("stdout").await["text"].as_str().unwrap());
    }
    write(json!({"text": "the rest\n", "eof": true})).await;
    let answer = events.until("finished").await;
    assert_eq!(answer["status"], "succeeded", "{language}: {answer}");
    let stdout = answer["stdout"].as_str().unwrap();
    assert!(stdout.trim_end().ends_with("the rest"), "{language}: {stdout:?}");
}

const PYTHON: &str = "import sys\nname = input('name?\\n')\nprint('hello', name, flush=True)\n\
                      print(sys.stdin.read())";
const BASH: &str = "echo 'name?'; read name; echo hello $name; cat";
const NODE: &str = "const lines = require('readline').createInterface({input: process.stdin});\n\
                    console.log('name?'); let n = 0;\n\
                    lines.on('line', line => console.log(n++ === 0 ? 'hello ' + line : line));";
const C: &str = "#include <stdio.h>\nint main(void) {\n    char name[64]; int c;\n    puts(\"name?\");\n\
                 fflush(stdout);\n    if (scanf(\"%63s\", name) != 1) return 1;\n\
                 printf(\"hello %s\\n\", name); fflush(stdout);\n\
                 while ((c = getchar()) != EOF) putchar(c);\n    return 0;\n}";

#[tokio::test]
async fn programs_of_all_languages_wait_for_what_is_written_to_them() {
    for (language, code) in [("python", PYTHON), ("bash", BASH), ("node", NODE), ("c", C)] {
        talks(language, code, None).await;
    }
}

#[tokio::test]
async fn a_session_is_written_to_and_goes_on_without_input() {
    for (language, code, after) in
        [("python", PYTHON, "print(repr(input()))"), ("bash", BASH, "cat; echo end")]
    {
        let (id, path) = crate::sessions::session(Crucible::shared(), language).await;
        for _ in 0..2 {
            talks(language, code, Some(&id)).await;
        }
        // The next run has nothing to read, as ever.
        let body = json!({"code": after, "language": language, "session_id": id});
        let answer = Crucible::shared().run(body).await;
        let said = format!("{}{}", answer["stdout"], answer["stderr"]);
        assert!(said.contains("EOFError") || said.contains("end"), "{answer}");
        Crucible::shared().call(Method::DELETE, &path, None).await;
    }
}

#[tokio::test]
async fn a_program_that_is_not_written_to_is_stopped_in_time() {
    let body = json!({
        "code": "input()", "language": "python", "stdin": {"open": true}, "timeout": 1,
    });
    assert_eq!(Crucible::shared().run(body).await["status"], "timed_out");
}

#[tokio::test]
async fn a_detached_run_survives_its_caller() {
    let crucible = Crucible::shared();
    let code = "import time\nprint('begun', flush=True)\ntime.sleep(1)\nprint('done')";
    let body = json!({"code": code, "language": "python", "detached": true});
    let (status, begun) = crucible.call(Method::POST, RUN, Some(body)).await;
    assert_eq!((status, &begun["status"]), (202, &json!("running")), "{begun}");
    let url = format!("{}{}", crucible.url(), begun["links"]["events"].as_str().unwrap());
    let mut first = Events::of(reqwest::Client::new().get(&url)).await;
    first.until("stdout").await;
    drop(first);
    let mut second = Events::of(reqwest::Client::new().get(format!("{url}?after=2"))).await;
    let (name, data) = second.next().await.expect("it goes on");
    assert_eq!((&*name, &data["text"]), ("stdout", &json!("done\n")));
    assert_eq!(second.until("finished").await["stdout"], "begun\ndone\n");
}

async fn socket() -> WebSocketStream<tokio::net::TcpStream> {
    let crucible = Crucible::shared();
    let address = crucible.url().strip_prefix("http://").unwrap();
    let url = format!("ws://{address}/v1/code_interpreter/ws");
    let mut request = url.into_client_request().unwrap();
    let bearer = format!("Bearer {}", crucible.token());
    request.headers_mut().insert("authorization", bearer.parse().unwrap());
    request.headers_mut().insert("sec-websocket-protocol", "crucible.v1".parse().unwrap());
    let stream = tokio::net::TcpStream::connect(address).await.expect("it listens");
    client_async(request, stream).await.expect("it is open").0
}

#[tokio::test]
async fn two_runs_share_a_socket() {
    let mut socket = socket().await;
    let frames = [
        json!({"op": "execute", "ref": "p", "code": "print(input()[::-1])", "language": "python",
               "stdin": {"open": true}}),
        json!({"op": "execute", "ref": "b", "code": "echo from bash; sleep 60", "language": "bash"}),
        json!({"op": "stdin", "ref": "p", "text": "abc\n"}),
    ];
    for frame in frames {
        socket.send(Message::text(frame.to_string())).await.expect("it is open");
    }
    let mut answers = std::collections::BTreeMap::new();
    while answers.len() < 2 {
        let message = timeout(NEVER, socket.next()).await.expect("something comes");
        let Message::Text(text) = message.expect("it is open").expect("a frame") else { continue };
        let frame: Value = serde_json::from_str(&text).expect("JSON");
        assert_ne!(frame["event"], "error", "{frame}");
        let name = frame["ref"].as_str().unwrap().to_owned();
        if name == "b" && frame["event"] == "stdout" {
            assert_eq!(frame["data"]["text"], "from bash\n");
            let cancel = json!({"op": "cancel", "ref": "b"}).to_string();
            socket.send(Message::text(cancel)).await.expect("it is open");
        }
        if frame["event"] == "finished" {
            answers.insert(name, frame["data"].clone());
        }
    }
    assert_eq!(answers["p"]["stdout"], "cba\n", "{answers:?}");
    assert_eq!(answers["b"]["status"], "cancelled", "{answers:?}");
}
