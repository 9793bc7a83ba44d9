//! A key in a terminal, from its way out to its echo, against a line through `cat` at two pipes.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use futures::{SinkExt, StreamExt};
use hyper::Method;
use hyper::header::{AUTHORIZATION, HeaderValue, SEC_WEBSOCKET_PROTOCOL};
use serde_json::json;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::Stage;
use super::single::Single;
use crate::answer::Answer;
use crate::bare;
use crate::caller::{Caller, Ran};
use crate::service::open_session;

/// A terminal in a session, and a `cat` beside it.
pub struct Echo {
    runtime: Runtime,
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// Bytes that were shown.
    seen: usize,
    cat: Child,
    to_cat: ChildStdin,
    from_cat: BufReader<ChildStdout>,
}

impl Echo {
    /// Opens both.
    pub fn new(stage: &Stage<'_>) -> anyhow::Result<Self> {
        let mut caller = stage.service.caller()?;
        let session = open_session(&mut caller, "bash")?;
        let processes = format!("/v1/code_interpreter/sessions/{session}/processes");
        let start =
            json!({"command": ["cat"], "pty": {"cols": 80, "rows": 24}, "background": true});
        let started = caller.must(Method::POST, &processes, Some(&start), 201)?;
        let id = &started["process_id"];
        let url = format!("ws://{}{processes}/{id}/tty", stage.service.address());
        let mut request = url.into_client_request()?;
        let bearer = format!("Bearer {}", stage.service.token());
        request.headers_mut().insert(AUTHORIZATION, HeaderValue::try_from(bearer)?);
        let protocol = HeaderValue::from_static("crucible.tty.v1");
        request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, protocol);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (socket, _) = runtime.block_on(connect_async(request))?;
        let mut cat = bare::command(Path::new("/bin/cat"), [""; 0])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let to_cat = cat.stdin.take().context("it is piped")?;
        let from_cat = BufReader::new(cat.stdout.take().context("it is piped")?);
        Ok(Self { runtime, socket, seen: 0, cat, to_cat, from_cat })
    }
}

impl Single for Echo {
    fn crucible(&mut self, _caller: &mut Caller, _turn: u32) -> anyhow::Result<Ran> {
        let Self { runtime, socket, seen, .. } = self;
        let began = Instant::now();
        let took = runtime.block_on(async {
            socket.send(Message::binary(&b"x"[..])).await?;
            while let Some(message) = socket.next().await {
                if let Message::Binary(shown) = message? {
                    let took = began.elapsed();
                    *seen += shown.len();
                    socket.send(Message::text(json!({"ack": *seen}).to_string())).await?;
                    return Ok(took);
                }
            }
            bail!("the terminal was closed")
        })?;
        Ok(Ran { took, answer: Answer::default() })
    }

    fn bare(&mut self, _turn: u32) -> anyhow::Result<Duration> {
        let began = Instant::now();
        self.to_cat.write_all(b"x\n")?;
        self.from_cat.read_line(&mut String::new())?;
        Ok(began.elapsed())
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        let _ = self.cat.kill();
        let _ = self.cat.wait();
    }
}
