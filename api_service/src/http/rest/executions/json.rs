//! `GET …/executions`, `GET …/executions/{id}`, `POST …/executions/{id}/cancel`.

use serde::Serialize;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};

use crate::http::rest::fields::words;

use super::report::ReportBody;
use crate::domain::execution::{Execution, ExecutionState, FinishedRun};
use crate::domain::report::Status;
use crate::http::rest::fields::timestamp;

/// A run, without what it wrote.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "execution_id": "exe_019b7f3c2d9a7d3b8a2f1c0e5d4b6a79", "session_id": null,
    "language": "python", "status": "succeeded", "created_at": "2026-01-31T12:00:00Z",
    "finished_at": "2026-01-31T12:00:01Z"
}))]
pub struct ExecutionSummary {
    /// Which.
    pub execution_id: String,
    /// The session it ran in, if in one.
    #[schema(required)]
    pub session_id: Option<String>,
    /// The language's own name.
    pub language: String,
    /// As in the answer of a run; also queued, running, or unknown when the worker or the gateway was lost
    /// before the run had ended.
    #[schema(schema_with = words::execution_status)]
    pub status: &'static str,
    /// When it was accepted.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When its end was noted; null while it runs.
    #[schema(required)]
    #[schema(format = DateTime)]
    pub finished_at: Option<String>,
}

/// A run, with everything it did: what its answer held, once there was one.
#[derive(Debug, Serialize)]
pub struct ExecutionAnswer {
    /// What it was.
    #[serde(flatten)]
    pub summary: ExecutionSummary,
    /// What it did; left out while it runs, and when nobody knows.
    #[serde(flatten)]
    pub report: Option<ReportBody>,
}

impl PartialSchema for ExecutionAnswer {
    /// Flat: what a run did is not there before its end.
    fn schema() -> RefOr<Schema> {
        let (summary, report) = (ExecutionSummary::schema(), ReportBody::schema());
        let (RefOr::T(Schema::Object(mut all)), RefOr::T(Schema::Object(report))) =
            (summary, report)
        else {
            return RefOr::T(Schema::default());
        };
        all.properties.extend(report.properties);
        all.description = Some("A run, with everything it did, once that is known.".to_owned());
        RefOr::T(Schema::Object(all))
    }
}

impl ToSchema for ExecutionAnswer {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        ReportBody::schemas(schemas);
    }
}

/// A run that was asked to end.
#[derive(Debug, Serialize, ToSchema)]
pub struct CancelAnswer {
    /// True.
    pub success: bool,
    /// In words.
    #[schema(example = "Execution cancelled")]
    pub message: &'static str,
    /// What there is of it: its end, if that could be waited for.
    pub execution: ExecutionAnswer,
}

impl CancelAnswer {
    /// From the domain.
    ///
    /// # Errors
    /// When the output is not JSON.
    pub fn of(execution: Execution) -> Result<Self, serde_json::Error> {
        let message = match execution.state {
            // It was asked to, and takes its time.
            ExecutionState::Queued | ExecutionState::Running => "Execution is being cancelled",
            // By itself, before it could be told.
            ExecutionState::Finished(FinishedRun { status, .. }) if status != Status::Cancelled => {
                "Execution had ended"
            }
            ExecutionState::Finished(_) | ExecutionState::Cancelled | ExecutionState::Unknown => {
                "Execution cancelled"
            }
        };
        let execution = ExecutionAnswer::of(execution)?;
        Ok(Self { success: true, message, execution })
    }
}

impl ExecutionSummary {
    /// From the domain.
    pub fn of(execution: &Execution) -> Self {
        let Execution {
            id,
            user: _,
            session,
            language,
            worker_instance: _,
            created_at,
            finished_at,
            state,
        } = execution;
        Self {
            execution_id: id.to_string(),
            session_id: session.as_ref().map(ToString::to_string),
            language: language.to_string(),
            status: state.name(),
            created_at: timestamp::write(*created_at),
            finished_at: finished_at.map(timestamp::write),
        }
    }
}

impl ExecutionAnswer {
    /// From the domain.
    ///
    /// # Errors
    /// When the output is not JSON.
    pub fn of(execution: Execution) -> Result<Self, serde_json::Error> {
        let summary = ExecutionSummary::of(&execution);
        let report = match execution.state {
            ExecutionState::Finished(run) => {
                run.report.map(|report| ReportBody::of(&execution.id, *report)).transpose()?
            }
            ExecutionState::Queued
            | ExecutionState::Running
            | ExecutionState::Cancelled
            | ExecutionState::Unknown => None,
        };
        Ok(Self { summary, report })
    }
}
