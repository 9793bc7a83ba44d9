//! Serves one page, and hears what it has to say.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// The server of one page.
pub struct PageServer {
    origin: String,
    page: Arc<Mutex<String>>,
    told: mpsc::Receiver<Value>,
}

impl PageServer {
    /// On a free port, with no page yet.
    pub async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let origin = format!("http://{}", listener.local_addr().expect("it is bound"));
        let page = Arc::<Mutex<String>>::default();
        let (teller, told) = mpsc::channel(1);
        let served = page.clone();
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let page = served.lock().unwrap_or_else(PoisonError::into_inner).clone();
                tokio::spawn(answer(connection, page, teller.clone()));
            }
        });
        Self { origin, page, told }
    }

    /// `http://127.0.0.1:40123`
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// What it serves from now on.
    pub fn serve(&mut self, page: String) {
        *self.page.lock().unwrap_or_else(PoisonError::into_inner) = page;
    }

    /// What the page has posted.
    pub async fn told(&mut self) -> Value {
        self.told.recv().await.expect("the server runs")
    }
}

/// One request; a body is what the page has to say.
async fn answer(mut connection: TcpStream, page: String, teller: mpsc::Sender<Value>) {
    let mut request = Vec::new();
    let body = loop {
        let mut piece = [0; 4096];
        match connection.read(&mut piece).await {
            Ok(0) | Err(_) => return,
            Ok(count) => request.extend_from_slice(&piece[..count]),
        }
        if let Some(body) = body_of(&request) {
            break body;
        }
    };
    if let Ok(value) = serde_json::from_slice(body) {
        let _ = teller.send(value).await;
    }
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n";
    let answer = format!("{head}Content-Length: {}\r\n\r\n{page}", page.len());
    let _ = connection.write_all(answer.as_bytes()).await;
}

/// The body, when all of it is there.
fn body_of(request: &[u8]) -> Option<&[u8]> {
    let end = request.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&request[..end]).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    let length: usize = length.map_or(Some(0), |length| length.trim().parse().ok())?;
    request.get(end..end + length)
}
