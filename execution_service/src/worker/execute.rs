//! From an accepted run to its outcome: a slot, a sandbox, the run, the account.

use std::time::{Duration, Instant};

use tokio::time;
use tokio_util::sync::CancellationToken;

use super::admitted::{Admitted, Ended, Ran, Turn};
use super::cleanup::Cleanup;
use super::network::{add_hint, unix_ms};
use super::place::Place;
use super::{Worker, WorkerError};
use crate::execution::event::Event;
use crate::execution::handle::Handle;
use crate::execution::kernel::KernelError;
use crate::execution::outcome::{Outcome, Phases, Status};
use crate::execution::run::{Completed, Run};
use crate::execution::sharing::{Activity, Share};
use crate::execution::stream::StreamTotals;
use crate::language::{Mode, Toolchains};
use crate::pool::{Acquired, Demand};
use crate::sandbox::spec::Usage;

/// How long the news that all sandboxes are gone may take.
const BAD_NEWS: Duration = Duration::from_millis(200);

impl Worker {
    /// Runs to the end, in `place` if that is a session, and sends the outcome.
    pub(super) async fn carry_out(
        &self,
        run: Admitted<'_>,
        place: Option<Place>,
        turn: Turn,
    ) -> Result<(), WorkerError> {
        let accepted = Instant::now();
        let ended = match place {
            None => self.run_alone(&run, turn).await,
            Some(place) => self.run_in_session(&run, place, turn).await,
        };
        let ended = match ended {
            Err(error) => return Err(self.cause_of(error).await),
            Ok(ended) => ended,
        };
        let (outcome, cleanup) = self.outcome(accepted, ended);
        if outcome.status == Status::Cancelled && self.shutdown.is_cancelled() {
            // Nobody wanted that.
            return Err(WorkerError::ShuttingDown);
        }
        let status = outcome.status;
        run.sink.send(Event::Outcome(Box::new(outcome)));
        self.tally.ended(Some(status));
        if let Some(cleanup) = cleanup {
            cleanup.carry_out(self).await;
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

    /// In a sandbox of its own, which ends with it.
    async fn run_alone(&self, run: &Admitted<'_>, turn: Turn) -> Result<Ended, WorkerError> {
        let begun = Instant::now();
        let _slot = tokio::select! {
            slot = turn.ticket.turn(turn.latest) => slot?,
            () = run.cancelled.cancelled() => return Ok(Ended::Waiting),
        };
        let promise = tokio::select! {
            promise = self.owners.promise_by(&run.request.owner, run.limits.sandbox, turn.latest) => promise?,
            () = run.cancelled.cancelled() => return Ok(Ended::Waiting),
        };
        let queue = begun.elapsed();
        let begun = Instant::now();
        let demand = Demand::Program(&run.request.code);
        let pool = self.pools.current();
        let acquired = tokio::select! {
            biased;
            acquired = pool.acquire(run.request.language, demand, run.limits.sandbox) => acquired?,
            // An interpreter that does not get ready is waited for much longer than this may take.
            () = run.cancelled.cancelled() => return Ok(Ended::Waiting),
        };
        let Acquired { mut runner, cold, refill } = acquired;
        let begun_ms = unix_ms();
        let start = begun.elapsed();
        let way_out = match &run.request.network {
            Some(policy) => self.network.open(runner.sandbox.as_ref(), policy.clone()).await?,
            None => None,
        };
        let activity = Activity::default();
        let membership = promise.keep(&runner.sandbox, &activity);
        let share = activity.begin(run.wants());
        let stops = (run.cancelled, None);
        let prepared = self.prepare(run, Mode::Once, pool.toolchains(), stops, &share)?;
        let mut completed = prepared.run(&mut runner, run.sink).await;
        if let (Some(way_out), Ok(completed)) = (way_out, &mut completed) {
            add_hint(completed, &way_out, begun_ms);
        }
        // Given back behind the answer: the next run does not wait for it, and nor does the caller.
        self.tasks.spawn("end sandbox", async move {
            runner.sandbox.end().await;
            drop((membership, refill));
        });
        if cold {
            self.tally.began_cold();
        }
        let phases = Phases { queue, start, cold_start: cold, ..Phases::default() };
        let ran = Ran { completed: completed?, phases, state_lost: false, cleanup: None };
        Ok(Ended::Ran(Box::new(ran)))
    }

    pub(super) fn prepare<'a>(
        &'a self,
        run: &'a Admitted<'_>,
        mode: Mode,
        toolchains: &'a Toolchains,
        (cancelled, handle): (&'a CancellationToken, Option<&'a Handle>),
        share: &'a Share,
    ) -> Result<Run<'a>, KernelError> {
        let language = run.request.language;
        let found = toolchains.executable(language).zip(toolchains.get(language));
        let (executable, toolchain) = found.ok_or_else(|| KernelError::not_installed(language))?;
        Ok(Run {
            request: run.request,
            limits: &run.limits,
            executable,
            version: &toolchain.version,
            compiled: self.compiled.as_ref(),
            outputs: self.outputs.as_ref(),
            mode,
            settings: self.settings,
            cancelled,
            handle,
            share,
            watched: None,
        })
    }

    fn outcome(&self, accepted: Instant, ended: Ended) -> (Outcome, Option<Cleanup>) {
        let accounting = self.settings.accounting;
        let ran = match ended {
            Ended::Ran(ran) => *ran,
            Ended::Waiting => {
                let outcome = Outcome {
                    status: Status::Cancelled,
                    exit_code: None,
                    signal: None,
                    diagnostic: None,
                    duration: accepted.elapsed(),
                    stdout: StreamTotals::default(),
                    stderr: StreamTotals::default(),
                    results_omitted: 0,
                    usage: Usage::default(),
                    shared: false,
                    accounting,
                    phases: Phases { queue: accepted.elapsed(), ..Phases::default() },
                    state_lost: false,
                    collected: None,
                    changes: None,
                };
                return (outcome, None);
            }
        };
        let Ran { completed, phases, state_lost, cleanup } = ran;
        let Completed {
            verdict,
            usage,
            shared,
            stdout,
            stderr,
            results_omitted,
            compile,
            run,
            kernel_lost: _,
            to_kill: _,
            after: _,
            changes,
            collected,
        } = completed;
        let outcome = Outcome {
            status: verdict.status,
            exit_code: verdict.exit_code,
            signal: verdict.signal,
            diagnostic: verdict.diagnostic,
            duration: accepted.elapsed(),
            stdout,
            stderr,
            results_omitted,
            usage,
            shared,
            accounting,
            phases: Phases { compile, run, ..phases },
            state_lost,
            collected,
            changes,
        };
        (outcome, cleanup)
    }
}
