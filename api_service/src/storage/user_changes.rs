//! Users who are disabled, enabled, deleted, or get another password. Each of these but the second
//! begins another generation: with it every sign-in of the user's is over, also one that is half done.

use super::{Database, DatabaseKind, Error, row};
use crate::domain::ids::{ExecutionId, SessionId, UserId};
use crate::domain::timestamp::Timestamp;
use crate::domain::user::Removal;

/// Holds for everybody but the only administrator who can sign in.
const DISPENSABLE: &str = "(is_admin = 0 OR disabled_at IS NOT NULL OR EXISTS (
     SELECT 1 FROM users AS other
     WHERE other.is_admin = 1 AND other.disabled_at IS NULL AND other.id <> users.id))";

/// Executions that are forgotten in one statement; reports can be megabytes.
const FORGOTTEN_AT_ONCE: i64 = 200;

impl Database {
    /// Makes every credential of a user worthless. One who is disabled already stays so.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn disable_user(&self, id: &UserId) -> Result<Removal, Error> {
        let change = format!(
            "UPDATE users SET generation = generation + 1, disabled_at = COALESCE(disabled_at, $1)
             WHERE id = $2 AND deleted_at IS NULL AND {DISPENSABLE}"
        );
        self.remove(id, change).await
    }

    /// The same for ever. The name is free from now on; the row stays until
    /// [`Self::forget_deleted_user`].
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_user(&self, id: &UserId) -> Result<Removal, Error> {
        // No name has a colon.
        let change = format!(
            "UPDATE users SET generation = generation + 1, disabled_at = COALESCE(disabled_at, $1),
                 deleted_at = $1, username = 'deleted:' || id, password_hash = ''
             WHERE id = $2 AND deleted_at IS NULL AND {DISPENSABLE}"
        );
        self.remove(id, change).await
    }

    async fn remove(&self, id: &UserId, change: String) -> Result<Removal, Error> {
        let mut transaction = self.pool.begin().await?;
        if self.kind == DatabaseKind::Postgres {
            // Two administrators who remove each other at once would each still see the other.
            sqlx::query("LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE")
                .execute(&mut *transaction)
                .await?;
        }
        // Safe: it is made of constants.
        let changed = sqlx::query(sqlx::AssertSqlSafe(change))
            .bind(Timestamp::now().millis())
            .bind(id.as_str())
            .execute(&mut *transaction)
            .await?;
        let found = sqlx::query("SELECT id FROM users WHERE id = $1 AND deleted_at IS NULL")
            .bind(id.as_str())
            .fetch_optional(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(match (changed.rows_affected(), found) {
            (1, _) => Removal::Done,
            (_, Some(_)) => Removal::LastAdmin,
            (_, None) => Removal::NoSuchUser,
        })
    }

    /// Lets a user sign in again; false when there is no such user.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn enable_user(&self, id: &UserId) -> Result<bool, Error> {
        let done =
            sqlx::query("UPDATE users SET disabled_at = NULL WHERE id = $1 AND deleted_at IS NULL")
                .bind(id.as_str())
                .execute(&self.pool)
                .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Gives a user another password; false when there is no such user, or when the password is not
    /// the one with the hash `old` (if that is asked) any more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_password(
        &self,
        id: &UserId,
        old: Option<&str>,
        new: &str,
    ) -> Result<bool, Error> {
        let done = sqlx::query(
            "UPDATE users SET password_hash = $1, generation = generation + 1
             WHERE id = $2 AND deleted_at IS NULL AND password_hash = COALESCE($3, password_hash)",
        )
        .bind(new)
        .bind(id.as_str())
        .bind(old)
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Executions that go on although their users are disabled or deleted.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn executions_of_the_disabled(&self) -> Result<Vec<(UserId, ExecutionId)>, Error> {
        let rows = sqlx::query(
            "SELECT executions.id AS id, executions.user_id AS user_id
             FROM executions JOIN users ON users.id = executions.user_id
             WHERE executions.state = 'running' AND users.disabled_at IS NOT NULL",
        )
        .fetch_all(&self.pool)
        .await?;
        let pair = |row| {
            let user = row::parsed(row, "user_id", UserId::parse)?;
            Ok((user, row::parsed(row, "id", ExecutionId::parse)?))
        };
        rows.iter().map(pair).collect()
    }

    /// Sessions that live although their users are disabled or deleted. One that is being started is
    /// not among them: the worker may not know it yet.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sessions_of_the_disabled(&self) -> Result<Vec<(UserId, SessionId)>, Error> {
        let rows = sqlx::query(
            "SELECT sessions.id AS id, sessions.user_id AS user_id
             FROM users JOIN sessions ON sessions.user_id = users.id
             WHERE users.disabled_at IS NOT NULL AND sessions.stage = 'live'",
        )
        .fetch_all(&self.pool)
        .await?;
        let pair = |row| {
            let user = row::parsed(row, "user_id", UserId::parse)?;
            Ok((user, row::parsed(row, "id", SessionId::parse)?))
        };
        rows.iter().map(pair).collect()
    }

    /// Users who were deleted before `moment` and of whom nothing goes on.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn users_deleted_before(&self, moment: Timestamp) -> Result<Vec<UserId>, Error> {
        let rows = sqlx::query(
            "SELECT id FROM users WHERE deleted_at < $1
             AND NOT EXISTS (SELECT 1 FROM sessions WHERE sessions.user_id = users.id
                             AND sessions.stage IN ('starting', 'live'))
             AND NOT EXISTS (SELECT 1 FROM executions WHERE executions.user_id = users.id
                             AND executions.state = 'running')",
        )
        .bind(moment.millis())
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(|row| row::parsed(row, "id", UserId::parse)).collect()
    }

    /// Removes a deleted user with everything that was the user's.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_deleted_user(&self, id: &UserId) -> Result<(), Error> {
        // In pieces: others write meanwhile.
        loop {
            let forgotten = sqlx::query(
                "DELETE FROM executions WHERE id IN
                 (SELECT id FROM executions WHERE user_id = $1 LIMIT $2)",
            )
            .bind(id.as_str())
            .bind(FORGOTTEN_AT_ONCE)
            .execute(&self.pool)
            .await?;
            if forgotten.rows_affected() == 0 {
                break;
            }
        }
        sqlx::query("DELETE FROM users WHERE id = $1 AND deleted_at IS NOT NULL")
            .bind(id.as_str())
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}
