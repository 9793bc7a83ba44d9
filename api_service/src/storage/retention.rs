//! Forgets what is old.

use std::time::Duration;

use super::{Database, Error};
use crate::domain::timestamp::Timestamp;

/// How long things are remembered.
#[derive(Debug, Clone)]
pub struct Retention {
    /// Executions, and sessions that are over, are forgotten at this age.
    pub age: Duration,
    /// Of each user's executions, only this many are remembered.
    pub executions_per_user: u32,
    /// Answers to idempotency keys are forgotten at this age.
    pub idempotency: Duration,
}

impl Database {
    /// Forgets everything that is older than `retention` says, or too much.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_the_old(&self, retention: &Retention) -> Result<(), Error> {
        let now = Timestamp::now();
        let old = [
            (
                "DELETE FROM executions WHERE state <> 'running' AND created_at < $1",
                now.before(retention.age),
            ),
            ("DELETE FROM sessions WHERE ended_at < $1", now.before(retention.age)),
            // Those that nobody asked for after they had ended.
            ("DELETE FROM sessions WHERE expires_at < $1", now.before(retention.age)),
            (
                "DELETE FROM idempotency_keys WHERE state <> 'reserved' AND created_at < $1",
                now.before(retention.idempotency),
            ),
            ("DELETE FROM refresh_tokens WHERE expires_at < $1", now),
        ];
        for (statement, moment) in old {
            sqlx::query(statement).bind(moment.millis()).execute(&self.pool).await?;
        }
        sqlx::query(
            "DELETE FROM executions WHERE state <> 'running' AND id IN (
                 SELECT id FROM (
                     SELECT id, ROW_NUMBER() OVER (PARTITION BY user_id ORDER BY id DESC) AS place
                     FROM executions
                 ) AS ranked WHERE place > $1
             )",
        )
        .bind(i64::from(retention.executions_per_user))
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}
