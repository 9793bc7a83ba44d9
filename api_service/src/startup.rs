//! Puts the service together, runs it, and takes it apart in order.

use std::io::{ErrorKind, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use actix_cors::Cors;
use actix_web::dev::Server;
use actix_web::http::header::{CONTENT_RANGE, HeaderName, RETRY_AFTER};
use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer, web};
use anyhow::{Context, anyhow};
use tokio_util::sync::CancellationToken;

use crate::config::Settings;
use crate::connections::Connections;
use crate::domain::ids::BootId;
use crate::extract::{BodyRoom, BodyTimeout, MaxBody, REQUEST_ID_HEADER};
use crate::middleware::{attend, identify, observe, protect};
use crate::services::authenticator::Authenticator;
use crate::services::background::Background;
use crate::services::history::History;
use crate::services::housekeeping::Housekeeping;
use crate::state::{AppState, compose};
use crate::storage::Database;
use crate::workers::Workers;
use crate::workers::client::WorkerClient;
use crate::{metrics, routes};

/// How long requests may go on after the end was announced, in seconds.
const GRACE_SECONDS: u64 = 10;
/// How long executions may go on after it. Before the connections are cut, so that their callers are told.
const EXECUTION_GRACE: Duration = Duration::from_secs(8);
/// How long what outlives its request may go on after that.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

/// The service, bound to its address and not yet running.
pub struct Application {
    server: Server,
    metrics: Option<Server>,
    address: SocketAddr,
    stop: CancellationToken,
    /// Ends what still runs.
    stopping: CancellationToken,
    background: Background,
    history: History,
    housekeeping: Housekeeping,
}

impl Application {
    /// Opens the database, brings its schema up to date, and binds the address.
    ///
    /// # Errors
    /// When a part cannot be set up; the message says which and why.
    pub async fn build(settings: Settings) -> anyhow::Result<Self> {
        // Before anything is touched: a second gateway by mistake must fail without a trace.
        let listener = listen(SocketAddr::new(settings.host, settings.port))?;
        let address = listener.local_addr()?;
        let database = Database::connect(settings.database_url.expose())
            .await
            .context("the database of DATABASE_URL cannot be used")?;
        let client = WorkerClient::new(
            &settings.execution_service_url,
            settings.internal_auth_token.expose(),
        )
        .context("EXECUTION_SERVICE_URL or INTERNAL_AUTH_TOKEN cannot be used")?;
        let history =
            History::open(database.clone(), settings.journal_folder.as_deref(), BootId::generate())
                .await
                .context("the history of executions cannot be opened")?;
        let (state, authenticator, housekeeping) =
            compose(&settings, database, client, history.clone())?;
        housekeeping.move_in().await.context("what an earlier start left cannot be settled")?;

        let background = state.background.clone();
        let stop = CancellationToken::new();
        let workers = state.workers.clone();
        let stopping = state.executions.stopping.clone();
        let limits = &settings.http;
        let connections = Connections::new(
            limits.max_connections,
            limits.max_connections_per_address,
            limits.keep_alive + limits.head_timeout,
        )?;
        let watch = connections.clone().watch();
        let stopped = stop.clone();
        background.spawn(async move {
            stopped.run_until_cancelled(watch).await;
        });
        let server = serve(listener, &settings, state, authenticator, connections)?;
        let metrics = match settings.metrics_address {
            Some(address) => Some(serve_metrics(address, workers, &background, &stop)?),
            None => None,
        };
        if let Some(path) = &settings.address_file {
            write_whole(path, &address.to_string())
                .with_context(|| format!("ADDRESS_FILE {} cannot be written", path.display()))?;
        }
        Ok(Self { server, metrics, address, stop, stopping, background, history, housekeeping })
    }

    /// The address in use.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The port in use.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Serves until `shutdown` is ready, then ends in order: no new connections, the last answers,
    /// the notes that outlive their requests, the database.
    ///
    /// # Errors
    /// When the server fails.
    pub async fn run_until_stopped(self, shutdown: impl Future<Output = ()>) -> anyhow::Result<()> {
        let Self { server, metrics, address, stop, stopping, background, history, housekeeping } =
            self;
        housekeeping.start(&background, &stop);
        background.spawn(history.clone().write_behind(stop.clone()));
        tracing::info!("listening on http://{address}");
        let handle = server.handle();
        let metrics_handle = metrics.as_ref().map(Server::handle);
        if let Some(metrics) = metrics {
            background.spawn(async move {
                if let Err(error) = metrics.await {
                    tracing::error!(%error, "the metrics listener failed");
                }
            });
        }
        let served = tokio::spawn(server);
        let served = tokio::select! {
            ended = served => ended.context("the server's task ended")?,
            () = shutdown => {
                let ending = async {
                    tokio::time::sleep(EXECUTION_GRACE).await;
                    stopping.cancel();
                };
                tokio::select! {
                    () = handle.stop(true) => {}
                    never = async { ending.await; std::future::pending::<()>().await } => never,
                }
                Ok(())
            }
        };
        stop.cancel();
        if let Some(handle) = metrics_handle {
            handle.stop(false).await;
        }
        if tokio::time::timeout(DRAIN_TIMEOUT, background.drain()).await.is_err() {
            tracing::warn!("some notes could not be written before the end");
        }
        history.close().await.context("the last executions cannot be written")?;
        housekeeping.move_out().await.context("the end cannot be noted")?;
        housekeeping.database.close().await;
        served.context("the server failed")
    }
}

fn serve(
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
    let room = BodyRoom::new(limits.max_buffered_bytes);
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
            .app_data(room.clone())
            .configure(routes::configure)
            .wrap(cors(&origins))
            .wrap(from_fn(protect))
            .wrap(from_fn(observe))
            .wrap(from_fn(identify))
            .wrap(from_fn(attend))
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

fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).map_err(|error| {
        let remedy = match error.kind() {
            ErrorKind::AddrInUse => "; another program does: choose another PORT",
            ErrorKind::PermissionDenied => "; choose a PORT of 1024 or more",
            ErrorKind::AddrNotAvailable => "; HOST must be an address of this machine",
            _ => "",
        };
        anyhow!("cannot listen on {address}: {error}{remedy}")
    })
}

fn serve_metrics(
    address: SocketAddr,
    workers: Workers,
    background: &Background,
    stop: &CancellationToken,
) -> anyhow::Result<Server> {
    let handle = metrics::start()?;
    background.spawn(metrics::keep_up(handle.clone(), stop.clone()));
    let server = HttpServer::new(move || {
        let (handle, workers) = (handle.clone(), workers.connected_from_here());
        App::new().configure(move |config| routes::metrics::configure(config, handle, workers))
    })
    .workers(1)
    .disable_signals()
    .bind(address)
    .with_context(|| format!("METRICS_ADDRESS {address} cannot be used"))?;
    Ok(server.run())
}

fn cors(origins: &[String]) -> Cors {
    let retry_after = RETRY_AFTER;
    let exposed = [
        HeaderName::from_static(REQUEST_ID_HEADER),
        HeaderName::from_static("idempotent-replayed"),
        HeaderName::from_static("output-complete"),
        HeaderName::from_static("output-total-bytes"),
        CONTENT_RANGE,
        retry_after,
    ];
    let cors = Cors::default()
        .allowed_methods(["GET", "POST", "DELETE"])
        .allowed_headers(["authorization", "content-type", "idempotency-key", "range", "x-api-key"])
        .allowed_header(REQUEST_ID_HEADER)
        .expose_headers(exposed)
        .block_on_origin_mismatch(false)
        .max_age(3600);
    origins.iter().fold(cors, |cors, origin| cors.allowed_origin(origin))
}

/// All of it or nothing: whoever waits for the file must not read half of it.
fn write_whole(path: &Path, text: &str) -> std::io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let mut file = std::fs::File::create(&name)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&name, path)
}
