//! Commands of a session and their terminals, over the real thing.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::crucible::Crucible;
use crate::sessions::session;

/// Long enough for the slowest machine.
const NEVER: Duration = Duration::from_secs(60);

type Socket = WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>;

/// Starts a command in the session at `path`: the answer.
async fn start(path: &str, body: Value) -> Value {
    let path = format!("{path}/processes");
    let (status, answer) = Crucible::shared().call(Method::POST, &path, Some(body)).await;
    assert!(matches!(status, 200 | 201), "{status} {answer}");
    answer
}

#[tokio::test]
async fn a_web_server_in_the_background_is_called_by_a_later_run() {
    let crucible = Crucible::shared();
    let (id, path) = session(crucible, "python").await;
    let said = start(&path, json!({"command": "echo it works > index.html; echo $0"})).await;
    assert_eq!((&said["stdout"], &said["status"]), (&json!("bash\n"), &json!("exited")));
    let server = ["python3", "-u", "-m", "http.server", "8765", "--bind", "127.0.0.1"];
    let server = start(&path, json!({"command": server, "background": true, "tag": "web"})).await;
    let code = "import time, urllib.request
for attempt in range(200):
    try:
        print(urllib.request.urlopen('http://127.0.0.1:8765/').read().decode(), end='')
        break
    except OSError:
        time.sleep(0.05)";
    let run = json!({"code": code, "language": "python", "session_id": id});
    assert_eq!(crucible.run(run).await["stdout"], "it works\n");
    let one = format!("{path}/processes/{}", server["process_id"]);
    let (_, seen) = crucible.call(Method::GET, &one, None).await;
    assert_eq!((&seen["status"], &seen["tag"]), (&json!("running"), &json!("web")));
    let (status, killed) = crucible.call(Method::DELETE, &one, None).await;
    assert_eq!((status, &killed["signal"]), (200, &json!("SIGKILL")), "{killed}");
    crucible.call(Method::DELETE, &path, None).await;
}

/// What is shown from here on, until it has `text`.
async fn shows(socket: &mut Socket, seen: &mut u64, text: &str) {
    let mut shown = String::new();
    while !shown.contains(text) {
        let next = timeout(NEVER, socket.next()).await;
        let next = next.unwrap_or_else(|_| panic!("{text:?} does not come: {shown:?}"));
        if let Some(Ok(Message::Binary(data))) = next {
            *seen += data.len() as u64;
            shown.push_str(&String::from_utf8_lossy(&data));
            let ack = Message::text(json!({"ack": *seen}).to_string());
            socket.send(ack).await.expect("it is open");
        }
    }
}

async fn attach(path: &str, since: u64) -> Socket {
    let crucible = Crucible::shared();
    let url = format!("{}{path}/tty?since={since}", crucible.url()).replacen("http", "ws", 1);
    let mut request = url.into_client_request().expect("an address");
    let bearer = format!("Bearer {}", crucible.token()).parse().expect("plain");
    request.headers_mut().insert("authorization", bearer);
    let protocol = "crucible.tty.v1".parse().expect("plain");
    request.headers_mut().insert("sec-websocket-protocol", protocol);
    connect_async(request).await.expect("it is opened").0
}

#[tokio::test]
async fn a_shell_is_used_over_a_websocket_and_found_again() {
    let crucible = Crucible::shared();
    let (_, path) = session(crucible, "bash").await;
    let shell =
        json!({"command": ["bash", "--norc", "-i"], "pty": {"cols": 90}, "background": true});
    let shell = start(&path, shell).await;
    let one = format!("{path}/processes/{}", shell["process_id"]);
    let mut socket = attach(&one, 0).await;
    let mut seen = 0;
    let types = |text: &str| Message::binary(text.as_bytes().to_vec());
    socket.send(types("stty size; x=kept\n")).await.expect("it is open");
    shows(&mut socket, &mut seen, "24 90\r\n").await;
    let larger = json!({"resize": {"cols": 120, "rows": 40}}).to_string();
    socket.send(Message::text(larger)).await.expect("it is open");
    socket.send(types("stty size\n")).await.expect("it is open");
    shows(&mut socket, &mut seen, "40 120\r\n").await;
    // The connection breaks, and the shell does not.
    drop(socket);
    let mut socket = attach(&one, seen).await;
    socket.send(types("sleep 600\n")).await.expect("it is open");
    shows(&mut socket, &mut seen, "sleep 600\r\n").await;
    socket.send(types("\x03")).await.expect("it is open");
    shows(&mut socket, &mut seen, "^C").await;
    socket.send(types("echo $x; exit 4\n")).await.expect("it is open");
    shows(&mut socket, &mut seen, "kept\r\n").await;
    let exit = loop {
        match timeout(NEVER, socket.next()).await.expect("the end is told") {
            Some(Ok(Message::Text(text))) => {
                break serde_json::from_str::<Value>(&text).expect("JSON");
            }
            Some(Ok(_)) => {}
            other => panic!("{other:?}"),
        }
    };
    assert_eq!((&exit["exit"]["exit_code"], &exit["exit"]["signal"]), (&json!(4), &Value::Null));
    let (_, ended) = crucible.call(Method::GET, &one, None).await;
    assert_eq!((&ended["status"], &ended["exit_code"]), (&json!("exited"), &json!(4)));
    crucible.call(Method::DELETE, &path, None).await;
}
