//! The core of the worker, which its gRPC edge calls: admits runs, finds them a sandbox, keeps
//! sessions and what is in them.

mod admission;
mod admitted;
mod cleanup;
mod contexts;
mod environment;
mod execute;
pub mod files;
mod in_session;
mod input;
mod inventory;
mod network;
mod place;
mod processes;
mod refusal;
mod sessions;
mod tally;
mod terminals;
mod watch;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

pub use admission::{Admission, Bound, QueueFull, Size};
pub use inventory::{Inventory, InventoryItem};
pub use network::Network;
pub use processes::NewProcess;
pub use refusal::WorkerError;
pub use tally::{Counts, Tally};
pub use terminals::{Attached, Keys};

use admitted::{Admitted, Turn};
use place::Place;

use crate::execution::artifacts;
use crate::execution::compiled::CompiledPrograms;
use crate::execution::event::Event;
use crate::execution::input::Input;
use crate::execution::limits::{LimitRange, Limits};
use crate::execution::outputs::{Kept, Outputs, Reading};
use crate::execution::request::Request;
use crate::execution::run::RunSettings;
use crate::execution::sink::Sink;
use crate::language::{Approach, Language, Toolchains};
use crate::network::{PROXY_PORT, proxy_variables};
use crate::owners::Owners;
use crate::pool::Pools;
use crate::sandbox::backend::{Health, SandboxBackend};
use crate::sandbox::isolation::Isolation;
use crate::session::{Registry, Session};
use crate::tasks::Tasks;

/// A stopped program is answered 250 ms after its limit; the rest is for the sandbox before it and
/// for the way of the answer.
const AFTER_THE_LIMIT: Duration = Duration::from_secs(1);

/// Which session a run is meant for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The session.
    pub session: String,
    /// Which of its contexts; empty for its default one of the run's language.
    pub context: String,
}

/// An accepted run.
pub struct Accepted {
    /// Its events; they end with an outcome, or without one if `done` is an error.
    pub events: mpsc::UnboundedReceiver<Event>,
    /// Completes when nothing of the run is left.
    pub done: JoinHandle<Result<(), WorkerError>>,
}

/// One worker, with everything that its parts share.
pub struct Worker {
    /// New at every start.
    pub instance_id: String,
    /// What separates the sandboxes from the host.
    pub isolation: Isolation,
    /// Defaults and maxima.
    pub range: LimitRange,
    /// What is the same for every run.
    pub settings: RunSettings,
    /// What compilers have made before, for each owner apart; absent where nothing is to be kept.
    pub compiled: Option<Mutex<CompiledPrograms>>,
    /// Whole output, for a while; absent where it is not kept.
    pub outputs: Option<Arc<Outputs>>,
    /// Whoever makes sandboxes.
    pub backend: Arc<dyn SandboxBackend>,
    /// Warm sandboxes, and the languages that they have.
    pub pools: Pools,
    /// The sessions.
    pub sessions: Registry,
    /// What the sandboxes of each owner may use together.
    pub owners: Owners,
    /// Who runs, and who waits.
    pub admission: Arc<Admission>,
    /// What sandboxes may reach.
    pub network: Network,
    /// Everything that runs in the background.
    pub tasks: Tasks,
    /// Fires when the worker is to end.
    pub shutdown: CancellationToken,
    /// What runs, or waits for its turn, by execution id.
    pub running: Mutex<HashMap<String, Running>>,
    /// How runs have ended.
    pub tally: Tally,
    /// Mounts that were there at the start.
    pub first_mounts: Option<u64>,
}

impl Worker {
    /// Accepts a run, in a session if `target` names one, or says why not. An accepted run goes on until its
    /// outcome; dropping its events cancels it. `patience` is how long its caller waits for the outcome.
    ///
    /// # Errors
    /// Everything but faults of ours and a queue that took too long, which come by [`Accepted::done`].
    pub fn execute(
        self: &Arc<Self>,
        mut request: Request,
        target: Option<Target>,
        patience: Option<Duration>,
    ) -> Result<Accepted, WorkerError> {
        self.accepts_work()?;
        self.offers(request.language)?;
        request.language.check_compiler_flags(&request.compiler_flags)?;
        let place = match target {
            Some(target) => Some(self.place(&target, &request)?),
            None => None,
        };
        let limits = match &place {
            Some(place) => self.limits_in(&place.session, &request)?,
            None => self.range.grant(request.limits)?,
        };
        if let Some(place) = &place {
            request.env = place.environment(request.env);
        }
        if let Some(policy) = request.network.take() {
            if place.is_some() {
                return Err(WorkerError::NetworkOfSession);
            }
            self.network.check(&policy)?;
            if !policy.is_nothing() {
                let mut env = proxy_variables(PROXY_PORT);
                env.append(&mut request.env);
                request.env = env;
                request.network = Some(policy);
            }
        }
        let owed = self.owed(&request, &limits);
        let latest = patience.map(|patience| latest_start(Instant::now(), patience, owed));
        let (registered, cancelled) = self.register(&request)?;
        let queue = place.as_ref().map(|place| &*place.context.key);
        let ticket = self.admission.enter(&request.owner, queue)?;
        let turn = Turn { ticket, latest };
        let (sink, events) = Sink::new();
        let worker = Arc::clone(self);
        let span = tracing::Span::current();
        let done = self.tasks.spawn(
            "run",
            async move {
                let (request, cancelled, sink) = (&request, &cancelled, &sink);
                let run =
                    worker.carry_out(Admitted { request, limits, cancelled, sink }, place, turn);
                let mut run = std::pin::pin!(run);
                let result = tokio::select! {
                    result = &mut run => result,
                    () = sink.closed() => {
                        tracing::info!("the caller went away: the run is cancelled");
                        cancelled.cancel();
                        run.await
                    }
                };
                drop(registered);
                if result.is_err() {
                    worker.tally.ended(None);
                }
                result
            }
            .instrument(span),
        );
        Ok(Accepted { events, done })
    }

    /// Ends a run early.
    ///
    /// # Errors
    /// [`WorkerError::ExecutionNotFound`].
    pub fn cancel(&self, execution_id: &str, owner: &str) -> Result<(), WorkerError> {
        match self.lock_running().get(execution_id) {
            Some(run) if run.owner == owner => {
                run.cancelled.cancel();
                Ok(())
            }
            Some(_) | None => Err(WorkerError::ExecutionNotFound),
        }
    }

    /// What is `kept` of a run that has ended, where it is stored.
    ///
    /// # Errors
    /// [`WorkerError::OutputNotFound`], or a disk that does not give it.
    pub async fn read_output(
        &self,
        execution_id: &str,
        owner: &str,
        kept: Kept,
    ) -> Result<Reading, WorkerError> {
        let Some(outputs) = &self.outputs else {
            return Err(WorkerError::OutputNotFound);
        };
        let found = outputs.open(execution_id, owner, kept).await?;
        found.ok_or(WorkerError::OutputNotFound)
    }

    /// Whether whoever makes sandboxes has answered lately.
    ///
    /// # Errors
    /// [`WorkerError::Stalled`].
    pub fn can_make_sandboxes(&self) -> Result<(), WorkerError> {
        match self.backend.health() {
            Health::Healthy => Ok(()),
            Health::Stalled => Err(WorkerError::Stalled),
        }
    }

    /// Whether something new can be begun.
    ///
    /// # Errors
    /// [`WorkerError::ShuttingDown`] or [`WorkerError::Stalled`].
    fn accepts_work(&self) -> Result<(), WorkerError> {
        if self.shutdown.is_cancelled() {
            return Err(WorkerError::ShuttingDown);
        }
        self.can_make_sandboxes()
    }

    /// What stateless runs and new sessions have of languages now.
    pub fn toolchains(&self) -> Arc<Toolchains> {
        Arc::clone(self.pools.current().toolchains())
    }

    /// Whether there is an interpreter or compiler of `language`.
    fn offers(&self, language: Language) -> Result<(), WorkerError> {
        match self.toolchains().executable(language) {
            Some(_) => Ok(()),
            None => Err(WorkerError::LanguageUnavailable(language)),
        }
    }

    /// Where in a session a run takes place.
    fn place(&self, target: &Target, request: &Request) -> Result<Place, WorkerError> {
        let session = self.sessions.get(&target.session, &request.owner)?;
        session.may_be_used()?;
        let contexts = &session.contexts;
        let context = contexts.find(&target.context, request.language, &session.sandbox)?;
        Ok(Place { session, context })
    }

    /// In a session, its own limits are the defaults, and some cannot be changed any more.
    fn limits_in(&self, session: &Session, request: &Request) -> Result<Limits, WorkerError> {
        let limits = self.range.grant_from(session.limits, request.limits)?;
        let (now, fixed) = (limits.sandbox, session.limits.sandbox);
        if now.disk_bytes != fixed.disk_bytes {
            return Err(WorkerError::FixedInSession("disk_bytes"));
        }
        if now.inodes != fixed.inodes {
            return Err(WorkerError::FixedInSession("inodes"));
        }
        if now.open_files != fixed.open_files {
            return Err(WorkerError::FixedInSession("open_files"));
        }
        Ok(limits)
    }

    fn register(
        self: &Arc<Self>,
        request: &Request,
    ) -> Result<(Registered, CancellationToken), WorkerError> {
        let mut running = self.lock_running();
        if running.contains_key(&request.id) {
            return Err(WorkerError::ExecutionExists);
        }
        let token = self.shutdown.child_token();
        let (owner, cancelled, input) =
            (request.owner.clone(), token.clone(), request.input.clone());
        running.insert(request.id.clone(), Running { owner, cancelled, input });
        drop(running);
        Ok((Registered { worker: Arc::clone(self), id: request.id.clone() }, token))
    }

    /// How long the run may take once it has begun.
    fn owed(&self, request: &Request, limits: &Limits) -> Duration {
        let compiling = match request.language.approach() {
            Approach::Kernel(_) => Duration::ZERO,
            Approach::Compiled(_) => self.settings.compile_wall,
        };
        let collecting = request.collect.as_ref().map_or(Duration::ZERO, |_| artifacts::PATIENCE);
        limits.wall + compiling + collecting + AFTER_THE_LIMIT
    }

    fn lock_running(&self) -> MutexGuard<'_, HashMap<String, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A run that was accepted and has not ended.
pub struct Running {
    /// Whose it is.
    owner: String,
    /// Ends it early.
    cancelled: CancellationToken,
    /// Its standard input, where that stays open.
    input: Option<Arc<Input>>,
}

/// A run's entry among the running, removed on every path.
struct Registered {
    worker: Arc<Worker>,
    id: String,
}

impl Drop for Registered {
    fn drop(&mut self) {
        let run = self.worker.lock_running().remove(&self.id);
        if let Some(input) = run.and_then(|run| run.input) {
            input.close();
        }
    }
}

/// When a run must have begun to be answered in time. What a caller's patience leaves beside the run's own
/// time may be spent waiting. One who has not even that much wants what can be had by then, and only
/// a run that nobody would hear of is not begun.
fn latest_start(now: Instant, patience: Duration, owed: Duration) -> Instant {
    now + patience.checked_sub(owed).filter(|left| !left.is_zero()).unwrap_or(patience)
}

#[cfg(test)]
mod tests;
