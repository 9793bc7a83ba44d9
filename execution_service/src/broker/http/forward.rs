//! Plain requests: sent on as they are, but for what belongs to one connection.

use std::sync::Arc;

use http_body_util::Either;
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{
    CONNECTION, EXPECT, HOST, HeaderMap, HeaderName, HeaderValue, PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use hyper::http::uri::{PathAndQuery, Scheme};
use hyper::{Request, StatusCode, Uri, Version};
use hyper_util::rt::TokioIo;
use tokio::sync::Mutex;

use super::answer::{Answer, bad_request, broken, no_connection, refused};
use super::destination;
use crate::broker::dial::dial;
use crate::broker::gate::Gate;
use crate::broker::limits::{HEAD_BYTES, HEAD_FIELDS};
use crate::broker::line::Purpose;
use crate::network::Destination;

/// A connection to where the last request went, for the next one that goes there.
#[derive(Default)]
pub struct Forwarding(Mutex<Option<(Destination, SendRequest<Incoming>)>>);

/// What is between two that speak to each other directly, beside what `Connection` names.
const OF_ONE_CONNECTION: [HeaderName; 9] = [
    CONNECTION,
    EXPECT,
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
    HeaderName::from_static("keep-alive"),
];
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");
const HTTP_PORT: u16 = 80;

impl Forwarding {
    /// Sends a request on, if the gate allows it.
    pub async fn send(
        &self,
        gate: &Arc<Gate>,
        request: Request<Incoming>,
    ) -> Result<Answer, Answer> {
        let (destination, request) = rewritten(request).map_err(bad_request)?;
        let method = Some(request.method().as_str());
        gate.allows(&destination, method).map_err(|rule| refused(&destination, &rule))?;
        // One request after the other: that is how they come.
        let mut kept = self.0.lock().await;
        let last = kept.take().filter(|(to, sender)| *to == destination && !sender.is_closed());
        let (mut sender, mut used) = match last {
            Some((_, sender)) => (sender, true),
            None => (connect(gate, &destination).await?, false),
        };
        if sender.ready().await.is_err() {
            (sender, used) = (connect(gate, &destination).await?, false);
        }
        let mut request = request;
        let mut response = loop {
            match sender.try_send_request(request).await {
                Ok(response) => break response,
                // It was closed before anything of this was sent.
                Err(mut error) => match error.take_message().filter(|_| used) {
                    Some(unsent) => {
                        (request, used) = (unsent, false);
                        sender = connect(gate, &destination).await?;
                    }
                    None => return Err(broken(&destination)),
                },
            }
        };
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            // Nobody has asked for it.
            return Err(broken(&destination));
        }
        *kept = Some((destination, sender));
        strip(response.headers_mut());
        *response.version_mut() = Version::HTTP_11;
        Ok(response.map(Either::Left))
    }
}

async fn connect(gate: &Arc<Gate>, to: &Destination) -> Result<SendRequest<Incoming>, Answer> {
    let line = dial(gate, to, Purpose::Requests).await.map_err(|why| no_connection(to, &why))?;
    let account = line.account();
    let shaken = http1::Builder::new()
        .max_buf_size(HEAD_BYTES)
        .max_headers(HEAD_FIELDS)
        .preserve_header_case(true)
        .handshake(TokioIo::new(line));
    let (sender, driving) = shaken.await.map_err(|_| broken(to))?;
    let closed = gate.closed.clone();
    // Ends with `sender`, which the connection of the program has, and with the gate.
    tokio::spawn(async move {
        tokio::select! {
            _ = driving => {}
            () = account.must_end() => {}
            () = closed.cancelled() => {}
        }
    });
    Ok(sender)
}

/// Where a request is to go, and what is to be sent there; or what is wrong with it.
fn rewritten(request: Request<Incoming>) -> Result<(Destination, Request<Incoming>), &'static str> {
    let (mut head, body) = request.into_parts();
    let uri = head.uri.into_parts();
    if uri.scheme.is_some_and(|scheme| scheme != Scheme::HTTP) {
        return Err("ask for https by CONNECT");
    }
    let no_address = "a request must have its whole address (http://host/path)";
    let authority = uri.authority.ok_or(no_address)?;
    let destination = destination(&authority, Some(HTTP_PORT))
        .ok_or("the address names no host that can be reached")?;
    strip(&mut head.headers);
    // What the request says beside its address counts for nothing.
    let host = match destination.port {
        HTTP_PORT => destination.host.to_string(),
        _ => destination.to_string(),
    };
    let host = HeaderValue::try_from(host).map_err(|_| no_address)?;
    head.headers.insert(HOST, host);
    head.uri = Uri::from(uri.path_and_query.unwrap_or_else(|| PathAndQuery::from_static("/")));
    head.version = Version::HTTP_11;
    Ok((destination, Request::from_parts(head, body)))
}

/// Takes away what belongs to one connection.
fn strip(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named.iter().chain(&OF_ONE_CONNECTION).chain([&PROXY_CONNECTION]) {
        headers.remove(name);
    }
}
