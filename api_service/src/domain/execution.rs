//! The record of one run.

use crate::domain::ids::{ExecutionId, SessionId, UserId};
use crate::domain::language::LanguageName;
use crate::domain::report::{Report, Status};
use crate::domain::timestamp::Timestamp;

/// One run, as it is remembered.
#[derive(Debug, Clone)]
pub struct Execution {
    /// Which.
    pub id: ExecutionId,
    /// Whose.
    pub user: UserId,
    /// In which session, if in one.
    pub session: Option<SessionId>,
    /// In which language.
    pub language: LanguageName,
    /// The start of the worker that it was given to; absent in records of earlier versions.
    pub worker_instance: Option<String>,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// When its end was noted.
    pub finished_at: Option<Timestamp>,
    /// How far it got.
    pub state: ExecutionState,
}

/// Which runs of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExecutionFilter {
    /// Only those of this session.
    pub session: Option<SessionId>,
    /// Only those of this state, by its name.
    pub status: Option<&'static str>,
    /// Only those in this language.
    pub language: Option<LanguageName>,
    /// Only those that were accepted then or later.
    pub since: Option<Timestamp>,
}

/// How far a run got. Only a finished one has a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExecutionState {
    /// It waits for its turn. Known only where it runs; a record says that it is running.
    Queued,
    /// It was accepted and has not ended.
    Running,
    /// It ended and this is what it did; in lists the report is left out.
    Finished(FinishedRun),
    /// Its caller went away before it ended; it was stopped.
    Cancelled,
    /// The worker or the gateway was lost in between: it may have ended in any way.
    Unknown,
}

/// The end of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FinishedRun {
    /// How the program ended.
    pub status: Status,
    /// Everything it did, where it was asked for.
    pub report: Option<Box<Report>>,
}

impl ExecutionState {
    /// A run that ended with `report`.
    pub fn finished(report: Report) -> Self {
        let status = report.outcome.status;
        Self::Finished(FinishedRun { status, report: Some(Box::new(report)) })
    }

    /// As it is written.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Finished(run) => run.status.name(),
            Self::Cancelled => "cancelled",
            Self::Unknown => "unknown",
        }
    }
}
