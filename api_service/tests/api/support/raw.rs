//! Bytes on a connection, for what no well-behaved client would send.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{App, NEVER};

/// One connection to a gateway.
pub struct Raw {
    stream: TcpStream,
    received: Vec<u8>,
}

/// An answer as it came.
#[derive(Debug)]
pub struct RawAnswer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Raw {
    pub async fn connect(app: &App) -> Self {
        let stream = TcpStream::connect(app.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, received: Vec::new() }
    }

    /// Sends what can be sent: the other side may have had enough.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        let sending = self.stream.write_all(bytes.as_ref());
        timeout(NEVER, sending).await.expect("it is never taken").is_ok()
    }

    /// The next answer; `None` when the connection ends without one.
    pub async fn answer(&mut self) -> Option<RawAnswer> {
        let end = loop {
            if let Some(at) = find(&self.received, b"\r\n\r\n") {
                break at + 4;
            }
            if !self.receive().await {
                return None;
            }
        };
        let head = String::from_utf8_lossy(&self.received[..end]).into_owned();
        self.received.drain(..end);
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            let named = name.eq_ignore_ascii_case("content-length");
            named.then(|| value.trim().parse::<usize>().unwrap())
        });
        while self.received.len() < length.unwrap_or(0) && self.receive().await {}
        let body = self.received.drain(..length.unwrap_or(0).min(self.received.len()));
        let body = String::from_utf8_lossy(&body.collect::<Vec<u8>>()).into_owned();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Some(RawAnswer { status, head, body })
    }

    /// True once the gateway has closed the connection; false when it is still open after `within`.
    pub async fn ends(&mut self, within: Duration) -> bool {
        timeout(within, async { while self.receive().await {} }).await.is_ok()
    }

    /// All answers until the connection ends or falls silent.
    pub async fn answers(&mut self, silence: Duration) -> Vec<RawAnswer> {
        let mut answers = Vec::new();
        while let Ok(Some(answer)) = timeout(silence, self.answer()).await {
            answers.push(answer);
        }
        answers
    }

    async fn receive(&mut self) -> bool {
        let mut piece = [0; 16 << 10];
        match timeout(NEVER, self.stream.read(&mut piece)).await.expect("nothing ever comes") {
            Ok(0) | Err(_) => false,
            Ok(count) => {
                self.received.extend_from_slice(&piece[..count]);
                true
            }
        }
    }
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}
