//! Executions.

use sqlx::any::AnyRow;

use super::{Database, Error, report_json, row};
use crate::domain::execution::{Execution, ExecutionState, FinishedRun};
use crate::domain::ids::{BootId, ExecutionId, SessionId, UserId};
use crate::domain::language::Language;
use crate::domain::page::{Page, PageRequest};
use crate::domain::report::Status;
use crate::domain::timestamp::Timestamp;

/// What a list needs: reports can be megabytes and stay in the database.
const LISTED: &str = "SELECT id, user_id, session_id, language, state, created_at, finished_at
     FROM executions WHERE user_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3";

impl Database {
    /// Adds a run that was accepted.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert_execution(&self, run: &Execution, boot: &BootId) -> Result<(), Error> {
        sqlx::query(
            "INSERT INTO executions (id, user_id, session_id, language, state, boot_id, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(run.id.as_str())
        .bind(run.user.as_str())
        .bind(run.session.as_ref().map(SessionId::as_str))
        .bind(run.language.name())
        .bind(run.state.name())
        .bind(boot.as_str())
        .bind(run.created_at.millis())
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Notes how a running execution ended; one that has ended keeps its first end.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn finish_execution(
        &self,
        id: &ExecutionId,
        state: &ExecutionState,
    ) -> Result<(), Error> {
        let report = match state {
            ExecutionState::Finished(run) => {
                run.report.as_deref().map(report_json::write).transpose()?
            }
            ExecutionState::Running | ExecutionState::Cancelled | ExecutionState::Unknown => None,
        };
        sqlx::query(
            "UPDATE executions SET state = $1, finished_at = $2, report = $3
             WHERE id = $4 AND state = 'running'",
        )
        .bind(state.name())
        .bind(Timestamp::now().millis())
        .bind(report)
        .bind(id.as_str())
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Takes back a run that the worker refused: nothing ran.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_execution(&self, id: &ExecutionId) -> Result<(), Error> {
        sqlx::query("DELETE FROM executions WHERE id = $1 AND state = 'running'")
            .bind(id.as_str())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// A user's execution with everything it did.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn execution_of(
        &self,
        user: &UserId,
        id: &ExecutionId,
    ) -> Result<Option<Execution>, Error> {
        let found = sqlx::query("SELECT * FROM executions WHERE id = $1 AND user_id = $2")
            .bind(id.as_str())
            .bind(user.as_str())
            .fetch_optional(&self.pool)
            .await?;
        found
            .map(|found| execution(&found, row::optional_text(&found, "report")?.as_deref()))
            .transpose()
    }

    /// A user's executions without their reports, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn executions_of(
        &self,
        user: &UserId,
        page: &PageRequest<ExecutionId>,
    ) -> Result<Page<Execution, ExecutionId>, Error> {
        let after = page.after.as_ref().map_or(ExecutionId::AFTER_ALL, ExecutionId::as_str);
        let rows = sqlx::query(LISTED)
            .bind(user.as_str())
            .bind(after)
            .bind(i64::from(page.limit) + 1)
            .fetch_all(&self.pool)
            .await?;
        let runs = rows.iter().map(|row| execution(row, None)).collect::<Result<_, _>>()?;
        Ok(Page::cut(runs, page.limit, |run: &Execution| run.id.clone()))
    }
}

fn execution(found: &AnyRow, report: Option<&str>) -> Result<Execution, Error> {
    let report = report.map(report_json::read).transpose()?.map(Box::new);
    let state = match row::text(found, "state")?.as_str() {
        "running" => ExecutionState::Running,
        "unknown" => ExecutionState::Unknown,
        // Two things are written alike: the worker's outcome, which has a report, and a caller who
        // went away before there was one.
        "cancelled" if report.is_none() => ExecutionState::Cancelled,
        ended => ExecutionState::Finished(FinishedRun {
            status: Status::parse(ended).ok_or(Error::Unreadable("executions.state"))?,
            report,
        }),
    };
    Ok(Execution {
        id: row::parsed(found, "id", ExecutionId::parse)?,
        user: row::parsed(found, "user_id", UserId::parse)?,
        session: row::optional_parsed(found, "session_id", SessionId::parse)?,
        language: row::parsed(found, "language", Language::parse)?,
        created_at: row::moment(found, "created_at")?,
        finished_at: row::optional_moment(found, "finished_at")?,
        state,
    })
}
