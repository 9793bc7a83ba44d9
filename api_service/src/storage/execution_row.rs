//! An execution as it is kept: in its row, and in the journal until it is there.

use serde::{Deserialize, Serialize};

use super::{Error, report_json};
use crate::domain::execution::{Execution, ExecutionState, FinishedRun};
use crate::domain::ids::{BootId, ExecutionId, SessionId, UserId};
use crate::domain::language::LanguageName;
use crate::domain::report::Status;
use crate::domain::timestamp::Timestamp;

/// All columns of one execution. Its report is text already, so that it is put into words once,
/// however often the row is written.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ExecutionRow {
    pub(super) id: String,
    pub(super) user_id: String,
    pub(super) session_id: Option<String>,
    pub(super) language: String,
    pub(super) state: String,
    pub(super) boot_id: String,
    pub(super) created_at: i64,
    pub(super) finished_at: Option<i64>,
    pub(super) report: Option<String>,
    /// Journals of earlier versions do not have it.
    #[serde(default)]
    pub(super) worker_instance: Option<String>,
}

impl ExecutionRow {
    /// As the gateway `boot` keeps it.
    ///
    /// # Errors
    /// When the report is not JSON.
    pub fn of(execution: Execution, boot: &BootId) -> Result<Self, Error> {
        let Execution {
            id,
            user,
            session,
            language,
            worker_instance,
            created_at,
            finished_at,
            state,
        } = execution;
        let name = match &state {
            ExecutionState::Queued => ExecutionState::Running.name().to_owned(),
            state => state.name().to_owned(),
        };
        let report = match state {
            ExecutionState::Finished(run) => {
                run.report.map(|report| report_json::write(*report)).transpose()?
            }
            ExecutionState::Queued
            | ExecutionState::Running
            | ExecutionState::Cancelled
            | ExecutionState::Unknown => None,
        };
        Ok(Self {
            id: id.to_string(),
            user_id: user.to_string(),
            session_id: session.as_ref().map(SessionId::to_string),
            language: language.as_str().to_owned(),
            state: name,
            boot_id: boot.to_string(),
            created_at: created_at.millis(),
            finished_at: finished_at.map(Timestamp::millis),
            report,
            worker_instance,
        })
    }

    /// What it says.
    ///
    /// # Errors
    /// When it holds what this version never wrote.
    pub fn read(&self) -> Result<Execution, Error> {
        let unreadable = Error::Unreadable;
        let session = self
            .session_id
            .as_deref()
            .map(|text| SessionId::parse(text).ok_or(unreadable("executions.session_id")));
        Ok(Execution {
            id: ExecutionId::parse(&self.id).ok_or(unreadable("executions.id"))?,
            user: UserId::parse(&self.user_id).ok_or(unreadable("executions.user_id"))?,
            session: session.transpose()?,
            language: LanguageName::parse(&self.language)
                .ok_or(unreadable("executions.language"))?,
            worker_instance: self.worker_instance.clone(),
            created_at: Timestamp::from_millis(self.created_at),
            finished_at: self.finished_at.map(Timestamp::from_millis),
            state: state(&self.state, self.report.as_deref())?,
        })
    }
}

/// From the two columns that say how far it got.
pub(super) fn state(name: &str, report: Option<&str>) -> Result<ExecutionState, Error> {
    let report = report.map(report_json::read).transpose()?.map(Box::new);
    Ok(match name {
        "running" => ExecutionState::Running,
        "unknown" => ExecutionState::Unknown,
        // Two things are written alike: the worker's outcome, which has a report, and a caller who
        // went away before there was one.
        "cancelled" if report.is_none() => ExecutionState::Cancelled,
        ended => ExecutionState::Finished(FinishedRun {
            status: Status::parse(ended).ok_or(Error::Unreadable("executions.state"))?,
            report,
        }),
    })
}
