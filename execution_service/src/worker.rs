//! The core of the worker, which its gRPC edge calls: admits runs, finds them a workplace, keeps
//! sessions.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use crate::execution::event::Event;
use crate::execution::kernel::KernelError;
use crate::execution::limits::{LimitRange, Limits, OutOfRange, Wishes};
use crate::execution::outcome::{Outcome, Phases, Status, StreamTotals};
use crate::execution::request::Request;
use crate::execution::run::{House, Report, Run};
use crate::execution::sink::Sink;
use crate::language::{FlagError, Language, Mode, check_compiler_flags};
use crate::pool::{Lease, Pool};
use crate::sandbox::isolation::Isolation;
use crate::sandbox::spec::Usage;
use crate::session::{NewSession, Registry, Session, SessionError};
use crate::tasks::Tasks;
use crate::toolchain::Discovery;

/// Why a run or a session was refused, or could not be had. Never how a user's program ended.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// A wish outside of the range.
    #[error(transparent)]
    Limits(#[from] OutOfRange),
    /// A compiler flag that is not on the list.
    #[error(transparent)]
    Flag(#[from] FlagError),
    /// A limit that a session fixes.
    #[error("limits.{0}: is fixed when the session is created")]
    FixedInSession(&'static str),
    /// See [`SessionError`].
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The session runs another language.
    #[error("language: the session runs {0}")]
    LanguageMismatch(Language),
    /// No toolchain for it here.
    #[error("language: {0} is not available here")]
    LanguageUnavailable(Language),
    /// An execution with that id runs already.
    #[error("execution_id: is running already")]
    ExecutionExists,
    /// Nothing by that id runs here for that owner.
    #[error("no such execution is running")]
    ExecutionNotFound,
    /// Every slot and every place in the queue is taken.
    #[error("every slot and every place in the queue is taken")]
    Full,
    /// The worker is ending.
    #[error("the worker is ending")]
    ShuttingDown,
    /// A fault of ours.
    #[error(transparent)]
    Kernel(#[from] KernelError),
}

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
    /// Warm workplaces.
    pub pool: Arc<Pool>,
    /// The sessions.
    pub sessions: Registry,
    /// Runs that go on at once.
    pub slots: Arc<Semaphore>,
    /// Those, and the ones that wait.
    pub places: Arc<Semaphore>,
    /// Everything that runs in the background.
    pub tasks: Tasks,
    /// Fires when the worker is to end.
    pub shutdown: CancellationToken,
    /// Owner and cancellation of what runs, by execution id.
    pub running: Mutex<HashMap<String, (String, CancellationToken)>>,
}

impl Worker {
    /// Accepts a run, or says why not. An accepted run goes on until its outcome; dropping its events
    /// cancels it.
    ///
    /// # Errors
    /// Everything but faults of ours, which come by [`Accepted::done`].
    pub fn execute(
        self: &Arc<Self>,
        mut request: Request,
        session: Option<&str>,
    ) -> Result<Accepted, WorkerError> {
        if self.shutdown.is_cancelled() {
            return Err(WorkerError::ShuttingDown);
        }
        self.executable(request.language)?;
        check_compiler_flags(&request.compiler_flags)?;
        let session = match session {
            Some(id) => Some(self.sessions.get(id, &request.owner)?),
            None => None,
        };
        let limits = match &session {
            Some(session) => self.limits_in(session, &mut request)?,
            None => self.range.grant(request.wishes)?,
        };
        let place =
            Arc::clone(&self.places).try_acquire_owned().map_err(|_| WorkerError::Full)?;
        let cancelled = self.register(&request)?;
        let (sink, events) = Sink::new();
        let worker = Arc::clone(self);
        let span = tracing::Span::current();
        let done = self.tasks.spawn("run", async move {
            let guard = Registered { worker: &worker, id: request.id.clone(), _place: place };
            let run = worker.carry_out(&request, session, limits, &cancelled, &sink);
            let mut run = std::pin::pin!(run);
            let result = tokio::select! {
                result = &mut run => result,
                () = sink.closed() => {
                    tracing::info!("the caller went away: the run is cancelled");
                    cancelled.cancel();
                    run.await
                }
            };
            drop(guard);
            result
        }.instrument(span));
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
        self.executable(new.language)?;
        let limits = self.range.grant(wishes)?;
        let promise = self.sessions.promise(&new.id, &new.owner)?;
        let Lease { place, cold: _ } = self.pool.lease(new.language, limits.sandbox).await?;
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

    /// The interpreter or compiler of `language`.
    fn executable(&self, language: Language) -> Result<&str, WorkerError> {
        self.discovery
            .found
            .iter()
            .find(|toolchain| toolchain.language == language)
            .and_then(|toolchain| toolchain.executable.to_str())
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

    fn register(&self, request: &Request) -> Result<CancellationToken, WorkerError> {
        let mut running = self.lock_running();
        if running.contains_key(&request.id) {
            return Err(WorkerError::ExecutionExists);
        }
        let token = self.shutdown.child_token();
        running.insert(request.id.clone(), (request.owner.clone(), token.clone()));
        Ok(token)
    }

    fn lock_running(&self) -> MutexGuard<'_, HashMap<String, (String, CancellationToken)>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn carry_out(
        &self,
        request: &Request,
        session: Option<Arc<Session>>,
        limits: Limits,
        cancelled: &CancellationToken,
        sink: &Sink,
    ) -> Result<(), WorkerError> {
        let accepted = Instant::now();
        let finished = match session {
            None => self.run_alone(request, limits, cancelled, sink).await?,
            Some(session) => {
                self.run_in_session(request, &session, limits, cancelled, sink).await?
            }
        };
        sink.send(Event::Outcome(Box::new(self.outcome(accepted, finished))));
        Ok(())
    }

    async fn run_alone(
        &self,
        request: &Request,
        limits: Limits,
        cancelled: &CancellationToken,
        sink: &Sink,
    ) -> Result<Finished, WorkerError> {
        let begun = Instant::now();
        let Some(_slot) = self.slot(cancelled).await else { return Ok(Finished::Never) };
        let queue = begun.elapsed();
        let begun = Instant::now();
        let Lease { mut place, cold } =
            self.pool.lease(request.language, limits.sandbox).await?;
        let start = begun.elapsed();
        let run = self.run(request, &limits, Mode::Once, cancelled)?;
        let report = run.run(&mut place, sink).await;
        // Given back behind the answer: the next run does not wait for it, and nor does the caller.
        self.tasks.spawn("end sandbox", async move { place.sandbox.end().await });
        let phases = Phases { queue, start, cold_start: cold, ..Phases::default() };
        Ok(Finished::Ran { report: report?, phases, state_lost: false })
    }

    async fn run_in_session(
        &self,
        request: &Request,
        session: &Session,
        limits: Limits,
        cancelled: &CancellationToken,
        sink: &Sink,
    ) -> Result<Finished, WorkerError> {
        let begun = Instant::now();
        let mut place = tokio::select! {
            place = session.place.lock() => place,
            () = cancelled.cancelled() => return Ok(Finished::Never),
        };
        let Some(_slot) = self.slot(cancelled).await else { return Ok(Finished::Never) };
        let queue = begun.elapsed();
        let Some(workplace) = place.as_mut() else {
            return Err(WorkerError::Session(SessionError::NotFound));
        };
        let begun = Instant::now();
        // Threads and timers of an earlier run may have killed the kernel in between.
        let died_between = workplace
            .kernel
            .as_mut()
            .is_some_and(|kernel| kernel.process.exit.try_recv().is_ok());
        if died_between {
            workplace.kernel = None;
            workplace.sandbox.kill_all().await.map_err(KernelError::from)?;
        }
        workplace.sandbox.prepare(limits.sandbox).await.map_err(KernelError::from)?;
        let start = begun.elapsed();
        let stop = cancelled.child_token();
        let report = {
            let run = self.run(request, &limits, Mode::Session, &stop)?;
            let mut run = std::pin::pin!(run.run(workplace, sink));
            tokio::select! {
                report = &mut run => report,
                () = session.ended.cancelled() => {
                    stop.cancel();
                    run.await
                }
            }
        }?;
        session.touch();
        let state_lost = report.kernel_lost || died_between;
        let phases = Phases { queue, start, ..Phases::default() };
        Ok(Finished::Ran { report, phases, state_lost })
    }

    async fn slot(&self, cancelled: &CancellationToken) -> Option<OwnedSemaphorePermit> {
        tokio::select! {
            slot = Arc::clone(&self.slots).acquire_owned() => slot.ok(),
            () = cancelled.cancelled() => None,
        }
    }

    fn run<'a>(
        &'a self,
        request: &'a Request,
        limits: &'a Limits,
        mode: Mode,
        cancelled: &'a CancellationToken,
    ) -> Result<Run<'a>, WorkerError> {
        let executable = self.executable(request.language)?;
        Ok(Run { request, limits, executable, mode, house: self.house, cancelled })
    }

    fn outcome(&self, accepted: Instant, finished: Finished) -> Outcome {
        let accounting = self.house.accounting;
        match finished {
            Finished::Ran { report, phases, state_lost } => {
                let Report { verdict, usage, stdout, stderr, compile, run, kernel_lost: _ } =
                    report;
                Outcome {
                    status: verdict.status,
                    exit_code: verdict.exit_code,
                    signal: verdict.signal,
                    diagnostic: verdict.diagnostic,
                    duration: accepted.elapsed(),
                    stdout,
                    stderr,
                    usage,
                    accounting,
                    phases: Phases { compile, run, ..phases },
                    state_lost,
                }
            }
            Finished::Never => Outcome {
                status: Status::Cancelled,
                exit_code: None,
                signal: None,
                diagnostic: None,
                duration: accepted.elapsed(),
                stdout: StreamTotals::default(),
                stderr: StreamTotals::default(),
                usage: Usage::default(),
                accounting,
                phases: Phases { queue: accepted.elapsed(), ..Phases::default() },
                state_lost: false,
            },
        }
    }
}

/// How an accepted run came to its end.
enum Finished {
    /// It ran.
    Ran { report: Report, phases: Phases, state_lost: bool },
    /// It was cancelled while it waited.
    Never,
}

/// A run's place in the queue and its entry among the running, given back on every path.
struct Registered<'a> {
    worker: &'a Worker,
    id: String,
    _place: OwnedSemaphorePermit,
}

impl Drop for Registered<'_> {
    fn drop(&mut self) {
        self.worker.lock_running().remove(&self.id);
    }
}
