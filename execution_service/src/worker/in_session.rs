//! A run in a context of a session, whose state it finds and leaves behind.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::OwnedMutexGuard;

use super::execute::{Admitted, Ended, Ran, Turn};
use super::{Worker, WorkerError};
use crate::execution::kernel::KernelError;
use crate::execution::outcome::Phases;
use crate::execution::run::Completed;
use crate::execution::runner::{Runner, UNHURRIED};
use crate::execution::sharing::Share;
use crate::language::Mode;
use crate::language::diagnostic::Diagnostic;
use crate::sandbox::backend::{Killed, ProcessId, ProcessTree, SandboxError};
use crate::sandbox::spec::SandboxLimits;
use crate::session::{Context, Session, SessionError};

/// Where in a session something runs.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) session: Arc<Session>,
    pub(super) context: Arc<Context>,
}

/// What is left to do behind the answer to a run that was stopped: what it has started must not go on. Until that is
/// done nothing else runs in its context.
pub(super) struct Cleanup {
    place: Place,
    process: ProcessId,
    began: Instant,
    share: Share,
    _runner: OwnedMutexGuard<Runner>,
}

impl Place {
    /// Variables of a run that has `own` ones beside those of its session and context.
    pub(super) fn environment(
        &self,
        mut own: BTreeMap<String, String>,
    ) -> BTreeMap<String, String> {
        let mut all = self.session.env.clone();
        all.extend(self.context.env.clone());
        all.append(&mut own);
        all
    }
}

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
        // Whoever has it now only cleans up behind an answer, or ends the session.
        let mut runner = tokio::select! {
            runner = Arc::clone(&place.context.runner).lock_owned() => runner,
            () = run.cancelled.cancelled() => return Ok(Ended::Waiting),
        };
        if session.ended.is_cancelled() {
            return Err(self.end_of(session));
        }
        let queue = begun.elapsed();
        let began = Instant::now();
        let share = session.activity.begin(run.wants());
        let result = self.take_turn(run, session, &mut runner, &share).await;
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
        share: &Share,
    ) -> Result<(Completed, Duration, bool), KernelError> {
        let begun = Instant::now();
        let died_between = runner.lost_kernel();
        let stop = run.cancelled.child_token();
        let prepared = self.prepare(run, Mode::Session, &stop, share)?;
        match self.put_in_force(run.limits.sandbox, session, share).await {
            Err(SandboxError::Limits(_)) => {
                // What the session holds already is more than this run would be allowed.
                let completed = prepared.never_ran(Diagnostic::no_memory(), runner).await?;
                return Ok((completed, begun.elapsed(), died_between));
            }
            result => result?,
        }
        // What ran in the background since the last run is not this one's.
        runner.settle_usage(UNHURRIED).await?;
        let start = begun.elapsed();
        let mut running = std::pin::pin!(prepared.run(runner, run.sink));
        let completed = tokio::select! {
            completed = &mut running => completed,
            () = session.ended.cancelled() => {
                stop.cancel();
                running.await
            }
        }?;
        let state_lost = completed.kernel_lost || died_between;
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
        self.sessions.lose(session);
        let session = Arc::clone(session);
        self.tasks.spawn("end session", async move { session.end().await });
    }

    /// Why a session is no more that ended while a run waited for its turn.
    fn end_of(&self, session: &Session) -> WorkerError {
        let why = self.sessions.get(&session.id, &session.owner).err();
        WorkerError::Session(why.unwrap_or(SessionError::NotFound))
    }
}

impl Cleanup {
    /// Kills what the run has left, and nothing else that lives in the session: not the interpreters of other
    /// contexts, not commands, not what earlier runs have left.
    pub(super) async fn carry_out(self, worker: &Worker) {
        let Self { place: Place { session, context }, process, began, share, _runner } = self;
        let contexts = session.contexts.all();
        let others = contexts.iter().filter(|other| !Arc::ptr_eq(other, &context));
        let kernels = others.filter_map(|other| other.kernel());
        let commands = session.processes.all();
        let spared = kernels.chain(commands.iter().map(|command| command.id)).collect();
        // What has lost its parents may be anybody's, unless nobody else was there.
        let orphans = !share.is_shared();
        let tree = ProcessTree { root: process, spared, since: began, orphans };
        match session.sandbox.kill_tree(&tree).await {
            // The session has ended meanwhile, and everything with it.
            Err(SandboxError::Gone) => {}
            Ok(Killed::Tree) => {}
            Ok(Killed::Everything) => {
                tracing::info!(session_id = session.id, "all processes of a session were killed");
            }
            // The run has been answered, and what it has started may go on.
            Err(error) => {
                tracing::error!(session_id = session.id, %error, "ended: a run in it cannot be stopped");
                worker.lose(&session);
            }
        }
    }
}
