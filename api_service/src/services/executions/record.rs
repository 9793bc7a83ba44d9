//! The record of an execution that goes on: every one gets an honest end.

use metrics::{Label, counter, histogram};

use crate::domain::execution::{Execution, ExecutionState};
use crate::domain::language::LanguageName;
use crate::domain::timestamp::Timestamp;
use crate::services::Error;
use crate::services::history::{History, Noted};

/// Dropped without a word, the execution was cancelled.
pub(super) struct Record {
    /// As it began.
    pub(super) execution: Execution,
    history: History,
    ended: bool,
}

impl Record {
    /// Notes that an execution begins.
    pub(super) async fn begin(history: &History, execution: Execution) -> Result<Self, Error> {
        history.room().await?;
        let begun = history.put(execution.clone())?;
        let record = Self { execution, history: history.clone(), ended: false };
        history.kept(begun).await?;
        Ok(record)
    }

    pub(super) async fn end(mut self, state: ExecutionState) -> Result<(), Error> {
        let noted = self.note(state)?;
        self.history.kept(noted).await
    }

    /// Nothing ran.
    pub(super) async fn take_back(mut self) -> Result<(), Error> {
        self.ended = true;
        let noted = self.history.take_back(self.execution.id.clone())?;
        self.history.kept(noted).await
    }

    /// At once, so that whatever happens meanwhile changes nothing: what is known now is the truth.
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
