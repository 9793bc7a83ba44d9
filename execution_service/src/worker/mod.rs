//! The core of the worker, which its gRPC edge calls: admits runs, finds them a workplace, keeps
//! sessions.

mod admission;
mod carry_out;
mod inventory;
mod refusal;
mod tally;
mod watch;

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

pub use admission::{Admission, Bound, QueueFull, Size};
pub use inventory::{Inventory, InventoryItem};
pub use refusal::WorkerError;
pub use tally::{Counts, Tally};

use carry_out::Turn;

use crate::execution::compiled::CompiledPrograms;
use crate::execution::event::{Event, Stream};
use crate::execution::limits::{LimitRange, Limits, Wishes};
use crate::execution::outputs::{Outputs, Reading};
use crate::execution::request::Request;
use crate::execution::run::House;
use crate::execution::sink::Sink;
use crate::language::discovery::Discovery;
use crate::language::{Approach, Language};
use crate::pool::{For, Lease, Pool};
use crate::sandbox::isolation::Isolation;
use crate::session::{NewSession, Registry, Session};
use crate::tasks::Tasks;

/// A stopped program is answered 250 ms after its limit; the rest is for the sandbox before it and
/// for the way of the answer.
const AFTER_THE_LIMIT: Duration = Duration::from_secs(1);

/// An accepted run.
pub struct Accepted {
    /// Its events; they end with an outcome, or without one if `done` is an error.
    pub events: mpsc::UnboundedReceiver<Event>,
    /// Completes when nothing of the run is left.
    pub done: JoinHandle<Result<(), WorkerError>>,
}

/// See the module.
pub struct Worker {
    /// New at every start.
    pub instance_id: String,
    /// Languages found, languages missing.
    pub discovery: Discovery,
    /// What separates the sandboxes from the host.
    pub isolation: Isolation,
    /// Defaults and maxima.
    pub range: LimitRange,
    /// Rules of every run.
    pub house: House,
    /// What compilers have made before, for each owner apart; absent where nothing is to be kept.
    pub compiled: Option<Mutex<CompiledPrograms>>,
    /// Whole output, for a while; absent where it is not kept.
    pub outputs: Option<Arc<Outputs>>,
    /// Warm workplaces.
    pub pool: Arc<Pool>,
    /// The sessions.
    pub sessions: Registry,
    /// Who runs, and who waits.
    pub admission: Arc<Admission>,
    /// Everything that runs in the background.
    pub tasks: Tasks,
    /// Fires when the worker is to end.
    pub shutdown: CancellationToken,
    /// Owner and cancellation of what runs, by execution id.
    pub running: Mutex<HashMap<String, (String, CancellationToken)>>,
    /// How runs have ended.
    pub tally: Tally,
    /// Mounts that were there at the start.
    pub first_mounts: Option<u64>,
    /// The process that makes sandboxes does not answer.
    pub stalled: AtomicBool,
}

impl Worker {
    /// Accepts a run, or says why not. An accepted run goes on until its outcome; dropping its events
    /// cancels it. `patience` is how long its caller waits for the outcome.
    ///
    /// # Errors
    /// Everything but faults of ours and a queue that took too long, which come by [`Accepted::done`].
    pub fn execute(
        self: &Arc<Self>,
        mut request: Request,
        session: Option<&str>,
        patience: Option<Duration>,
    ) -> Result<Accepted, WorkerError> {
        if self.shutdown.is_cancelled() {
            return Err(WorkerError::ShuttingDown);
        }
        self.can_make_sandboxes()?;
        self.toolchain(request.language)?;
        request.language.check_compiler_flags(&request.compiler_flags)?;
        let session = match session {
            Some(id) => Some(self.sessions.get(id, &request.owner)?),
            None => None,
        };
        let limits = match &session {
            Some(session) => self.limits_in(session, &mut request)?,
            None => self.range.grant(request.wishes)?,
        };
        let owed = self.owed(&request, &limits);
        let latest = patience.map(|patience| latest_start(Instant::now(), patience, owed));
        let (registered, cancelled) = self.register(&request)?;
        let ticket = self.admission.enter(&request.owner, session.as_ref().map(|one| &*one.id))?;
        let turn = Turn { ticket, latest };
        let (sink, events) = Sink::new();
        let (worker, worker_of) = (Arc::clone(self), Arc::clone(self));
        let span = tracing::Span::current();
        let done = self.tasks.spawn(
            "run",
            async move {
                let run = worker.carry_out(&request, session, limits, turn, &cancelled, &sink);
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
                    worker_of.tally.ended(None);
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
            Some((whose, token)) if whose == owner => {
                token.cancel();
                Ok(())
            }
            Some(_) | None => Err(WorkerError::ExecutionNotFound),
        }
    }

    /// What a run that has ended wrote to `stream`, where it is stored.
    ///
    /// # Errors
    /// [`WorkerError::OutputNotFound`], or a disk that does not give it.
    pub async fn read_output(
        &self,
        execution_id: &str,
        owner: &str,
        stream: Stream,
    ) -> Result<Reading, WorkerError> {
        let Some(outputs) = &self.outputs else {
            return Err(WorkerError::OutputNotFound);
        };
        let found = outputs.open(execution_id, owner, stream).await?;
        found.ok_or(WorkerError::OutputNotFound)
    }

    /// Begins a session.
    ///
    /// # Errors
    /// Too many, no such language, limits out of range, or a fault of ours.
    pub async fn create_session(
        &self,
        new: NewSession,
        wishes: Wishes,
    ) -> Result<Arc<Session>, WorkerError> {
        if self.shutdown.is_cancelled() {
            return Err(WorkerError::ShuttingDown);
        }
        self.can_make_sandboxes()?;
        self.toolchain(new.language)?;
        let limits = self.range.grant(wishes)?;
        let promise = self.sessions.promise(&new.id, &new.owner)?;
        let lease = self.pool.lease(new.language, For::Session, limits.sandbox).await;
        let Lease { place, cold: _, refill: _ } = match lease {
            Err(error) => return Err(self.cause_of(WorkerError::from(error)).await),
            Ok(lease) => lease,
        };
        Ok(promise.keep(Session::begin(new, limits, place)))
    }

    /// Ends a session; returns when nothing of it is left.
    ///
    /// # Errors
    /// See [`SessionError`].
    pub async fn end_session(&self, id: &str, owner: &str) -> Result<(), WorkerError> {
        self.sessions.remove(id, owner)?.end().await;
        Ok(())
    }

    /// Whether the process that makes sandboxes has answered lately.
    ///
    /// # Errors
    /// [`WorkerError::Stalled`].
    pub fn can_make_sandboxes(&self) -> Result<(), WorkerError> {
        if self.stalled.load(Ordering::Relaxed) { Err(WorkerError::Stalled) } else { Ok(()) }
    }

    /// Path and version of the interpreter or compiler of `language`.
    fn toolchain(&self, language: Language) -> Result<(&str, &str), WorkerError> {
        self.discovery
            .found
            .iter()
            .find(|found| found.language == language)
            .map(|found| &found.toolchain)
            .and_then(|toolchain| Some((toolchain.executable.to_str()?, &*toolchain.version)))
            .ok_or(WorkerError::LanguageUnavailable(language))
    }

    /// In a session, its own limits are the defaults, and some cannot be changed any more.
    fn limits_in(&self, session: &Session, request: &mut Request) -> Result<Limits, WorkerError> {
        if session.language != request.language {
            return Err(WorkerError::LanguageMismatch(session.language));
        }
        let limits = self.range.grant_from(session.limits, request.wishes)?;
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
        let mut env: BTreeMap<String, String> = session.env.clone();
        env.append(&mut request.env);
        request.env = env;
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
        running.insert(request.id.clone(), (request.owner.clone(), token.clone()));
        drop(running);
        Ok((Registered { worker: Arc::clone(self), id: request.id.clone() }, token))
    }

    /// How long the run may take once it has begun.
    fn owed(&self, request: &Request, limits: &Limits) -> Duration {
        let compiling = match request.language.approach() {
            Approach::Kernel(_) => Duration::ZERO,
            Approach::Compiled(_) => self.house.compile_wall,
        };
        limits.wall + compiling + AFTER_THE_LIMIT
    }

    fn lock_running(&self) -> MutexGuard<'_, HashMap<String, (String, CancellationToken)>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A run's entry among the running, removed on every path.
struct Registered {
    worker: Arc<Worker>,
    id: String,
}

impl Drop for Registered {
    fn drop(&mut self) {
        self.worker.lock_running().remove(&self.id);
    }
}

/// When a run must have begun to be answered in time. What a caller's patience leaves beside the run's own
/// time may be spent waiting. One who has not even that much wants what can be had by then, and only
/// a run that nobody would hear of is not begun.
fn latest_start(now: Instant, patience: Duration, owed: Duration) -> Instant {
    now + patience.checked_sub(owed).filter(|left| !left.is_zero()).unwrap_or(patience)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_waits_no_longer_than_its_own_time_leaves() {
        let (now, second) = (Instant::now(), Duration::from_secs(1));
        assert_eq!(latest_start(now, 61 * second, 31 * second), now + 30 * second);
        assert_eq!(latest_start(now, 5 * second, 31 * second), now + 5 * second);
        assert_eq!(latest_start(now, 31 * second, 31 * second), now + 31 * second);
    }
}
