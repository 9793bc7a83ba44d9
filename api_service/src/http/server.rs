//! The HTTP servers: ours, and the one for figures.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use actix_cors::Cors;
use actix_web::dev::Server;
use actix_web::http::header::{
    CONTENT_DISPOSITION, CONTENT_RANGE, ETAG, HeaderName, LOCATION, RETRY_AFTER,
};
use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer, web};
use anyhow::Context;
use tokio_util::sync::CancellationToken;

use crate::config::Settings;
use crate::http::connections::Connections;
use crate::http::extract::{
    AllowedOrigins, AnswerBudget, BodyBudget, BodyTimeout, MaxBody, REQUEST_ID_HEADER,
};
use crate::http::memory_budget::MemoryBudget;
use crate::http::middleware::{head, mark_busy, observe, preflight, request_id, security_headers};
use crate::http::{self, rest};
use crate::metrics;
use crate::services::authenticator::Authenticator;
use crate::services::background::Background;
use crate::state::AppState;
use crate::workers::Workers;

/// How long requests may go on after the end was announced, in seconds.
const GRACE_SECONDS: u64 = 10;

/// Our API on `listener`. It does not run yet.
///
/// # Errors
/// When the listener cannot be used.
pub fn serve(
    listener: TcpListener,
    settings: &Settings,
    state: AppState,
    authenticator: Authenticator,
    connections: Arc<Connections>,
) -> anyhow::Result<Server> {
    let authenticator = web::Data::new(authenticator);
    let limits = &settings.http;
    let max_body = MaxBody(limits.max_body_bytes);
    let body_timeout = BodyTimeout(limits.body_timeout);
    let body_budget = BodyBudget(MemoryBudget::new(limits.max_buffered_bytes));
    let answer_budget = AnswerBudget(MemoryBudget::new(limits.max_buffered_bytes));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let of_thread = connections.most().div_ceil(threads);
    let origins = settings.cors_origins.clone();
    let server = HttpServer::new(move || {
        // The last wrapped is the outermost.
        App::new()
            .app_data(web::Data::new(state.on_this_thread()))
            .app_data(authenticator.clone())
            .app_data(max_body)
            .app_data(body_timeout)
            .app_data(body_budget.clone())
            .app_data(answer_budget.clone())
            .app_data(AllowedOrigins(origins.clone().into()))
            .configure(rest::configure)
            .wrap(cors(&origins))
            .wrap(from_fn(preflight))
            .wrap(from_fn(head))
            .wrap(from_fn(security_headers))
            .wrap(from_fn(observe))
            .wrap(from_fn(request_id))
            .wrap(from_fn(mark_busy))
    })
    .workers(threads)
    .client_request_timeout(limits.head_timeout)
    .keep_alive(limits.keep_alive)
    // More wait in the kernel.
    .max_connections(of_thread)
    .tcp_nodelay(true)
    .on_connect(move |connection, extensions| connections.welcome(connection, extensions))
    // A caller who hangs up ends its run: without this, a half-closed connection goes on.
    .h1_allow_half_closed(false)
    .shutdown_timeout(GRACE_SECONDS)
    .disable_signals()
    .listen(listener)?;
    Ok(server.run())
}

/// The figures on `address`.
///
/// # Errors
/// When they cannot be collected, or the address cannot be used.
pub fn serve_metrics(
    address: SocketAddr,
    workers: Workers,
    background: &Background,
    stop: &CancellationToken,
) -> anyhow::Result<Server> {
    let handle = metrics::start()?;
    background.spawn(metrics::keep_up(handle.clone(), stop.clone()));
    let server = HttpServer::new(move || {
        let (handle, workers) = (handle.clone(), workers.connected_from_here());
        App::new().configure(move |config| http::metrics::configure(config, handle, workers))
    })
    .workers(1)
    .disable_signals()
    .bind(address)
    .with_context(|| format!("METRICS_ADDRESS {address} cannot be used; choose another"))?;
    Ok(server.run())
}

fn cors(origins: &[String]) -> Cors {
    let retry_after = RETRY_AFTER;
    let exposed = [
        HeaderName::from_static(REQUEST_ID_HEADER),
        HeaderName::from_static("idempotent-replayed"),
        HeaderName::from_static("output-complete"),
        HeaderName::from_static("output-total-bytes"),
        HeaderName::from_static("preference-applied"),
        CONTENT_DISPOSITION,
        CONTENT_RANGE,
        ETAG,
        LOCATION,
        retry_after,
    ];
    let cors = Cors::default()
        .allowed_methods(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
        .allowed_headers(["authorization", "content-type", "idempotency-key", "range", "x-api-key"])
        .allowed_headers(["if-match", "if-none-match", "if-range", "last-event-id", "prefer"])
        .allowed_header(REQUEST_ID_HEADER)
        .expose_headers(exposed)
        .block_on_origin_mismatch(false)
        .max_age(3600);
    origins.iter().fold(cors, |cors, origin| cors.allowed_origin(origin))
}
