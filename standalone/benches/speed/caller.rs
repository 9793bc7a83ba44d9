//! One caller of the service, on a connection that it keeps.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;

use crate::answer::{Answer, shortened};
use crate::events::{Event, Events};

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
        let text = body.map(serde_json::to_vec).transpose()?.unwrap_or_default();
        let kind = body.is_some().then_some("application/json");
        self.send(method, path, kind, Bytes::from(text))
    }

    /// One call with a body as it is.
    pub fn send(
        &mut self,
        method: Method,
        path: &str,
        kind: Option<&str>,
        body: Bytes,
    ) -> anyhow::Result<Response> {
        let mut request = self.request(method, path);
        if let Some(kind) = kind {
            request = request.header(CONTENT_TYPE, kind);
        }
        let request = request.body(Full::new(body))?;
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

    /// Asks for events and hands each to `on` when it comes, until the stream ends.
    pub fn follow(
        &mut self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        mut on: impl FnMut(Event) -> anyhow::Result<()>,
    ) -> anyhow::Result<Duration> {
        let mut request = self.request(method, path).header(ACCEPT, "text/event-stream");
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let text = body.map(serde_json::to_vec).transpose()?.unwrap_or_default();
        let request = request.body(Full::new(Bytes::from(text)))?;
        let started = Instant::now();
        self.runtime.block_on(async {
            self.connection.ready().await?;
            let answer = self.connection.send_request(request).await?;
            let status = answer.status().as_u16();
            let (mut body, mut events) = (answer.into_body(), Events::default());
            if status != 200 {
                let said = body.collect().await?.to_bytes();
                anyhow::bail!("{path}: status {status}: {}", shortened(&said));
            }
            while let Some(frame) = body.frame().await {
                if let Ok(piece) = frame?.into_data() {
                    events.absorb(&piece).into_iter().try_for_each(&mut on)?;
                }
            }
            anyhow::Ok(())
        })?;
        Ok(started.elapsed())
    }

    /// Runs code and hands on its events; `finished` is the answer.
    pub fn run_streaming(
        &mut self,
        request: &Value,
        mut on: impl FnMut(&Event) -> anyhow::Result<()>,
    ) -> anyhow::Result<Ran> {
        let mut answer = None;
        let took = self.follow(Method::POST, RUN, Some(request), |event| {
            on(&event)?;
            if event.name == "finished" {
                answer = Some(Answer::parse(200, &Bytes::from(event.data))?);
            }
            Ok(())
        })?;
        Ok(Ran { took, answer: answer.context("the stream had no end")? })
    }

    fn request(&self, method: Method, path: &str) -> hyper::http::request::Builder {
        let request = Request::builder().method(method).uri(path).header(HOST, &self.host);
        match &self.authorization {
            Some(authorization) => request.header(AUTHORIZATION, authorization),
            None => request,
        }
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
