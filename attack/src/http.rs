//! HTTP as an attacker speaks it: a path is sent as it is written, a length need not be true, and
//! every call has a connection of its own, so that nothing which one of them breaks is another's.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::{BodyExt, Either, Full};
use hyper::body::{Body, Bytes, Frame};
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HOST, RETRY_AFTER};
use hyper::http::request::Builder;
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use thiserror::Error;
use tokio::net::TcpStream;

/// Where the service is.
#[derive(Clone, Debug)]
pub struct Client {
    /// `127.0.0.1:40123`
    authority: String,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Response {
    /// HTTP's.
    pub status: u16,
    /// Without parameters.
    pub media_type: String,
    /// Seconds to wait, when the service asks for that.
    pub retry_after: Option<u64>,
    /// The body, which is `Null` when it is not JSON.
    pub json: Value,
    /// The body, in which what is not UTF-8 is replaced.
    pub text: String,
}

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum HttpError {
    /// Nobody listens, or the connection broke.
    #[error("the connection failed: {0}")]
    Connection(#[from] std::io::Error),
    /// Something else came back than HTTP, or nothing at all.
    #[error("no answer: {0}")]
    Broken(#[from] hyper::Error),
    /// There is none yet.
    #[error("no answer within {} s", .0.as_secs_f32())]
    TimedOut(Duration),
    /// It cannot be put into HTTP.
    #[error("not a request: {0}")]
    InvalidRequest(#[from] hyper::http::Error),
}

/// A body that is announced and never comes.
pub struct Unfinished;

impl Body for Unfinished {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Pending
    }
}

/// What can follow the headers.
pub type Content = Either<Full<Bytes>, Unfinished>;

/// A body in full; empty for none.
pub fn full(bytes: Vec<u8>) -> Content {
    Either::Left(Full::new(Bytes::from(bytes)))
}

impl Client {
    /// Of the service at `host:port`.
    pub fn new(authority: String) -> Self {
        Self { authority }
    }

    /// One call, which has to be answered within `limit`.
    ///
    /// # Errors
    /// [`HttpError`]; a status of 4xx or 5xx is none.
    pub async fn send(
        &self,
        request: Request<Content>,
        limit: Duration,
    ) -> Result<Response, HttpError> {
        let exchange = tokio::time::timeout(limit, self.exchange(request));
        exchange.await.unwrap_or(Err(HttpError::TimedOut(limit)))
    }

    async fn exchange(&self, mut request: Request<Content>) -> Result<Response, HttpError> {
        if !request.headers().contains_key(HOST) {
            let host = self.authority.parse().map_err(hyper::http::Error::from)?;
            request.headers_mut().insert(HOST, host);
        }
        let stream = TcpStream::connect(&self.authority).await?;
        stream.set_nodelay(true)?;
        let (mut requests, driver) = http1::handshake(TokioIo::new(stream)).await?;
        // Aborted with this call: that is how it hangs up.
        let mut driver = tokio::task::JoinSet::from_iter([driver]);
        let answer = requests.send_request(request).await?;
        let (head, body) = answer.into_parts();
        let bytes = body.collect().await?.to_bytes();
        driver.abort_all();
        let header = |name| head.headers.get(name).and_then(|value| value.to_str().ok());
        let media_type = header(CONTENT_TYPE).and_then(|text| text.split(';').next());
        Ok(Response {
            status: head.status.as_u16(),
            media_type: String::from(media_type.unwrap_or_default().trim()),
            retry_after: header(RETRY_AFTER).and_then(|text| text.parse().ok()),
            json: serde_json::from_slice(&bytes).unwrap_or_default(),
            text: String::from_utf8_lossy(&bytes).into_owned(),
        })
    }

    /// A call with a JSON body, by whom the token belongs to.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn json(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Option<&Value>,
        limit: Duration,
    ) -> Result<Response, HttpError> {
        let request = authorized(Request::builder().method(method).uri(path), token);
        let request = match body {
            Some(body) => request
                .header(CONTENT_TYPE, "application/json")
                .body(full(body.to_string().into_bytes())),
            None => request.body(full(Vec::new())),
        };
        self.send(request?, limit).await
    }
}

/// With a token, if there is one.
pub fn authorized(request: Builder, token: Option<&str>) -> Builder {
    match token {
        Some(token) => request.header("authorization", format!("Bearer {token}")),
        None => request,
    }
}
