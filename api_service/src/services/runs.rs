//! Running code: the record of a run, its events absorbed, and an honest end for every one.

use std::time::Duration;

use metrics::{counter, histogram};

use super::Error;
use super::background::Background;
use super::sessions::Sessions;
use super::worker::Worker;
use crate::domain::capture::Capture;
use crate::domain::event::{Event, OutputStream};
use crate::domain::execution::{Execution, ExecutionState};
use crate::domain::ids::{BootId, ExecutionId, UserId};
use crate::domain::language::Language;
use crate::domain::report::Report;
use crate::domain::run::RunRequest;
use crate::domain::timestamp::Timestamp;
use crate::execution_client::{self, Call};
use crate::storage::{self, Database};

/// How long a run may wait for its turn, beside its own time.
const QUEUE_ALLOWANCE: Duration = Duration::from_secs(30);
/// How long C may take to compile, beside its own time.
const COMPILE_ALLOWANCE: Duration = Duration::from_secs(60);
/// How long the gateway waits for the end of a run whose deadline the worker has let pass.
const GRACE: Duration = Duration::from_secs(2);

/// Runs code.
#[derive(Clone)]
pub struct Runs {
    /// Where runs are remembered.
    pub database: Database,
    /// Where they run.
    pub worker: Worker,
    /// What they may run in.
    pub sessions: Sessions,
    /// Notes the end of a run whose caller went away.
    pub background: Background,
    /// This life of the gateway.
    pub boot: BootId,
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
        run: &RunRequest,
        request_id: &str,
    ) -> Result<(ExecutionId, Report), Error> {
        let session = match &run.session {
            Some(id) => Some(self.sessions.usable(user, id).await?),
            None => None,
        };
        let isolation = self.worker.capabilities(request_id).await?.isolation.clone();
        let record = self.begin(user, run).await?;
        let id = record.id.clone();
        let deadline = self.deadline(run);
        let call = Call { request_id: request_id.to_owned(), deadline };
        let mut accepted = false;
        let work = self.absorb(&call, &id, user, run, isolation, &mut accepted);
        let done = tokio::time::timeout(deadline + GRACE, work).await;
        match done.unwrap_or(Err(execution_client::Error::DeadlineExceeded)) {
            Ok(report) => {
                record.end(ExecutionState::finished(report.clone().for_history())).await?;
                Ok((id, report))
            }
            Err(error) if is_doubtful(&error) => {
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
                match &session {
                    Some(session) => {
                        Err(self.sessions.failed_in(session, error, run.language).await?)
                    }
                    None => Err(Error::of_call(error, run.language)),
                }
            }
        }
    }

    async fn absorb(
        &self,
        call: &Call,
        id: &ExecutionId,
        user: &UserId,
        run: &RunRequest,
        isolation: String,
        accepted: &mut bool,
    ) -> Result<Report, execution_client::Error> {
        let mut events = self.worker.client().execute(call, id, user, run).await?;
        let (mut stdout, mut stderr, mut results) =
            (Capture::default(), Capture::default(), Vec::new());
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
                Event::Result(result) => results.push(result),
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
        Err(execution_client::Error::Malformed("events without an outcome"))
    }

    async fn begin(&self, user: &UserId, run: &RunRequest) -> Result<Record, Error> {
        let execution = Execution {
            id: ExecutionId::generate(),
            user: user.clone(),
            session: run.session.clone(),
            language: run.language,
            created_at: Timestamp::now(),
            finished_at: None,
            state: ExecutionState::Running,
        };
        self.database.insert_execution(&execution, &self.boot).await?;
        Ok(Record {
            id: execution.id,
            language: run.language,
            database: self.database.clone(),
            background: self.background.clone(),
            ended: false,
        })
    }

    fn deadline(&self, run: &RunRequest) -> Duration {
        let compiling = match run.language {
            Language::C => COMPILE_ALLOWANCE,
            Language::Python | Language::Node | Language::Bash => Duration::ZERO,
        };
        let before = if run.session.is_some() { self.max_timeout } else { Duration::ZERO };
        run.limits.wall.unwrap_or(self.max_timeout) + compiling + before + QUEUE_ALLOWANCE
    }
}

/// The row of a run that goes on. Dropped without a word, its caller went away.
struct Record {
    id: ExecutionId,
    language: Language,
    database: Database,
    background: Background,
    ended: bool,
}

impl Record {
    async fn end(mut self, state: ExecutionState) -> Result<(), Error> {
        count(self.language, &state);
        let (id, database) = (self.id.clone(), self.database.clone());
        let note = async move { database.finish_execution(&id, &state).await };
        self.write(note).await
    }

    async fn take_back(mut self) -> Result<(), Error> {
        let (id, database) = (self.id.clone(), self.database.clone());
        self.write(async move { database.delete_execution(&id).await }).await
    }

    /// To the end, even when the caller goes away meanwhile: what is known now is the truth.
    async fn write(
        &mut self,
        note: impl Future<Output = Result<(), storage::Error>> + Send + 'static,
    ) -> Result<(), Error> {
        self.ended = true;
        let written = self.background.finish(note).await;
        Ok(written.ok_or(Error::Fault("the note of a run was cut off"))??)
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        count(self.language, &ExecutionState::Cancelled);
        let (id, database) = (self.id.clone(), self.database.clone());
        self.background.spawn(async move {
            if let Err(error) = database.finish_execution(&id, &ExecutionState::Cancelled).await {
                tracing::error!(%error, execution.id = %id, "a cancelled run could not be noted");
            }
        });
    }
}

fn count(language: Language, state: &ExecutionState) {
    let labels = [("language", language.name()), ("status", state.name())];
    counter!("crucible_executions_total", &labels).increment(1);
    if let ExecutionState::Finished(run) = state
        && let Some(report) = &run.report
    {
        histogram!("crucible_execution_duration_seconds", "language" => language.name())
            .record(report.outcome.duration.as_secs_f64());
    }
}

/// The worker may have taken the run on before the call failed.
fn is_doubtful(error: &execution_client::Error) -> bool {
    matches!(error, execution_client::Error::Lost(_) | execution_client::Error::DeadlineExceeded)
}
