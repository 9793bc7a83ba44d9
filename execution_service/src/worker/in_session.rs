//! A run in a context of a session, whose state it finds and leaves behind.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::admitted::{Admitted, Ended, Ran, Turn};
use super::cleanup::Cleanup;
use super::network::{add_hint, unix_ms};
use super::place::Place;
use super::{Worker, WorkerError};
use crate::execution::handle::{Cause, Handle};
use crate::execution::kernel::KernelError;
use crate::execution::outcome::{Phases, Status};
use crate::execution::run::{Completed, Watched};
use crate::execution::runner::{Runner, UNHURRIED};
use crate::execution::sharing::Share;
use crate::execution::signals;
use crate::language::Mode;
use crate::language::diagnostic::Diagnostic;
use crate::sandbox::backend::SandboxError;
use crate::sandbox::spec::{Exit, SandboxLimits, Usage};
use crate::session::{ContextError, Session, SessionError};

impl Worker {
    pub(super) async fn run_in_session(
        &self,
        run: &Admitted<'_>,
        place: Place,
        turn: Turn,
    ) -> Result<Ended, WorkerError> {
        let session = &place.session;
        let begun = Instant::now();
        // Also the turn in the context: the slot comes when nothing else runs in it. It is declared before
        // the runner so that it is given back after it, and the next one finds the runner free.
        let _slot = tokio::select! {
            slot = turn.ticket.turn(turn.latest) => slot?,
            () = run.cancelled.cancelled() => return Ok(Ended::Waiting),
            () = session.ended.cancelled() => return Err(self.end_of(session)),
        };
        session.may_be_used()?;
        tokio::select! {
            promised = session.membership.activate(run.limits.sandbox, turn.latest) => promised?,
            () = run.cancelled.cancelled() => return Ok(Ended::Waiting),
            () = session.ended.cancelled() => return Err(self.end_of(session)),
        }
        // Whoever has it now only cleans up behind an answer, or ends the session or the context.
        let mut runner = tokio::select! {
            runner = Arc::clone(&place.context.runner).lock_owned() => runner,
            () = run.cancelled.cancelled() => return Ok(Ended::Waiting),
        };
        if session.ended.is_cancelled() {
            return Err(self.end_of(session));
        }
        if place.context.deleted.is_cancelled() {
            return Err(ContextError::NotFound.into());
        }
        let queue = begun.elapsed();
        let began = Instant::now();
        let share = session.activity.begin(run.wants());
        // From here on nobody can pause the session, and somebody may just have done so.
        session.stay_awake(run.limits.sandbox, turn.latest).await?;
        let handle = Arc::new(Handle::new(run.cancelled.child_token()));
        let going = place.context.current.begin(&handle);
        let result = self.take_turn(run, session, &mut runner, (&share, &handle)).await;
        drop(going);
        place.context.note_kernel(&runner);
        session.deadline.touch();
        if session.sandbox.is_gone() {
            // The program has ended even process 1. Its outcome stands, and the session with it falls.
            self.lose(session);
            // Of an interpreter that was being started, no more is known than that it did not get ready.
            if let Err(KernelError::Sandbox(SandboxError::Gone) | KernelError::NotReady(_)) = result
            {
                return Err(WorkerError::Session(SessionError::Lost));
            }
        }
        let (completed, start, state_lost) = result?;
        session.listing.note(completed.after.clone(), session.deadline.uses());
        let phases = Phases { queue, start, ..Phases::default() };
        let cleanup = completed.to_kill.map(|process| Cleanup {
            place: place.clone(),
            process,
            began,
            share,
            _runner: runner,
        });
        Ok(Ended::Ran(Box::new(Ran { completed, phases, state_lost, cleanup })))
    }

    /// The run itself, when its turn in the context has come. Gives what came of it, the time it took to get
    /// ready, and whether the state of earlier runs is gone.
    async fn take_turn(
        &self,
        run: &Admitted<'_>,
        session: &Session,
        runner: &mut Runner,
        (share, handle): (&Share, &Handle),
    ) -> Result<(Completed, Duration, bool), KernelError> {
        let begun = Instant::now();
        let died_between = runner.lost_kernel();
        let stops = (handle.stop(), Some(handle));
        let mut prepared = self.prepare(run, Mode::Session, &session.toolchains, stops, share)?;
        if run.request.report_changes {
            let known = session.listing.known(session.deadline.uses());
            prepared.watched = Some(Watched { known });
        }
        match self.put_in_force(run.limits.sandbox, session, share).await {
            Err(SandboxError::Limits(_)) => {
                // What the session holds already is more than this run would be allowed.
                let completed = prepared.never_ran(Diagnostic::no_memory(), runner).await?;
                return Ok((completed, begun.elapsed(), died_between.is_some()));
            }
            result => result?,
        }
        // What ran in the background since the last run is not this one's.
        let since = runner.settle_usage(UNHURRIED).await?;
        let start = begun.elapsed();
        let begun_ms = unix_ms();
        let mut running = std::pin::pin!(prepared.run(runner, run.sink));
        let mut completed = tokio::select! {
            completed = &mut running => completed,
            () = session.ended.cancelled() => {
                handle.end(session.why_ended().unwrap_or(Cause::SessionLost));
                running.await
            }
        }?;
        if let Some(way_out) = session.network.get() {
            add_hint(&mut completed, way_out, begun_ms);
        }
        let verdict = &mut completed.verdict;
        if let (Status::Cancelled, Some(cause)) = (verdict.status, handle.cause()) {
            verdict.diagnostic = Some(cause.diagnostic());
        }
        if let (Some(exit), Some(diagnostic)) = (died_between, &mut verdict.diagnostic) {
            // Often it fails because of that.
            let hints = [Some(replaced(exit, since)), diagnostic.hint.take()];
            diagnostic.hint = Some(hints.into_iter().flatten().collect::<Vec<_>>().join(" "));
        }
        // What has a cause is not over before the session or the interpreter is.
        let state_lost =
            completed.kernel_lost || died_between.is_some() || handle.cause().is_some();
        Ok((completed, start, state_lost))
    }

    /// Gives the sandbox the limits of one more run; none that goes on loses what it was promised.
    async fn put_in_force(
        &self,
        limits: SandboxLimits,
        session: &Session,
        share: &Share,
    ) -> Result<(), SandboxError> {
        match share.limits_of_others() {
            None => session.sandbox.prepare(limits).await,
            // To prepare would reset the peaks that they are told.
            Some(others) if others == others.larger_of(limits) => Ok(()),
            Some(others) => session.sandbox.prepare(others.larger_of(limits)).await,
        }
    }

    /// A session whose sandbox is gone.
    pub(super) fn lose(&self, session: &Arc<Session>) {
        if self.sessions.lose(session) {
            let session = Arc::clone(session);
            self.tasks.spawn("end session", async move { session.end(Cause::SessionLost).await });
        }
    }

    /// Why a session is no more that ended while something in it was waited for.
    pub(super) fn end_of(&self, session: &Session) -> WorkerError {
        let why = self.sessions.get(&session.id, &session.owner).err();
        WorkerError::Session(why.unwrap_or(SessionError::NotFound))
    }
}

/// What is said of an interpreter that has ended between two runs with `exit`, while `usage` was used.
fn replaced(exit: Exit, usage: Usage) -> String {
    let why = match exit {
        Exit::Signal(signals::SIGKILL) if usage.oom_kills > 0 => String::from("for lack of memory"),
        Exit::Signal(number) => format!("by {}", signals::name(number)),
        Exit::Code(code) => format!("with exit status {code}"),
    };
    format!(
        "The interpreter had ended between two runs ({why}) and was replaced: what earlier runs had \
         defined is gone, files are still there."
    )
}
