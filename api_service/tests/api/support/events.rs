//! Server-sent events as a reader understands them.

use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Client, Response, StatusCode};
use serde_json::Value;
use tokio::time::timeout;

use super::{App, NEVER};

/// One event.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    pub id: Option<u64>,
    pub name: String,
    pub data: Value,
}

/// An answer that is read as it comes. Dropped, its reader has gone.
pub struct Events {
    pub response: Response,
    received: Vec<u8>,
}

impl Events {
    /// Of a run that is begun.
    pub async fn run(app: &App, token: &str, body: &Value, headers: &[(&str, &str)]) -> Self {
        let url = format!("http://{}/v1/code_interpreter/run", app.address);
        let mut request = Client::new().post(url).bearer_auth(token).json(body);
        request = request.header(ACCEPT, "text/event-stream");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Self::of(request.send().await.unwrap())
    }

    /// Of an execution, from where the query says.
    pub async fn follow(app: &App, token: &str, id: &str, query: &str) -> Self {
        let path = format!("/v1/code_interpreter/executions/{id}/events{query}");
        let request = Client::new().get(format!("http://{}{path}", app.address));
        Self::of(request.bearer_auth(token).send().await.unwrap())
    }

    pub fn of(response: Response) -> Self {
        Self { response, received: Vec::new() }
    }

    /// The next event; `None` at the end.
    pub async fn next(&mut self) -> Option<Told> {
        assert_eq!(self.response.status(), StatusCode::OK);
        assert_eq!(self.response.headers()[CONTENT_TYPE], "text/event-stream");
        loop {
            if let Some(end) = self.received.windows(2).position(|two| two == b"\n\n") {
                let block: Vec<u8> = self.received.drain(..end + 2).collect();
                let block = String::from_utf8(block).unwrap();
                if !block.starts_with(':') {
                    return Some(told(&block));
                }
                continue;
            }
            let piece = timeout(NEVER, self.response.chunk()).await.expect("nothing ever comes");
            match piece {
                Ok(Some(piece)) => self.received.extend_from_slice(&piece),
                Ok(None) | Err(_) => return None,
            }
        }
    }

    /// All that is left.
    pub async fn rest(mut self) -> Vec<Told> {
        let mut all = Vec::new();
        while let Some(event) = self.next().await {
            all.push(event);
        }
        all
    }
}

fn told(block: &str) -> Told {
    let mut found = Told { id: None, name: String::new(), data: Value::Null };
    for line in block.lines().filter(|line| !line.is_empty()) {
        match line.split_once(": ").unwrap() {
            ("id", id) => found.id = Some(id.parse().unwrap()),
            ("event", name) => found.name = name.to_owned(),
            ("data", data) => found.data = serde_json::from_str(data).unwrap(),
            other => panic!("{other:?}"),
        }
    }
    found
}
