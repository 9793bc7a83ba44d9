//! A proxy for HTTP/1: plain requests with their whole address, and tunnels.

mod answer;
mod forward;

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};

use hyper::body::Incoming;
use hyper::http::uri::Authority;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;

use super::dial::dial;
use super::gate::Gate;
use super::limits::{HEAD, HEAD_BYTES, HEAD_FIELDS};
use super::line::{Line, Purpose, pass_on};
use crate::network::{Destination, Host};
use answer::{Answer, bad_request, no_connection, refused};
use forward::Forwarding;

/// A tunnel that has been promised.
type Tunnel = (OnUpgrade, Line);

/// Serves one connection.
pub async fn serve(program: TcpStream, gate: &Arc<Gate>) {
    let forwarding = Arc::new(Forwarding::default());
    let promised = Arc::new(Mutex::new(None::<Tunnel>));
    let service = service_fn(|request| {
        let (gate, promised) = (Arc::clone(gate), Arc::clone(&promised));
        let forwarding = Arc::clone(&forwarding);
        async move {
            let answered = if request.method() == Method::CONNECT {
                tunnel(&gate, request, &promised).await
            } else {
                forwarding.send(&gate, request).await
            };
            Ok::<_, Infallible>(answered.unwrap_or_else(|refusal| refusal))
        }
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(HEAD_BYTES)
        .max_headers(HEAD_FIELDS)
        .preserve_header_case(true)
        // A program that has said all may wait for the answer.
        .half_close(true)
        .serve_connection(TokioIo::new(program), service)
        .with_upgrades();
    if serving.await.is_err() {
        return;
    }
    let promised = promised.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some((upgrade, line)) = promised
        && let Ok(program) = upgrade.await
    {
        pass_on(TokioIo::new(program), line).await;
    }
}

/// Connects, and promises to pass on what comes.
async fn tunnel(
    gate: &Arc<Gate>,
    mut request: Request<Incoming>,
    promised: &Mutex<Option<Tunnel>>,
) -> Result<Answer, Answer> {
    let authority = request.uri().authority().filter(|_| request.uri().scheme().is_none());
    let destination = authority.and_then(|authority| destination(authority, None));
    let destination = destination.ok_or_else(|| bad_request("CONNECT wants host:port"))?;
    gate.allows(&destination, None).map_err(|rule| refused(&destination, &rule))?;
    let line = dial(gate, &destination, Purpose::Tunnel)
        .await
        .map_err(|why| no_connection(&destination, &why))?;
    let upgrade = hyper::upgrade::on(&mut request);
    *promised.lock().unwrap_or_else(PoisonError::into_inner) = Some((upgrade, line));
    Ok(answer::empty(StatusCode::OK))
}

/// What an authority names; without a port, at `usual`, if there is one.
fn destination(authority: &Authority, usual: Option<u16>) -> Option<Destination> {
    if authority.as_str().contains('@') {
        return None;
    }
    let port = match authority.port() {
        Some(port) => port.as_str().parse().ok()?,
        None if authority.as_str().ends_with(':') => return None,
        None => usual?,
    };
    let host = Host::parse(authority.host()).ok()?;
    (port > 0).then_some(Destination { host, port })
}
