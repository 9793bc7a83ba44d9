//! One attempt: the name is looked up, the address checked, and that address dialled. Nothing is followed.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HOST, USER_AGENT};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::target::{AllowedHost, Target, reachable};
use crate::domain::ids::ExecutionId;
use crate::services::Error;

/// How long one attempt may take.
const PATIENCE: Duration = Duration::from_secs(10);

const EXECUTION_ID: &str = "crucible-execution-id";
const TIMESTAMP: &str = "crucible-timestamp";
const SIGNATURE: &str = "crucible-signature";

/// What came of an attempt.
pub(super) enum Sent {
    /// It was answered with 2xx.
    Taken,
    /// Later it may be taken.
    NotNow(String),
    /// Not by this host.
    Never(String),
}

/// How hosts prove who they are: by the authorities that browsers know.
#[derive(Clone)]
pub(super) struct Tls(Arc<ClientConfig>);

impl Tls {
    pub(super) fn new() -> Result<Self, Error> {
        let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|_| Error::Fault("TLS cannot be set up"))?;
        Ok(Self(Arc::new(config.with_root_certificates(roots).with_no_client_auth())))
    }
}

/// Posts `body` to `target`, in the time of one attempt.
pub(super) async fn send(
    target: &Target,
    allowed: &[AllowedHost],
    tls: &Tls,
    (id, timestamp, signature): (&ExecutionId, i64, Option<String>),
    body: Bytes,
) -> Sent {
    let mut request = Request::post(&*target.path)
        .header(HOST, target.authority())
        .header(USER_AGENT, concat!("crucible/", env!("CARGO_PKG_VERSION")))
        .header(CONTENT_TYPE, "application/json")
        .header(EXECUTION_ID, id.as_str())
        .header(TIMESTAMP, timestamp);
    if let Some(signature) = signature {
        request = request.header(SIGNATURE, signature);
    }
    let Ok(request) = request.body(Full::new(body)) else {
        return Sent::Never("its URL cannot be sent".to_owned());
    };
    match timeout(PATIENCE, exchange(target, allowed, tls, request)).await {
        Ok(sent) => sent,
        Err(_) => Sent::NotNow("it took too long".to_owned()),
    }
}

async fn exchange(
    target: &Target,
    allowed: &[AllowedHost],
    tls: &Tls,
    request: Request<Full<Bytes>>,
) -> Sent {
    let found = match lookup_host((&*target.host, target.port)).await {
        Ok(found) => found,
        Err(error) => return Sent::NotNow(format!("its name cannot be looked up: {error}")),
    };
    // Dialled is the very address that was looked at: the name may lead elsewhere a moment later.
    let Some(address) = reachable(found, allowed) else {
        return Sent::Never("it leads to an address that WEBHOOK_HOSTS does not name".to_owned());
    };
    let stream = match TcpStream::connect(address).await {
        Ok(stream) => stream,
        Err(error) => return Sent::NotNow(format!("it cannot be reached: {error}")),
    };
    if !target.tls {
        return speak(stream, request).await;
    }
    let Ok(name) = ServerName::try_from(target.host.clone()) else {
        return Sent::Never("its name is none that a certificate can have".to_owned());
    };
    match TlsConnector::from(tls.0.clone()).connect(name, stream).await {
        Ok(stream) => speak(stream, request).await,
        Err(error) => Sent::NotNow(format!("it does not prove who it is: {error}")),
    }
}

async fn speak(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    request: Request<Full<Bytes>>,
) -> Sent {
    let (mut sender, connection) = match http1::handshake(TokioIo::new(stream)).await {
        Ok(opened) => opened,
        Err(error) => return Sent::NotNow(format!("it does not speak HTTP: {error}")),
    };
    let mut answering = std::pin::pin!(sender.send_request(request));
    let answered = tokio::select! {
        biased;
        answered = &mut answering => answered,
        // Also with the answer as its last word.
        _ = connection => answering.await,
    };
    match answered.map(|answer| answer.status()) {
        Ok(status) if status.is_success() => Sent::Taken,
        Ok(status) if may_pass(status) => Sent::NotNow(format!("it answered {status}")),
        Ok(status) => Sent::Never(format!("it answered {status}")),
        Err(error) => Sent::NotNow(format!("it does not answer: {error}")),
    }
}

/// Whether what a host answers may be another thing next time.
fn may_pass(status: StatusCode) -> bool {
    status.is_server_error()
        || matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS)
}
