//! Gateway processes that live, and what the dead ones left behind.

use super::{Database, DatabaseKind, Error};
use crate::domain::ids::BootId;
use crate::domain::timestamp::Timestamp;

impl Database {
    /// Notes that this gateway lives. On SQLite it is the only one, so what other rows say is over.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert_boot(&self, boot: &BootId) -> Result<(), Error> {
        if self.kind == DatabaseKind::Sqlite {
            sqlx::query("DELETE FROM gateway_boots").execute(&self.pool).await?;
        }
        sqlx::query("INSERT INTO gateway_boots (id, seen_at) VALUES ($1, $2)")
            .bind(boot.as_str())
            .bind(Timestamp::now().millis())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Renews this gateway's row and drops those not renewed since `dead_since`. A gateway that was
    /// taken for dead (it was stopped for long) is put back.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn renew_boot(&self, boot: &BootId, dead_since: Timestamp) -> Result<(), Error> {
        sqlx::query(
            "INSERT INTO gateway_boots (id, seen_at) VALUES ($1, $2)
             ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at",
        )
        .bind(boot.as_str())
        .bind(Timestamp::now().millis())
        .execute(&self.pool)
        .await?;
        sqlx::query("DELETE FROM gateway_boots WHERE seen_at < $1")
            .bind(dead_since.millis())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Takes this gateway out: it ends in good order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_boot(&self, boot: &BootId) -> Result<(), Error> {
        sqlx::query("DELETE FROM gateway_boots WHERE id = $1")
            .bind(boot.as_str())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Turns everything that a dead gateway left unfinished into an honest `unknown`. A session that
    /// was being started is taken for live: the worker says if it is not.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn settle_what_dead_boots_left(&self) -> Result<(), Error> {
        sqlx::query(
            "UPDATE executions SET state = 'unknown', finished_at = $1 WHERE state = 'running'
             AND boot_id NOT IN (SELECT id FROM gateway_boots)",
        )
        .bind(Timestamp::now().millis())
        .execute(&self.pool)
        .await?;
        sqlx::query(
            "UPDATE idempotency_keys SET state = 'unknown' WHERE state = 'reserved'
             AND boot_id NOT IN (SELECT id FROM gateway_boots)",
        )
        .execute(&self.pool)
        .await?;
        sqlx::query(
            "UPDATE sessions SET stage = 'live' WHERE stage = 'starting'
             AND boot_id NOT IN (SELECT id FROM gateway_boots)",
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}
