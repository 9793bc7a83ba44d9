//! A WebSocket as a client has it.

use futures::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::error::Error;
use tokio_tungstenite::{WebSocketStream, client_async};

use super::{App, NEVER};

/// An open one.
pub struct Socket(WebSocketStream<TcpStream>);

impl Socket {
    /// Opens one, with headers; or the status and the body of the refusal.
    pub async fn open(app: &App, headers: &[(&str, &str)]) -> Result<Self, (u16, String)> {
        let url = format!("ws://{}/v1/code_interpreter/ws", app.address);
        let mut request = url.into_client_request().unwrap();
        let all = [("sec-websocket-protocol", "crucible.v1")].into_iter();
        for (name, value) in all.chain(headers.iter().copied()) {
            let name = name.parse::<reqwest::header::HeaderName>().unwrap();
            request.headers_mut().append(name, value.parse().unwrap());
        }
        let stream = TcpStream::connect(app.address).await.unwrap();
        match client_async(request, stream).await {
            Ok((socket, response)) => {
                assert_eq!(response.headers()["sec-websocket-protocol"], "crucible.v1");
                Ok(Self(socket))
            }
            Err(Error::Http(response)) => {
                let body = response.body().clone().unwrap_or_default();
                Err((response.status().as_u16(), String::from_utf8(body.to_vec()).unwrap()))
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// One of the user whose token it is.
    pub async fn of(app: &App, token: &str) -> Self {
        let bearer = format!("Bearer {token}");
        Self::open(app, &[("authorization", &bearer)]).await.unwrap_or_else(|no| panic!("{no:?}"))
    }

    pub async fn send(&mut self, frame: Value) {
        self.send_raw(Message::text(frame.to_string())).await;
    }

    /// What cannot be sent any more is not.
    pub async fn send_raw(&mut self, message: Message) {
        let _ = self.0.send(message).await;
    }

    /// The next frame, or the code with which it was closed.
    pub async fn next(&mut self) -> Result<Value, u16> {
        loop {
            let message = timeout(NEVER, self.0.next()).await.expect("nothing ever comes");
            match message {
                Some(Ok(Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(reason))) => {
                    return Err(reason.map_or(1005, |reason| reason.code.into()));
                }
                Some(Ok(_)) => {}
                // It ended without a word.
                Some(Err(_)) | None => return Err(1006),
            }
        }
    }

    /// The next frame of the execution `name`; others are skipped.
    pub async fn next_of(&mut self, name: &str) -> Value {
        loop {
            let frame = self.next().await.expect("it is open");
            if frame["ref"] == name {
                return frame;
            }
        }
    }
}
