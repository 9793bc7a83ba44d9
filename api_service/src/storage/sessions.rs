//! Sessions.

use sqlx::any::AnyRow;

use super::{Database, Error, row};
use crate::domain::ids::{BootId, SessionId, UserId};
use crate::domain::language::LanguageName;
use crate::domain::page::{Page, PageRequest};
use crate::domain::session::{EndReason, Session, SessionStage};
use crate::domain::timestamp::Timestamp;

impl Database {
    /// Adds a session that the worker has not been asked for yet.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert_session(&self, session: &Session, boot: &BootId) -> Result<(), Error> {
        sqlx::query(
            "INSERT INTO sessions (id, user_id, language, metadata, worker_instance, stage,
                                   boot_id, created_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(session.id.as_str())
        .bind(session.user.as_str())
        .bind(session.language.as_ref().map_or("", LanguageName::as_str))
        .bind(&session.metadata)
        .bind(session.worker_instance.as_deref())
        .bind(stage_name(session.stage))
        .bind(boot.as_str())
        .bind(session.created_at.millis())
        .bind(session.expires_at.millis())
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Notes that the worker has the session, with its times.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn session_is_live(&self, session: &Session) -> Result<(), Error> {
        sqlx::query(
            "UPDATE sessions SET stage = 'live', created_at = $1, expires_at = $2
             WHERE id = $3 AND stage = 'starting'",
        )
        .bind(session.created_at.millis())
        .bind(session.expires_at.millis())
        .bind(session.id.as_str())
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Notes when a session ends, which has been moved.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn session_ends_at(&self, id: &SessionId, moment: Timestamp) -> Result<(), Error> {
        sqlx::query("UPDATE sessions SET expires_at = $1 WHERE id = $2 AND stage = 'live'")
            .bind(moment.millis())
            .bind(id.as_str())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Gives a user's session another note, a JSON object; false when there is no such session.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_session_metadata(
        &self,
        user: &UserId,
        id: &SessionId,
        metadata: &str,
    ) -> Result<bool, Error> {
        let done = sqlx::query(
            "UPDATE sessions SET metadata = $1
             WHERE id = $2 AND user_id = $3 AND stage <> 'deleted'",
        )
        .bind(metadata)
        .bind(id.as_str())
        .bind(user.as_str())
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Notes that a session is over; false when it was already.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_session(&self, id: &SessionId, reason: EndReason) -> Result<bool, Error> {
        let done = sqlx::query(
            "UPDATE sessions SET stage = $1, ended_at = $2
             WHERE id = $3 AND stage IN ('starting', 'live')",
        )
        .bind(reason.name())
        .bind(Timestamp::now().millis())
        .bind(id.as_str())
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Lets an owner put away a session that had ended by itself.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_away_session(&self, id: &SessionId) -> Result<(), Error> {
        sqlx::query("UPDATE sessions SET stage = 'deleted' WHERE id = $1")
            .bind(id.as_str())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Takes back a session that the worker refused.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_session_row(&self, id: &SessionId) -> Result<(), Error> {
        sqlx::query("DELETE FROM sessions WHERE id = $1")
            .bind(id.as_str())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// A user's session, by id; one that was deleted is not found.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn session_of(
        &self,
        user: &UserId,
        id: &SessionId,
    ) -> Result<Option<Session>, Error> {
        let found = sqlx::query(
            "SELECT * FROM sessions WHERE id = $1 AND user_id = $2 AND stage <> 'deleted'",
        )
        .bind(id.as_str())
        .bind(user.as_str())
        .fetch_optional(&self.pool)
        .await?;
        found.as_ref().map(session).transpose()
    }

    /// A user's sessions that were not deleted, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sessions_of(
        &self,
        user: &UserId,
        page: &PageRequest<SessionId>,
    ) -> Result<Page<Session, SessionId>, Error> {
        let after = page.after.as_ref().map_or(SessionId::AFTER_ALL, SessionId::as_str);
        let rows = sqlx::query(
            "SELECT * FROM sessions
             WHERE user_id = $1 AND stage NOT IN ('deleted', 'starting') AND id < $2
             ORDER BY id DESC LIMIT $3",
        )
        .bind(user.as_str())
        .bind(after)
        .bind(i64::from(page.limit) + 1)
        .fetch_all(&self.pool)
        .await?;
        let sessions = rows.iter().map(session).collect::<Result<_, _>>()?;
        Ok(Page::cut(sessions, page.limit, |session: &Session| session.id.clone()))
    }
}

fn stage_name(stage: SessionStage) -> &'static str {
    match stage {
        SessionStage::Starting => "starting",
        SessionStage::Live => "live",
        SessionStage::Ended(reason) => reason.name(),
    }
}

fn stage(text: &str) -> Option<SessionStage> {
    match text {
        "starting" => Some(SessionStage::Starting),
        "live" => Some(SessionStage::Live),
        ended => EndReason::parse(ended).map(SessionStage::Ended),
    }
}

/// Empty for none.
fn language(text: &str) -> Option<Option<LanguageName>> {
    match text {
        "" => Some(None),
        name => LanguageName::parse(name).map(Some),
    }
}

fn session(found: &AnyRow) -> Result<Session, Error> {
    Ok(Session {
        id: row::parsed(found, "id", SessionId::parse)?,
        user: row::parsed(found, "user_id", UserId::parse)?,
        language: row::parsed(found, "language", language)?,
        created_at: row::moment(found, "created_at")?,
        expires_at: row::moment(found, "expires_at")?,
        metadata: row::text(found, "metadata")?,
        worker_instance: row::optional_text(found, "worker_instance")?,
        stage: row::parsed(found, "stage", stage)?,
    })
}
