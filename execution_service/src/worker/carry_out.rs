//! From an accepted run to its outcome: a slot, a workplace, the run, the account.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time;
use tokio_util::sync::CancellationToken;

use super::admission::Ticket;
use super::{Worker, WorkerError};
use crate::execution::event::Event;
use crate::execution::kernel::{Kernel, KernelError};
use crate::execution::limits::Limits;
use crate::execution::outcome::{Outcome, Phases, Status, StreamTotals};
use crate::execution::request::Request;
use crate::execution::run::{Report, Run};
use crate::execution::sink::Sink;
use crate::execution::workplace::{UNHURRIED, Workplace};
use crate::language::diagnostic::Diagnostic;
use crate::language::{Approach, Mode};
use crate::pool::{For, Lease};
use crate::sandbox::backend::SandboxError;
use crate::sandbox::spec::Usage;
use crate::session::{Session, SessionError};

/// How long the news that all sandboxes are gone may take.
const BAD_NEWS: Duration = Duration::from_millis(200);

/// The right to run, some time.
pub(super) struct Turn {
    pub(super) ticket: Ticket,
    /// When it is too late to begin.
    pub(super) latest: Option<time::Instant>,
}

/// How an accepted run came to its end.
enum Finished {
    /// It ran.
    Ran { report: Box<Report>, phases: Phases, state_lost: bool },
    /// It was cancelled while it waited.
    Never,
}

/// Notices that the kernel of a session is gone (a thread or a timer of an earlier run may have ended it),
/// and kills what is left of it. Says whether it was noticed now.
async fn tidy(session: &Session, place: &mut Workplace) -> Result<bool, SandboxError> {
    let died = place.kernel.as_mut().is_some_and(Kernel::has_ended);
    if died {
        place.kernel = None;
    }
    if place.kernel.is_none() && matches!(session.language.approach(), Approach::Kernel(_)) {
        place.sandbox.kill_all().await?;
    }
    Ok(died)
}

impl Worker {
    pub(super) async fn carry_out(
        &self,
        request: &Request,
        session: Option<Arc<Session>>,
        limits: Limits,
        turn: Turn,
        cancelled: &CancellationToken,
        sink: &Sink,
    ) -> Result<(), WorkerError> {
        let accepted = Instant::now();
        let finished = match &session {
            None => self.run_alone(request, limits, turn, cancelled, sink).await,
            Some(session) => {
                self.run_in_session(request, session, limits, turn, cancelled, sink).await
            }
        };
        let finished = match finished {
            Err(error) => return Err(self.cause_of(error).await),
            Ok(finished) => finished,
        };
        let outcome = self.outcome(accepted, finished);
        if outcome.status == Status::Cancelled && self.shutdown.is_cancelled() {
            // Nobody wanted that.
            return Err(WorkerError::ShuttingDown);
        }
        let status = outcome.status;
        sink.send(Event::Outcome(Box::new(outcome)));
        self.tally.ended(Some(status));
        // Behind the answer: what a stopped program has left running must not go on.
        if let Some(session) = session
            && let Some(place) = session.place.lock().await.as_mut()
        {
            tidy(&session, place).await.map_err(KernelError::from)?;
        }
        Ok(())
    }

    /// With the spawner all sandboxes die, and a run may notice before the worker does.
    pub(super) async fn cause_of(&self, error: WorkerError) -> WorkerError {
        let WorkerError::Kernel(_) = error else {
            return error;
        };
        match time::timeout(BAD_NEWS, self.shutdown.cancelled()).await {
            Ok(()) => WorkerError::ShuttingDown,
            Err(_) => error,
        }
    }

    async fn run_alone(
        &self,
        request: &Request,
        limits: Limits,
        turn: Turn,
        cancelled: &CancellationToken,
        sink: &Sink,
    ) -> Result<Finished, WorkerError> {
        let begun = Instant::now();
        let _slot = tokio::select! {
            slot = turn.ticket.turn(turn.latest) => slot?,
            () = cancelled.cancelled() => return Ok(Finished::Never),
        };
        let queue = begun.elapsed();
        let begun = Instant::now();
        let whom = For::Program(&request.code);
        let lease = self.pool.lease(request.language, whom, limits.sandbox).await?;
        let Lease { mut place, cold, refill } = lease;
        let start = begun.elapsed();
        let run = self.run(request, &limits, Mode::Once, cancelled)?;
        let report = run.run(&mut place, sink).await;
        // Given back behind the answer: the next run does not wait for it, and nor does the caller.
        self.tasks.spawn("end sandbox", async move {
            place.sandbox.end().await;
            drop(refill);
        });
        if cold {
            self.tally.began_cold();
        }
        let phases = Phases { queue, start, cold_start: cold, ..Phases::default() };
        Ok(Finished::Ran { report: Box::new(report?), phases, state_lost: false })
    }

    async fn run_in_session(
        &self,
        request: &Request,
        session: &Session,
        limits: Limits,
        turn: Turn,
        cancelled: &CancellationToken,
        sink: &Sink,
    ) -> Result<Finished, WorkerError> {
        let begun = Instant::now();
        // Also the turn in the session: the slot comes when nothing else runs in it. It is declared before
        // the place so that it is given back after it, and the next one finds the place free.
        let _slot = tokio::select! {
            slot = turn.ticket.turn(turn.latest) => slot?,
            () = cancelled.cancelled() => return Ok(Finished::Never),
            () = session.ended.cancelled() => return Err(self.end_of(session)),
        };
        // Whoever has it now only tidies up behind an answer, or ends the session.
        let mut place = tokio::select! {
            place = session.place.lock() => place,
            () = cancelled.cancelled() => return Ok(Finished::Never),
        };
        let queue = begun.elapsed();
        let Some(workplace) = place.as_mut() else {
            return Err(self.end_of(session));
        };
        let result = self.take_turn(request, session, limits, cancelled, workplace, sink).await;
        session.touch();
        if workplace.sandbox.is_gone() {
            // The program has ended even process 1. Its outcome stands, and the session with it falls.
            self.sessions.lose(session);
            if let Some(place) = place.take() {
                self.tasks.spawn("end sandbox", async move { place.sandbox.end().await });
            }
            if let Err(KernelError::Sandbox(SandboxError::Gone)) = result {
                return Err(WorkerError::Session(SessionError::Lost));
            }
        }
        let (report, start, state_lost) = result?;
        let phases = Phases { queue, start, ..Phases::default() };
        Ok(Finished::Ran { report: Box::new(report), phases, state_lost })
    }

    /// The run itself, when its turn in the session has come. Gives its report, the time it took to get
    /// ready, and whether the state of earlier runs is gone.
    async fn take_turn(
        &self,
        request: &Request,
        session: &Session,
        limits: Limits,
        cancelled: &CancellationToken,
        place: &mut Workplace,
        sink: &Sink,
    ) -> Result<(Report, Duration, bool), KernelError> {
        let begun = Instant::now();
        let died_between = tidy(session, place).await?;
        let stop = cancelled.child_token();
        let run = self.run(request, &limits, Mode::Session, &stop)?;
        match place.sandbox.prepare(limits.sandbox).await {
            Err(SandboxError::Limits(_)) => {
                // What the session holds already is more than this run would be allowed.
                let report = run.never_ran(Diagnostic::no_memory(), place).await?;
                return Ok((report, begun.elapsed(), died_between));
            }
            result => result?,
        }
        // What ran in the background since the last run is not this one's.
        place.remember_usage(UNHURRIED).await?;
        let start = begun.elapsed();
        let mut run = std::pin::pin!(run.run(place, sink));
        let report = tokio::select! {
            report = &mut run => report,
            () = session.ended.cancelled() => {
                stop.cancel();
                run.await
            }
        }?;
        let state_lost = report.kernel_lost || died_between;
        Ok((report, start, state_lost))
    }

    /// Why a session is no more that ended while a run waited for its turn.
    fn end_of(&self, session: &Session) -> WorkerError {
        let why = self.sessions.get(&session.id, &session.owner).err();
        WorkerError::Session(why.unwrap_or(SessionError::NotFound))
    }

    fn run<'a>(
        &'a self,
        request: &'a Request,
        limits: &'a Limits,
        mode: Mode,
        cancelled: &'a CancellationToken,
    ) -> Result<Run<'a>, KernelError> {
        let (executable, version) = self
            .toolchain(request.language)
            .map_err(|error| KernelError::NotReady(error.to_string()))?;
        let (house, compiled, outputs) =
            (self.house, self.compiled.as_ref(), self.outputs.as_ref());
        Ok(Run { request, limits, executable, version, compiled, outputs, mode, house, cancelled })
    }

    fn outcome(&self, accepted: Instant, finished: Finished) -> Outcome {
        let accounting = self.house.accounting;
        match finished {
            Finished::Ran { report, phases, state_lost } => {
                let Report { verdict, usage, stdout, stderr, compile, run, kernel_lost: _ } =
                    *report;
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
