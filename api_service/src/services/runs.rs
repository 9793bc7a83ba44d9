//! Running code: the record of a run, its events absorbed, and an honest end for every one.

use std::time::Duration;

use metrics::{Label, counter, histogram};

use super::Error;
use super::history::{History, Noted};
use super::sessions::Sessions;
use super::users::Users;
use crate::domain::capture::Capture;
use crate::domain::event::{Event, OutputStream};
use crate::domain::execution::{Execution, ExecutionState};
use crate::domain::field_error::FieldError;
use crate::domain::ids::{ExecutionId, UserId};
use crate::domain::language::LanguageName;
use crate::domain::report::Report;
use crate::domain::run::RunRequest;
use crate::domain::session::Session;
use crate::domain::timestamp::Timestamp;
use crate::workers::client::{self, Call};
use crate::workers::{Placement, Worker, Workers};

/// How long a run may wait for its turn, beside its own time.
const QUEUE_ALLOWANCE: Duration = Duration::from_secs(30);
/// How long the gateway waits for the end of a run whose deadline the worker has let pass.
const GRACE: Duration = Duration::from_secs(2);

/// Most bytes of results that are taken from a worker, which sends 16 MiB at most. Each counts for
/// something, also an empty one.
const MAX_RESULTS: usize = 32 << 20;

/// Runs code.
#[derive(Clone)]
pub struct Runs {
    /// Where runs are remembered.
    pub history: History,
    /// Who may run.
    pub users: Users,
    /// Where they run.
    pub workers: Workers,
    /// What they may run in.
    pub sessions: Sessions,
    /// The highest time limit of a run: how long one in a session may wait for the one before it.
    pub max_timeout: Duration,
}

impl Runs {
    /// Runs code to its end. Dropping this ends a stateless run.
    ///
    /// # Errors
    /// When it could not be run; a program that fails is no error.
    pub async fn run(
        &self,
        user: &UserId,
        run: RunRequest,
        request_id: &str,
    ) -> Result<(ExecutionId, LanguageName, Report), Error> {
        self.users.must_exist(user).await?;
        let placement = match self.place(user, &run, request_id).await {
            Ok(placement) => placement,
            Err(error @ Error::WorkerUnavailable(..)) => {
                // A session that is over is so without the worker's word.
                self.session_of(user, &run).await?;
                return Err(error);
            }
            Err(error) => return Err(error),
        };
        let Placement { worker, account, language } = &placement;
        if !run.compiler_flags.is_empty() && language.compiler_flags.is_empty() {
            let told = format!("the language {} takes none", language.name);
            return Err(Error::Refused(FieldError::new("compiler_flags", told)));
        }
        let run = &RunRequest { language: language.name.clone(), ..run };
        let record = self.begin(user, run, account.instance_id.clone()).await?;
        let id = record.execution.id.clone();
        let deadline = self.deadline(run, language.compile);
        let call = Call { request_id: request_id.to_owned(), deadline };
        let mut accepted = false;
        let work =
            self.absorb(worker, &call, &id, user, run, account.isolation.clone(), &mut accepted);
        let done = tokio::time::timeout(deadline + GRACE, work).await;
        match done.unwrap_or(Err(client::Error::DeadlineExceeded)) {
            Ok(report) => {
                record.end(ExecutionState::finished(report.for_history())).await?;
                Ok((id, run.language.clone(), report))
            }
            Err(error) if is_doubtful(&error, accepted) => {
                record.end(ExecutionState::Unknown).await?;
                Err(Error::ExecutionUnknown(id, error))
            }
            Err(error) => {
                // The worker has said why. What had begun by then is remembered as what it is.
                if accepted {
                    record.end(ExecutionState::Unknown).await?;
                } else {
                    record.take_back().await?;
                }
                match self.session_of(user, run).await? {
                    Some(session) => {
                        Err(self.sessions.failed_in(&session, error, &run.language).await?)
                    }
                    None => Err(Error::of_call(error, &run.language)),
                }
            }
        }
    }

    async fn absorb(
        &self,
        worker: &Worker,
        call: &Call,
        id: &ExecutionId,
        user: &UserId,
        run: &RunRequest,
        isolation: String,
        accepted: &mut bool,
    ) -> Result<Report, client::Error> {
        let mut events = worker.client().execute(call, id, user, run).await?;
        let (mut stdout, mut stderr, mut results) =
            (Capture::default(), Capture::default(), Vec::new());
        let mut left = MAX_RESULTS;
        while let Some(event) = events.next().await? {
            *accepted = true;
            match event {
                Event::Started => {}
                Event::Output { stream: OutputStream::Stdout, offset, data } => {
                    stdout.absorb(offset, &data);
                }
                Event::Output { stream: OutputStream::Stderr, offset, data } => {
                    stderr.absorb(offset, &data);
                }
                Event::Result(result) => {
                    left = left
                        .checked_sub(result.size())
                        .ok_or(client::Error::Malformed("results without end"))?;
                    results.push(result);
                }
                Event::Outcome(outcome) => {
                    return Ok(Report {
                        stdout: stdout.finish(outcome.stdout.bytes),
                        stderr: stderr.finish(outcome.stderr.bytes),
                        outcome: *outcome,
                        results,
                        isolation,
                    });
                }
            }
        }
        Err(client::Error::Malformed("events without an outcome"))
    }

    /// On the worker of its session, or on any.
    async fn place(
        &self,
        user: &UserId,
        run: &RunRequest,
        request_id: &str,
    ) -> Result<Placement, Error> {
        let placed = match (&run.session, self.workers.only()) {
            (None, _) => self.workers.place(&run.language, request_id).await,
            // Where else: it need not be looked up, and that would cost a read of the database.
            (Some(_), Some(only)) => self.workers.place_on(only, &run.language, request_id).await,
            (Some(id), None) => {
                let session = self.sessions.usable(user, id).await?;
                let home = self.sessions.home(&session)?;
                self.workers.place_on(home, &run.language, request_id).await
            }
        };
        Ok(placed?)
    }

    /// The session that the run is meant for, if it can still be. Asked only when something went
    /// wrong: the worker knows whose session is whose, and refuses a run in a foreign one itself.
    async fn session_of(&self, user: &UserId, run: &RunRequest) -> Result<Option<Session>, Error> {
        match &run.session {
            Some(id) => self.sessions.usable(user, id).await.map(Some),
            None => Ok(None),
        }
    }

    async fn begin(
        &self,
        user: &UserId,
        run: &RunRequest,
        instance: String,
    ) -> Result<Record, Error> {
        self.history.room().await?;
        let execution = Execution {
            id: ExecutionId::generate(),
            user: user.clone(),
            session: run.session.clone(),
            language: run.language.clone(),
            worker_instance: Some(instance),
            created_at: Timestamp::now(),
            finished_at: None,
            state: ExecutionState::Running,
        };
        let begun = self.history.put(execution.clone())?;
        let record = Record { execution, history: self.history.clone(), ended: false };
        self.history.kept(begun).await?;
        Ok(record)
    }

    fn deadline(&self, run: &RunRequest, compiling: Duration) -> Duration {
        let before = if run.session.is_some() { self.max_timeout } else { Duration::ZERO };
        run.limits.wall.unwrap_or(self.max_timeout) + compiling + before + QUEUE_ALLOWANCE
    }
}

/// The record of a run that goes on. Dropped without a word, its caller went away.
struct Record {
    /// As it began.
    execution: Execution,
    history: History,
    ended: bool,
}

impl Record {
    async fn end(mut self, state: ExecutionState) -> Result<(), Error> {
        let noted = self.note(state)?;
        self.history.kept(noted).await
    }

    async fn take_back(mut self) -> Result<(), Error> {
        self.ended = true;
        let noted = self.history.take_back(self.execution.id.clone())?;
        self.history.kept(noted).await
    }

    /// At once, so that a caller who goes away meanwhile changes nothing: what is known now is the
    /// truth.
    fn note(&mut self, state: ExecutionState) -> Result<Noted, Error> {
        self.ended = true;
        count(&self.execution.language, &state);
        let finished_at = Some(Timestamp::now());
        self.history.put(Execution { finished_at, state, ..self.execution.clone() })
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        // Nobody waits for it, so it need not outlive this process: without it the run is unknown.
        if let Err(error) = self.note(ExecutionState::Cancelled) {
            let id = &self.execution.id;
            tracing::error!(%error, execution.id = %id, "a cancelled run could not be noted");
        }
    }
}

fn count(language: &LanguageName, state: &ExecutionState) {
    let labels =
        vec![Label::new("language", language.shared()), Label::new("status", state.name())];
    counter!("crucible_executions_total", labels).increment(1);
    if let ExecutionState::Finished(run) = state
        && let Some(report) = &run.report
    {
        histogram!("crucible_execution_duration_seconds", "language" => language.shared())
            .record(report.outcome.duration.as_secs_f64());
    }
}

/// The worker may have taken the run on before the call failed. One that ends while it runs the code
/// says so in the words in which it refuses more: "try again" would be advice to do it twice.
fn is_doubtful(error: &client::Error, accepted: bool) -> bool {
    match error {
        client::Error::Lost(_) | client::Error::DeadlineExceeded => true,
        client::Error::ShuttingDown(_) => accepted,
        _ => false,
    }
}
