//! One caller of the service, on a connection that it keeps.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;

use crate::answer::{Answer, shortened};

/// The endpoint that everything here is about.
const RUN: &str = "/v1/code_interpreter/run";

/// A connection, and a runtime that lives on the calling thread: what the client adds to a measured
/// time is one system call to send and one or two to receive, and no change of threads.
pub struct Caller {
    runtime: Runtime,
    connection: SendRequest<Full<Bytes>>,
    host: String,
    authorization: Option<String>,
}

/// What came back.
pub struct Response {
    /// From before the request was sent until its answer was there to the last byte.
    pub took: Duration,
    /// HTTP's.
    pub status: u16,
    /// All of it.
    pub body: Bytes,
}

/// A run that was answered.
pub struct Ran {
    /// As in [`Response`]: making the request's JSON and reading the answer's is not counted.
    pub took: Duration,
    /// The parsed answer.
    pub answer: Answer,
}

impl Caller {
    /// Connects, without a token if there is none yet.
    pub fn connect(address: SocketAddr, token: Option<&str>) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let connection = runtime.block_on(async {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            let (requests, driver) = http1::handshake(TokioIo::new(stream)).await?;
            // It runs whenever this thread waits for an answer. How it ends is told by the request
            // that it could not carry.
            tokio::spawn(driver);
            anyhow::Ok(requests)
        })?;
        let authorization = token.map(|token| format!("Bearer {token}"));
        Ok(Self { runtime, connection, host: address.to_string(), authorization })
    }

    /// One call.
    pub fn call(
        &mut self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Response> {
        let mut request = Request::builder().method(method).uri(path).header(HOST, &self.host);
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        let text = match body {
            Some(body) => {
                request = request.header(CONTENT_TYPE, "application/json");
                serde_json::to_vec(body)?
            }
            None => Vec::new(),
        };
        let request = request.body(Full::new(Bytes::from(text)))?;
        let started = Instant::now();
        let (status, body) = self.runtime.block_on(async {
            // After an answer the connection needs one more turn to be ready again.
            self.connection.ready().await?;
            let answer = self.connection.send_request(request).await?;
            let status = answer.status().as_u16();
            anyhow::Ok((status, answer.into_body().collect().await?.to_bytes()))
        })?;
        Ok(Response { took: started.elapsed(), status, body })
    }

    /// Runs code.
    pub fn run(&mut self, request: &Value) -> anyhow::Result<Ran> {
        let Response { took, status, body } = self.call(Method::POST, RUN, Some(request))?;
        let answer = Answer::parse(status, &body).with_context(|| shortened_request(request))?;
        Ok(Ran { took, answer })
    }

    /// A call that has to be answered with `expected`; the answer as JSON.
    pub fn must(
        &mut self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        expected: u16,
    ) -> anyhow::Result<Value> {
        let Response { took: _, status, body } = self.call(method, path, body)?;
        ensure!(status == expected, "{path}: status {status}: {}", shortened(&body));
        Ok(serde_json::from_slice(&body)?)
    }
}

fn shortened_request(request: &Value) -> String {
    format!("the request was {}", shortened(request.to_string().as_bytes()))
}
