//! From environment to a serving worker, and back to nothing.

mod end;
mod server;
mod tls;

use std::collections::HashMap;
use std::ffi::OsString;
use std::io;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use proto::wire::REMEMBERED_OUTPUT_BYTES;
use settings::Secret;
use tokio_util::sync::CancellationToken;

use crate::boot::{Booted, boot, is_root, runtime};
use crate::broker::Broker;
use crate::config::{Action, Settings, internal_auth_token};
use crate::doctor;
use crate::execution::compiled::CompiledPrograms;
use crate::execution::outcome::Accounting;
use crate::execution::outputs::{OutputDirectory, Outputs};
use crate::execution::run::RunSettings;
use crate::language::Toolchains;
use crate::language::discovery::{Discovery, Missing, PassedOver};
use crate::listener::Listener;
use crate::owners::Owners;
use crate::pool::{Pool, Pools};
use crate::sandbox::backend::SandboxBackend;
use crate::sandbox::isolation::{Demand, Isolation, Refusal, Wall, WallState};
use crate::sandbox::linux::{BootError, Leftover, LinuxBackend, Namespaced, WORKER_HOST_ID};
use crate::session::Registry;
use crate::tasks::Tasks;
use crate::worker::{Admission, Network, Tally, Worker};
use end::{End, wait_for_end};
use tls::TlsFiles;

/// How long callers get to hang up when the worker is to stop.
const HANG_UP: Duration = Duration::from_secs(1);

/// The worker's whole life, as its command line and environment say. Must be called while the process
/// has one thread.
pub fn run_from_command_line(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    match Settings::from_command_line(arguments) {
        Ok(Ok((settings, Action::Serve))) => serve_until_told(settings),
        Ok(Ok((settings, Action::Doctor(wanted)))) => doctor::run(&settings, &wanted),
        Ok(Err(refused)) => refused.tell("execution_service"),
        Err(help_or_error) => help_or_error.exit(),
    }
}

/// The same by the environment alone.
pub fn run_from_env() -> ExitCode {
    match Settings::from_env() {
        Ok(settings) => serve_until_told(settings),
        Err(refused) => refused.tell("execution_service"),
    }
}

fn serve_until_told(settings: Settings) -> ExitCode {
    match run(settings) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let said = matches!(error.downcast_ref(), Some(BootError::SaidElsewhere));
            if !said {
                eprintln!("execution_service: {}", telemetry::plain_lines(&format!("{error:#}")));
            }
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
    let place = match &settings.output_dir {
        Some(path) => Some(OutputDirectory::prepare(path, is_root()?.then_some(WORKER_HOST_ID))?),
        None => None,
    };
    let tls = settings.tls.complete().map(TlsFiles::open).transpose()?;
    let booted = boot(&settings, (listener, place, tls), settings.listen.path())?;
    if let Some(missing) = booted.discovery.missing.iter().find(|missing| missing.named) {
        let Missing { language, named: _, reason, remedy } = missing;
        bail!("{language} cannot be run: {reason}; {remedy}");
    }
    // Read only here: the spawner was forked before and has never seen it.
    let token = internal_auth_token()?;
    runtime()?.block_on(serve(settings, booted, token))
}

/// What was opened with rights that the worker has given up since.
type Opened = (Listener, Option<OutputDirectory>, Option<TlsFiles>);

async fn serve(settings: Settings, booted: Booted<Opened>, token: Secret) -> anyhow::Result<()> {
    let Booted { namespaced, discovery, toolchains, awaited, launched, broker, inner } = booted;
    let (listener, place, tls) = inner;
    let broker = broker.map(Broker::new).transpose().context("talking to the broker")?;
    telemetry::start(settings.log_format, "", &settings.log_level)?;
    let bounds = settings.output_bounds(REMEMBERED_OUTPUT_BYTES);
    let outputs = place.map(|place| Outputs::open_in(place, bounds)).transpose()?;
    if outputs.is_none() {
        tracing::info!("OUTPUT_DIR is not set: of long output only head and tail are kept");
    }
    tell_what_was_found(&discovery, &namespaced.leftovers, &listener)?;
    let backend = Arc::new(LinuxBackend::new(launched).context("talking to the spawner")?);
    let isolation = examine(&*backend, &settings.demands()).await?;
    let shutdown = CancellationToken::new();
    let mounts = backend.census().await.context("counting what there is")?.mounts;
    let parts = (toolchains, isolation, outputs, broker);
    let worker = build(&settings, &namespaced, parts, Arc::clone(&backend), mounts, &shutdown);
    worker.pools.keep_filled(&worker.tasks, &shutdown);
    let awaiting = awaited.map(|awaited| {
        let warm = (worker.range.defaults.sandbox, settings.pool_size());
        tokio::spawn(Arc::clone(&worker).go_over_to(awaited, warm))
    });
    let expiry = worker.outputs.clone().map(|outputs| tokio::spawn(outputs.expire()));
    let sweeper = tokio::spawn({
        let worker = Arc::clone(&worker);
        async move { worker.sessions.sweep().await }
    });

    let watching = tokio::spawn(Arc::clone(&worker).watch(settings.inventory_interval));

    let stop = tokio::net::unix::pipe::Receiver::from_owned_fd(namespaced.stop)?;
    let reason = tokio::spawn(wait_for_end(stop, Arc::clone(&backend), shutdown.clone()));
    let serving = server::serve(&worker, (listener, tls, token), shutdown.cancelled());
    tokio::select! {
        served = serving => served?,
        () = async {
            shutdown.cancelled().await;
            tokio::time::sleep(HANG_UP).await;
        } => tracing::warn!("a caller has not hung up in time"),
    }
    sweeper.abort();
    watching.abort();
    awaiting.inspect(tokio::task::JoinHandle::abort);
    worker.sessions.end_all().await;
    worker.tasks.finish().await;
    expiry.inspect(tokio::task::JoinHandle::abort);
    if let Some(outputs) = &worker.outputs {
        outputs.close().await;
    }
    match reason.await?? {
        End::Asked => Ok(()),
        End::SpawnerGone => {
            bail!("the process that makes sandboxes is gone; start the worker again")
        }
    }
}

/// Tells the operator of what this machine lacks, and of what killed workers have left on it.
fn tell_what_was_found(
    discovery: &Discovery,
    leftovers: &[Leftover],
    listener: &Listener,
) -> io::Result<()> {
    for PassedOver { language, candidate, reason } in &discovery.passed_over {
        tracing::debug!(%language, candidate = %candidate.display(), %reason, "passed over");
    }
    for Missing { language, named: _, reason, remedy } in &discovery.missing {
        tracing::warn!(%language, reason, remedy, "a language is missing");
    }
    if listener.replaces {
        tracing::info!(address = listener.address()?, "a killed worker's socket is replaced");
    }
    for Leftover { directory, of_pid, killed, kept } in leftovers {
        match kept {
            None => {
                tracing::info!(directory, of_pid, killed, "a killed worker's cgroup is removed")
            }
            Some(why) => {
                tracing::warn!(directory, of_pid, killed, why, "a killed worker's cgroup stays");
            }
        }
    }
    Ok(())
}

/// Has the walls tried, and tells the operator once of each that is not what it could be.
///
/// # Errors
/// The walls without which nothing is served.
async fn examine(backend: &dyn SandboxBackend, demands: &[Demand]) -> Result<Isolation, Refusal> {
    let begun = Instant::now();
    let isolation = backend.examine().await;
    isolation.suffices(demands)?;
    for Wall { name, state, seen, remedy, .. } in &isolation.walls {
        if *state != WallState::Enforced {
            tracing::warn!(wall = name, state = state.name(), seen, remedy, "a wall is weaker");
        }
    }
    let elapsed_ms = begun.elapsed().as_millis();
    tracing::info!(isolation = isolation.level().name(), elapsed_ms, "the walls stand");
    Ok(isolation)
}

fn build(
    settings: &Settings,
    namespaced: &Namespaced,
    (toolchains, isolation, outputs, broker): (
        Toolchains,
        Isolation,
        Option<Arc<Outputs>>,
        Option<Broker>,
    ),
    backend: Arc<LinuxBackend>,
    first_mounts: Option<u64>,
    shutdown: &CancellationToken,
) -> Arc<Worker> {
    let (range, capacity) = (settings.limit_range(), backend.capacity());
    let accounting = match namespaced.cgroups {
        Ok(_) => Accounting::Enforced,
        Err(_) => Accounting::BestEffort,
    };
    Arc::new(Worker {
        instance_id: uuid::Uuid::new_v4().to_string(),
        isolation,
        range,
        settings: RunSettings {
            hard_output: settings.hard_output_bytes,
            compile_wall: settings.compile_timeout,
            accounting,
        },
        compiled: settings
            .compiled_bounds()
            .map(|bounds| Mutex::new(CompiledPrograms::new(bounds))),
        outputs,
        backend: Arc::<LinuxBackend>::clone(&backend),
        pools: Pools::new(Pool::new(
            backend,
            Arc::new(toolchains),
            range.defaults.sandbox,
            settings.pool_size(),
        )),
        sessions: Registry::new(settings.session_rules()),
        owners: Owners::new(settings.owner_rules(capacity)),
        admission: Admission::new(settings.admission_size()),
        network: Network { operator: settings.operator(), broker },
        tasks: Tasks::new(),
        shutdown: shutdown.clone(),
        running: Mutex::new(HashMap::new()),
        tally: Tally::default(),
        first_mounts,
    })
}
