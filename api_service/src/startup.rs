//! Puts the service together, runs it, and takes it apart in order.

use std::io::{ErrorKind, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::Duration;

use actix_web::dev::Server;
use anyhow::{Context, anyhow};
use tokio_util::sync::CancellationToken;

use crate::config::Settings;
use crate::domain::ids::BootId;
use crate::http::connections::Connections;
use crate::http::server;
use crate::services::background::Background;
use crate::services::executions::Live;
use crate::services::history::History;
use crate::services::housekeeping::Housekeeping;
use crate::state::compose;
use crate::storage::Database;
use crate::workers::client::{TlsFiles, TlsIdentity, WorkerClient};

/// How long executions may go on after the end was announced: before the connections are cut, so that their callers
/// are told.
const EXECUTION_GRACE: Duration = Duration::from_secs(8);
/// How long what outlives its request may go on after that.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

/// The service, bound to its address and not yet running.
pub struct Application {
    server: Server,
    metrics: Option<Server>,
    address: SocketAddr,
    stop: CancellationToken,
    /// Ends connections that only wait for something to do.
    closing: CancellationToken,
    /// Ends what still runs.
    stopping: CancellationToken,
    live: Live,
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
        let tls = worker_tls(&settings)?;
        let client = WorkerClient::new(
            &settings.execution_service_url,
            tls,
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
        let live = state.executions.live.clone();
        let (closing, stopping) = (state.closing.clone(), state.executions.stopping.clone());
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
        let server = server::serve(listener, &settings, state, authenticator, connections)?;
        let metrics = match settings.metrics_address {
            Some(address) => Some(server::serve_metrics(address, workers, &background, &stop)?),
            None => None,
        };
        if let Some(path) = &settings.address_file {
            write_whole(path, &address.to_string())
                .with_context(|| format!("ADDRESS_FILE {} cannot be written", path.display()))?;
        }
        Ok(Self {
            server,
            metrics,
            address,
            stop,
            closing,
            stopping,
            live,
            background,
            history,
            housekeeping,
        })
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
        let Self {
            server,
            metrics,
            address,
            stop,
            closing,
            stopping,
            live,
            background,
            history,
            housekeeping,
        } = self;
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
                closing.cancel();
                let ending = async {
                    tokio::time::sleep(EXECUTION_GRACE).await;
                    stopping.cancel();
                    std::future::pending().await
                };
                let rest = async {
                    handle.stop(true).await;
                    // What goes on without its caller.
                    live.drained().await;
                };
                tokio::select! {
                    () = rest => {}
                    never = ending => never,
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

/// All of it or nothing: whoever waits for the file must not read half of it.
fn write_whole(path: &Path, text: &str) -> std::io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let mut file = std::fs::File::create(&name)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&name, path)
}

/// The certificates for a worker on another machine, if there are any.
fn worker_tls(settings: &Settings) -> anyhow::Result<Option<TlsIdentity>> {
    if settings.worker_in_clear() {
        tracing::warn!(
            remedy = "use https:// and WORKER_TLS_CA, WORKER_TLS_CERT, WORKER_TLS_KEY, or a network \
                      of gateway and worker alone",
            "EXECUTION_SERVICE_URL is on another machine, and everything passes in clear"
        );
    }
    let files = settings.worker_tls.as_ref().map(|tls| TlsFiles {
        ca: &tls.ca,
        cert: &tls.cert,
        key: &tls.key,
    });
    Ok(files.map(TlsIdentity::read).transpose()?)
}
