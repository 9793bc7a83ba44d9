//! A terminal over a WebSocket, as a client has it.

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
pub struct TerminalSocket(WebSocketStream<TcpStream>);

/// What comes.
#[derive(Debug, PartialEq)]
pub enum TerminalFrame {
    Bytes(Vec<u8>),
    Text(Value),
    Closed(u16),
}

impl TerminalSocket {
    /// Opens the one of a path, with headers; or the status and the body of the refusal.
    pub async fn open(
        app: &App,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Result<Self, (u16, Value)> {
        let mut request = format!("ws://{}{path}", app.address).into_client_request().unwrap();
        let all = [("sec-websocket-protocol", "crucible.tty.v1")].into_iter();
        for (name, value) in all.chain(headers.iter().copied()) {
            let name = name.parse::<reqwest::header::HeaderName>().unwrap();
            request.headers_mut().append(name, value.parse().unwrap());
        }
        let stream = TcpStream::connect(app.address).await.unwrap();
        match client_async(request, stream).await {
            Ok((socket, response)) => {
                assert_eq!(response.headers()["sec-websocket-protocol"], "crucible.tty.v1");
                Ok(Self(socket))
            }
            Err(Error::Http(response)) => {
                let body = response.body().clone().unwrap_or_default();
                Err((response.status().as_u16(), serde_json::from_slice(&body).unwrap()))
            }
            Err(error) => panic!("{error}"),
        }
    }

    pub async fn types(&mut self, text: &str) {
        self.send(Message::binary(text.as_bytes().to_vec())).await;
    }

    pub async fn says(&mut self, frame: Value) {
        self.send(Message::text(frame.to_string())).await;
    }

    async fn send(&mut self, message: Message) {
        // What cannot be sent any more is not.
        let _ = self.0.send(message).await;
    }

    /// The next frame.
    pub async fn next(&mut self) -> TerminalFrame {
        loop {
            match timeout(NEVER, self.0.next()).await.expect("nothing ever comes") {
                Some(Ok(Message::Binary(data))) => return TerminalFrame::Bytes(data.to_vec()),
                Some(Ok(Message::Text(text))) => {
                    return TerminalFrame::Text(serde_json::from_str(&text).unwrap());
                }
                Some(Ok(Message::Close(reason))) => {
                    return TerminalFrame::Closed(reason.map_or(1005, |it| it.code.into()));
                }
                Some(Ok(_)) => {}
                // It ended without a word.
                Some(Err(_)) | None => return TerminalFrame::Closed(1006),
            }
        }
    }
}
