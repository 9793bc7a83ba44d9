//! `GET …/executions`, `GET …/executions/{id}`, `POST …/executions/{id}/cancel`.

use serde::Serialize;
use utoipa::ToSchema;

use super::moment;
use super::report::ReportBody;
use crate::domain::execution::{Execution, ExecutionState};

/// A run, without what it wrote.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExecutionSummary {
    /// Which.
    pub execution_id: String,
    /// The session it ran in, if in one.
    pub session_id: Option<String>,
    /// The language's own name.
    pub language: String,
    /// As in the answer of a run; also queued, running, or unknown when the worker or the gateway was lost
    /// before the run had ended.
    #[schema(example = "succeeded")]
    pub status: &'static str,
    /// When it was accepted.
    pub created_at: String,
    /// When its end was noted; null while it runs.
    pub finished_at: Option<String>,
}

/// A run, with everything it did: what its answer held, once there was one.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExecutionAnswer {
    /// What it was.
    #[serde(flatten)]
    pub summary: ExecutionSummary,
    /// What it did; left out while it runs, and when nobody knows.
    #[serde(flatten)]
    pub report: Option<ReportBody>,
}

/// A run that was asked to end.
#[derive(Debug, Serialize, ToSchema)]
pub struct CancelAnswer {
    /// True.
    pub success: bool,
    /// In words.
    #[schema(example = "Execution cancelled")]
    pub message: &'static str,
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
            created_at: moment::write(*created_at),
            finished_at: finished_at.map(moment::write),
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
