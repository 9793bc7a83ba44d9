//! Executions.

use std::sync::Arc;

use sqlx::any::{AnyArguments, AnyRow};
use sqlx::{Any, AssertSqlSafe};

use super::execution_row::{self, ExecutionRow};
use super::{Database, Error, row};
use crate::domain::execution::{Execution, ExecutionFilter};
use crate::domain::ids::{ExecutionId, SessionId, UserId};
use crate::domain::language::LanguageName;
use crate::domain::page::{Page, PageRequest};
use crate::domain::timestamp::Timestamp;

/// Columns of an execution's row.
const COLUMNS: usize = 11;
/// Rows of one statement: 704 values of the 32,766 that SQLite takes and the 65,535 of PostgreSQL.
const ROWS_AT_ONCE: usize = 64;

/// What a list needs: reports can be megabytes and stay in the database.
const LISTED: &str = "SELECT id, user_id, session_id, language, state, created_at, finished_at,
            worker_instance
     FROM executions WHERE user_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3";

/// The same of some of them; what is not asked for is an empty text, and a moment before all.
const FILTERED: &str = "SELECT id, user_id, session_id, language, state, created_at, finished_at,
            worker_instance
     FROM executions WHERE user_id = $1 AND id < $2
        AND ($4 = '' OR session_id = $4) AND ($5 = '' OR state = $5)
        AND ($6 = '' OR language = $6) AND created_at >= $7
     ORDER BY id DESC LIMIT $3";

impl Database {
    /// Writes executions and takes others back, all or none. A row that is there keeps its end,
    /// unless it only says that nobody knows it: a gateway that was taken for dead does.
    ///
    /// # Errors
    /// [`Error::NoSuchUser`] when the user of one of them is gone.
    pub async fn write_executions(
        &self,
        rows: &[Arc<ExecutionRow>],
        taken_back: &[ExecutionId],
    ) -> Result<(), Error> {
        let mut transaction = self.pool.begin().await?;
        for rows in rows.chunks(ROWS_AT_ONCE) {
            upsert(rows).execute(&mut *transaction).await?;
        }
        for id in taken_back {
            sqlx::query("DELETE FROM executions WHERE id = $1 AND state = 'running'")
                .bind(id.as_str())
                .execute(&mut *transaction)
                .await?;
        }
        Ok(transaction.commit().await?)
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
        filter: &ExecutionFilter,
    ) -> Result<Page<Execution, ExecutionId>, Error> {
        let after = page.after.as_ref().map_or(ExecutionId::AFTER_ALL, ExecutionId::as_str);
        let ExecutionFilter { session, status, language, since } = filter;
        let all = *filter == ExecutionFilter::default();
        let mut query = sqlx::query(if all { LISTED } else { FILTERED })
            .bind(user.as_str())
            .bind(after)
            .bind(i64::from(page.limit) + 1);
        if !all {
            query = query
                .bind(session.as_ref().map_or("", SessionId::as_str))
                .bind(status.unwrap_or_default())
                .bind(language.as_ref().map_or("", LanguageName::as_str))
                .bind(since.map_or(i64::MIN, Timestamp::millis));
        }
        let rows = query.fetch_all(&self.pool).await?;
        let runs = rows.iter().map(|row| execution(row, None)).collect::<Result<_, _>>()?;
        Ok(Page::cut(runs, page.limit, |run: &Execution| run.id.clone()))
    }
}

/// One statement for all of `rows`: every statement of its own is a trip to the database.
fn upsert(rows: &[Arc<ExecutionRow>]) -> sqlx::query::Query<'_, Any, AnyArguments> {
    let row = |index: usize| {
        let place = |column: usize| format!("${}", index * COLUMNS + column);
        format!("({})", (1..=COLUMNS).map(place).collect::<Vec<_>>().join(", "))
    };
    let statement = format!(
        "INSERT INTO executions (id, user_id, session_id, language, state, boot_id, created_at,
                                 finished_at, report, worker_instance, bytes)
         VALUES {}
         ON CONFLICT (id) DO UPDATE SET state = excluded.state, report = excluded.report,
                                        finished_at = excluded.finished_at,
                                        bytes = excluded.bytes
         WHERE executions.state IN ('running', 'unknown') AND excluded.state <> 'running'",
        (0..rows.len()).map(row).collect::<Vec<_>>().join(", ")
    );
    // Safe: it is made of constants and numbers of places.
    let query = sqlx::query(AssertSqlSafe(statement));
    // One row is what a quiet gateway writes; other numbers of rows would crowd out of a
    // connection's memory for statements what is asked all the time.
    let query = query.persistent(rows.len() == 1);
    rows.iter().fold(query, |query, row| {
        let ExecutionRow {
            id,
            user_id,
            session_id,
            language,
            state,
            boot_id,
            created_at,
            finished_at,
            report,
            worker_instance,
        } = &**row;
        let bytes = report.as_ref().map_or(0, String::len);
        query
            .bind(id.as_str())
            .bind(user_id.as_str())
            .bind(session_id.as_deref())
            .bind(language.as_str())
            .bind(state.as_str())
            .bind(boot_id.as_str())
            .bind(*created_at)
            .bind(*finished_at)
            .bind(report.as_deref())
            .bind(worker_instance.as_deref())
            .bind(i64::try_from(bytes).unwrap_or(i64::MAX))
    })
}

fn execution(found: &AnyRow, report: Option<&str>) -> Result<Execution, Error> {
    Ok(Execution {
        id: row::parsed(found, "id", ExecutionId::parse)?,
        user: row::parsed(found, "user_id", UserId::parse)?,
        session: row::optional_parsed(found, "session_id", SessionId::parse)?,
        language: row::parsed(found, "language", LanguageName::parse)?,
        worker_instance: row::optional_text(found, "worker_instance")?,
        created_at: row::moment(found, "created_at")?,
        finished_at: row::optional_moment(found, "finished_at")?,
        state: execution_row::state(&row::text(found, "state")?, report)?,
    })
}
