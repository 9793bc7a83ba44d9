//! From environment to a serving worker, and back to nothing.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io;
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, bail};
use proto::execution_v1::execution_service_server::ExecutionServiceServer;
use proto::wire::{MAX_MESSAGE_BYTES, REMEMBERED_OUTPUT_BYTES};
use tokio::signal::unix::{SignalKind, signal};
use tokio_stream::wrappers::UnixListenerStream;
use tokio_util::sync::CancellationToken;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

use crate::config::{Secret, Settings};
use crate::execution::compiled::CompiledPrograms;
use crate::execution::outcome::Accounting;
use crate::execution::outputs::{Outputs, Place};
use crate::execution::run::House;
use crate::grpc::{Authenticate, Service};
use crate::language::{Language, usual_libraries};
use crate::listener::{Listener, Socket};
use crate::pool::{self, Pool};
use crate::sandbox::backend::SandboxBackend;
use crate::sandbox::linux::{
    FIRST_HOST_ID, Launched, Leftover, LinuxBackend, Namespaced, Told, WORKER_HOST_ID,
    drop_privileges, enter_namespaces, launch,
};
use crate::session::Registry;
use crate::tasks::Tasks;
use crate::toolchain::{Discovery, Visitor, discover};
use crate::worker::{Admission, Tally, Worker};
use crate::{telemetry, toolchain};

/// How long callers get to hang up when the worker is to stop.
const HANG_UP: Duration = Duration::from_secs(1);
/// How long everything may take when the worker is to stop.
const GRACE: Duration = Duration::from_secs(5);

/// The worker's whole life. Must be called while the process has one thread.
pub fn run_from_env() -> ExitCode {
    let settings = match Settings::from_env_or_arguments() {
        Ok(settings) => settings,
        Err(error) => error.exit(),
    };
    match run(settings) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("execution_service: {}", logging::plain_lines(&format!("{error:#}")));
            ExitCode::FAILURE
        }
    }
}

fn run(settings: Settings) -> anyhow::Result<()> {
    let listener = Listener::bind(&settings.listen)?;
    if let Some(file) = &settings.address_file {
        // While we still have the right to. Who connects now waits until we serve.
        listener.announce(file).context("ADDRESS_FILE")?;
    }
    let root =
        fs::metadata("/proc/self").map(|me| std::os::unix::fs::MetadataExt::uid(&me) == 0)?;
    let place = match &settings.output_dir {
        Some(path) => Some(Place::prepare(path, root.then_some(WORKER_HOST_ID))?),
        None => None,
    };
    let (namespaced, (listener, place)) =
        enter_namespaces((listener, place), settings.listen.path())?;
    let visitor = visitor(root)?;
    let discovery = discover(settings.languages(), settings.python_environment.as_deref(), visitor);
    let range = settings.limit_range();
    let told = Told {
        roots: roots(&discovery),
        limits: range.defaults.sandbox,
        ceiling: range.maxima.sandbox,
        zygotes: pool::zygotes(&executables(&discovery), &libraries(&settings, &discovery)),
    };
    let launched = launch(&namespaced, told)?;
    if settings.require_cgroups
        && let Err(why) = &namespaced.cgroups
    {
        bail!(
            "REQUIRE_CGROUPS is set and there are no cgroups: {why}\n  remedy: start as root, or \
             under `systemd-run --user --scope -p Delegate=yes`"
        );
    }
    drop_privileges(namespaced.distinct_ids).context("giving up privileges")?;
    // Read only here: the spawner was forked before and has never seen it.
    let token = Secret::parse(std::env::var("INTERNAL_AUTH_TOKEN").ok())?;
    let edge = Edge { listener, token, place };
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads())
        .enable_all()
        .build()
        .context("starting the runtime")?
        .block_on(serve(settings, edge, namespaced, discovery, launched))
}

/// The worker only passes on what others do: 0.8 ms of a run are its own. A thread that hands work to
/// another wakes it, which costs more than the work, and takes a processor from the programs.
fn threads() -> usize {
    const PROCESSORS_A_THREAD: usize = 4;
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    processors.div_ceil(PROCESSORS_A_THREAD)
}

/// The identity that sandboxes have on the host, as files show it to us: inside of the namespaces an
/// ordinary user's own number is another one.
fn visitor(root: bool) -> io::Result<Visitor> {
    use std::os::unix::fs::MetadataExt;
    if root {
        // Any id of the worker's range: nothing on the host belongs to one.
        return Ok(Visitor { uid: FIRST_HOST_ID, gid: FIRST_HOST_ID });
    }
    let me = fs::metadata("/proc/self")?;
    Ok(Visitor { uid: me.uid(), gid: me.gid() })
}

fn roots(discovery: &Discovery) -> Vec<std::path::PathBuf> {
    let mut roots: Vec<_> =
        discovery.found.iter().flat_map(|toolchain| toolchain.roots.clone()).collect();
    roots.sort();
    roots.dedup();
    roots
}

/// What was opened, or read, with rights that the worker has given up since.
struct Edge {
    listener: Listener,
    token: Secret,
    place: Option<Place>,
}

async fn serve(
    settings: Settings,
    edge: Edge,
    namespaced: Namespaced,
    discovery: Discovery,
    launched: Launched,
) -> anyhow::Result<()> {
    let Edge { listener, token, place } = edge;
    telemetry::start(settings.log_format, &settings.log_level)?;
    let bounds = settings.output_bounds(REMEMBERED_OUTPUT_BYTES);
    let outputs = place.map(|place| Outputs::open_in(place, bounds)).transpose()?;
    if outputs.is_none() {
        tracing::info!("OUTPUT_DIR is not set: of long output only head and tail are kept");
    }
    for toolchain::PassedOver { language, candidate, reason } in &discovery.passed_over {
        tracing::debug!(%language, candidate = %candidate.display(), %reason, "passed over");
    }
    for toolchain::Missing { language, reason, remedy } in &discovery.missing {
        tracing::warn!(%language, reason, remedy, "a language is missing");
    }
    if listener.replaces {
        tracing::info!(address = listener.address()?, "a killed worker's socket is replaced");
    }
    for Leftover { directory, of_pid, killed, kept } in &namespaced.leftovers {
        match kept {
            None => {
                tracing::info!(directory, of_pid, killed, "a killed worker's cgroup is removed")
            }
            Some(why) => {
                tracing::warn!(directory, of_pid, killed, why, "a killed worker's cgroup stays");
            }
        }
    }
    let backend = Arc::new(LinuxBackend::new(launched).context("talking to the spawner")?);
    tracing::info!(isolation = backend.isolation().level().name(), "the sandbox works");
    let shutdown = CancellationToken::new();
    let mounts = backend.census().await.context("counting what there is")?.mounts;
    let worker =
        build(&settings, &namespaced, discovery, Arc::clone(&backend), mounts, &shutdown, outputs);
    worker.pool.keep_filled(&worker.tasks, &shutdown);
    let expiry = worker.outputs.clone().map(|outputs| tokio::spawn(outputs.expire()));
    let sweeper = tokio::spawn({
        let worker = Arc::clone(&worker);
        async move { worker.sessions.sweep().await }
    });

    let watching = tokio::spawn(Arc::clone(&worker).watch(settings.holdings_interval));

    let stop = tokio::net::unix::pipe::Receiver::from_owned_fd(namespaced.stop)?;
    let reason = tokio::spawn(wait_for_end(stop, Arc::clone(&backend), shutdown.clone()));
    let service = ExecutionServiceServer::new(Service::new(Arc::clone(&worker)))
        .max_decoding_message_size(MAX_MESSAGE_BYTES)
        .max_encoding_message_size(MAX_MESSAGE_BYTES);
    let service =
        tonic::service::interceptor::InterceptedService::new(service, Authenticate::new(token));
    let router = Server::builder().add_service(service);
    let address = listener.address()?;
    tracing::info!(address, "serving gRPC");
    let stopping = shutdown.clone().cancelled_owned();
    let serving = async move {
        match listener.socket {
            Socket::Tcp(listener) => {
                let listener = tokio::net::TcpListener::from_std(listener)?;
                // The option of the server's builder does not reach connections of a listener of ours.
                let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
                router.serve_with_incoming_shutdown(incoming, stopping).await?;
            }
            Socket::Unix(listener) => {
                let incoming =
                    UnixListenerStream::new(tokio::net::UnixListener::from_std(listener)?);
                router.serve_with_incoming_shutdown(incoming, stopping).await?;
            }
        }
        anyhow::Ok(())
    };
    tokio::select! {
        served = serving => served?,
        () = async {
            shutdown.cancelled().await;
            tokio::time::sleep(HANG_UP).await;
        } => tracing::warn!("a caller has not hung up in time"),
    }
    sweeper.abort();
    watching.abort();
    worker.sessions.end_all().await;
    worker.tasks.finish().await;
    expiry.inspect(tokio::task::JoinHandle::abort);
    worker.outputs.iter().for_each(|outputs| outputs.clear());
    match reason.await?? {
        End::Asked => Ok(()),
        End::SpawnerGone => bail!("the process that makes sandboxes died; start the worker again"),
    }
}

fn build(
    settings: &Settings,
    namespaced: &Namespaced,
    discovery: Discovery,
    backend: Arc<LinuxBackend>,
    first_mounts: Option<u64>,
    shutdown: &CancellationToken,
    outputs: Option<Arc<Outputs>>,
) -> Arc<Worker> {
    let range = settings.limit_range();
    let (executables, libraries) = (executables(&discovery), libraries(settings, &discovery));
    let isolation = backend.isolation().clone();
    let accounting = match namespaced.cgroups {
        Ok(_) => Accounting::Enforced,
        Err(_) => Accounting::BestEffort,
    };
    Arc::new(Worker {
        instance_id: uuid::Uuid::new_v4().to_string(),
        discovery,
        isolation,
        range,
        house: House {
            hard_output: settings.hard_output_bytes,
            compile_wall: settings.compile_timeout,
            accounting,
        },
        compiled: settings
            .compiled_bounds()
            .map(|bounds| Mutex::new(CompiledPrograms::new(bounds))),
        outputs,
        pool: Pool::new(
            backend,
            &executables,
            &libraries,
            range.defaults.sandbox,
            settings.pool_size(),
        ),
        sessions: Registry::new(settings.session_rules()),
        admission: Admission::new(settings.admission_size()),
        tasks: Tasks::new(),
        shutdown: shutdown.clone(),
        running: Mutex::new(HashMap::new()),
        tally: Tally::default(),
        first_mounts,
        stalled: AtomicBool::new(false),
    })
}

fn executables(discovery: &Discovery) -> BTreeMap<Language, String> {
    let found = discovery.found.iter();
    found
        .map(|toolchain| (toolchain.language, toolchain.executable.display().to_string()))
        .collect()
}

/// What the zygotes load.
fn libraries(settings: &Settings, discovery: &Discovery) -> Vec<String> {
    settings.python_preload.clone().unwrap_or_else(|| {
        let python = discovery.found.iter().find(|found| found.language == Language::Python);
        python.map(|python| usual_libraries(&python.packages)).unwrap_or_default()
    })
}

/// Why the worker ends.
enum End {
    /// By a signal, or because the process that waits for us was told or died.
    Asked,
    /// Without it there are no sandboxes.
    SpawnerGone,
}

async fn wait_for_end(
    stop: tokio::net::unix::pipe::Receiver,
    backend: Arc<LinuxBackend>,
    shutdown: CancellationToken,
) -> io::Result<End> {
    let (mut terminate, mut interrupt) =
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let end = tokio::select! {
        _ = terminate.recv() => End::Asked,
        _ = interrupt.recv() => End::Asked,
        _ = stop.readable() => End::Asked,
        () = backend.failed() => End::SpawnerGone,
    };
    tracing::info!("ending");
    shutdown.cancel();
    // Whatever hangs, the process does not.
    tokio::spawn(async {
        tokio::time::sleep(GRACE).await;
        tracing::error!("could not end in time");
        std::process::exit(1);
    });
    Ok(end)
}
