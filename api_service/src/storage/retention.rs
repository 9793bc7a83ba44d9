//! Forgets what is old.

use std::time::Duration;

use super::{Database, DatabaseKind, Error, row};
use crate::domain::ids::{ExecutionId, UserId};
use crate::domain::timestamp::Timestamp;

/// Most sessions and refresh tokens of one user that are remembered: nobody may fill the disk with
/// them.
const MOST_OF_USER: u32 = 10_000;

/// How long things are remembered.
#[derive(Debug, Clone)]
pub struct Retention {
    /// Executions, and sessions that are over, are forgotten at this age.
    pub age: Duration,
    /// Of each user's executions, only this many are remembered.
    pub executions_per_user: u32,
    /// And only the newest whose reports take this many bytes together.
    pub report_bytes_per_user: i64,
    /// Answers to idempotency keys are forgotten at this age.
    pub idempotency: Duration,
    /// Of each user's answers to idempotency keys, only the newest that take this many bytes together
    /// are remembered.
    pub answer_bytes_per_user: i64,
}

impl Database {
    /// Forgets everything that is older than `retention` says.
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
            ("DELETE FROM api_keys WHERE expires_at < $1", now.before(retention.age)),
        ];
        for (statement, moment) in old {
            sqlx::query(statement).bind(moment.millis()).execute(&self.pool).await?;
        }
        Ok(())
    }

    /// Forgets what any one user has too much of, oldest first. Cheap when nobody has.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_the_many(&self, retention: &Retention) -> Result<(), Error> {
        for Crowd { users, oldest, keep } in crowds(retention) {
            let crowded = sqlx::query(users).bind(i64::from(keep)).fetch_all(&self.pool).await?;
            for user in &crowded {
                sqlx::query(oldest)
                    .bind(row::text(user, "user_id")?)
                    .bind(i64::from(keep) - 1)
                    .execute(&self.pool)
                    .await?;
            }
        }
        self.forget_large_reports(retention.report_bytes_per_user).await?;
        self.forget_large_answers(retention.answer_bytes_per_user).await
    }

    /// Gives disk back that nothing is on any more, a little at a time: others' statements go between.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn give_disk_back(&self) -> Result<(), Error> {
        /// Of 4 KiB each.
        const PAGES: &str = "PRAGMA incremental_vacuum(1024)";
        const STEPS: usize = 64;
        if self.kind != DatabaseKind::Sqlite {
            // A server does so by itself.
            return Ok(());
        }
        for _ in 0..STEPS {
            let free = sqlx::query("PRAGMA freelist_count").fetch_one(&self.pool).await?;
            if row::number(&free, "freelist_count")? == 0 {
                break;
            }
            // It does a page for each row that is taken from it.
            sqlx::query(PAGES).fetch_all(&self.pool).await?;
        }
        Ok(())
    }

    /// Forgets the oldest kept answers of one user, until those that are left take at most `most` bytes.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget_large_answers_of(&self, user: &UserId, most: i64) -> Result<(), Error> {
        sqlx::query(OLDEST_ANSWERS).bind(user.as_str()).bind(most).execute(&self.pool).await?;
        Ok(())
    }

    /// Forgets the oldest executions of users whose reports take more than `most` bytes together.
    async fn forget_large_reports(&self, most: i64) -> Result<(), Error> {
        let crowded =
            sqlx::query("SELECT user_id FROM executions GROUP BY user_id HAVING SUM(bytes) > $1")
                .bind(most)
                .fetch_all(&self.pool)
                .await?;
        for user in &crowded {
            sqlx::query(OLDEST_REPORTS)
                .bind(row::text(user, "user_id")?)
                .bind(most)
                .bind(ExecutionId::AFTER_ALL)
                .execute(&self.pool)
                .await?;
        }
        Ok(())
    }

    /// Forgets the oldest kept answers of users whose answers take more than `most` bytes together.
    async fn forget_large_answers(&self, most: i64) -> Result<(), Error> {
        let crowded = sqlx::query(
            "SELECT user_id FROM idempotency_keys GROUP BY user_id HAVING SUM(bytes) > $1",
        )
        .bind(most)
        .fetch_all(&self.pool)
        .await?;
        for user in &crowded {
            let user = row::text(user, "user_id")?;
            sqlx::query(OLDEST_ANSWERS).bind(user).bind(most).execute(&self.pool).await?;
        }
        Ok(())
    }
}

/// Removes the oldest answers of the user `$1`, until those that are left take at most `$2` bytes.
const OLDEST_ANSWERS: &str = "DELETE FROM idempotency_keys
    WHERE user_id = $1 AND state <> 'reserved' AND bytes > 0 AND created_at <
    COALESCE((SELECT MIN(created_at) FROM (
         SELECT created_at, SUM(bytes) OVER (
             ORDER BY created_at DESC, idempotency_key ROWS UNBOUNDED PRECEDING
         ) AS total FROM idempotency_keys WHERE user_id = $1
     ) AS summed WHERE total <= $2), 9223372036854775807)";

/// Removes the oldest executions of the user `$1`, until the reports of those that are left take at most `$2` bytes; `$3`
/// is after all ids.
const OLDEST_REPORTS: &str = "DELETE FROM executions
    WHERE user_id = $1 AND state <> 'running' AND bytes > 0 AND id <
    COALESCE((SELECT MIN(id) FROM (
         SELECT id, SUM(bytes) OVER (ORDER BY id DESC ROWS UNBOUNDED PRECEDING) AS total
         FROM executions WHERE user_id = $1
     ) AS summed WHERE total <= $2), $3)";

/// A kind of thing that a user can make many of.
struct Crowd {
    /// Users with more than `$1` of it.
    users: &'static str,
    /// Removes what the user `$1` has beyond the newest; `$2` is one less than what is kept.
    oldest: &'static str,
    keep: u32,
}

fn crowds(retention: &Retention) -> [Crowd; 4] {
    [
        Crowd {
            users: "SELECT user_id FROM executions GROUP BY user_id HAVING COUNT(*) > $1",
            oldest: "DELETE FROM executions WHERE user_id = $1 AND state <> 'running' AND id <
                     (SELECT id FROM executions WHERE user_id = $1
                      ORDER BY id DESC LIMIT 1 OFFSET $2)",
            keep: retention.executions_per_user,
        },
        Crowd {
            users: "SELECT user_id FROM sessions GROUP BY user_id HAVING COUNT(*) > $1",
            oldest: "DELETE FROM sessions WHERE user_id = $1 AND ended_at IS NOT NULL AND id <
                     (SELECT id FROM sessions WHERE user_id = $1
                      ORDER BY id DESC LIMIT 1 OFFSET $2)",
            keep: MOST_OF_USER,
        },
        // Those that are used up apart from those that are not: who refreshes one sign-in ten thousand
        // times must not end the user's others.
        Crowd {
            users: "SELECT user_id FROM refresh_tokens
                    WHERE used_at IS NOT NULL OR revoked_at IS NOT NULL
                    GROUP BY user_id HAVING COUNT(*) > $1",
            oldest: "DELETE FROM refresh_tokens WHERE user_id = $1
                     AND (used_at IS NOT NULL OR revoked_at IS NOT NULL) AND expires_at <
                     (SELECT expires_at FROM refresh_tokens WHERE user_id = $1
                      AND (used_at IS NOT NULL OR revoked_at IS NOT NULL)
                      ORDER BY expires_at DESC LIMIT 1 OFFSET $2)",
            keep: MOST_OF_USER,
        },
        Crowd {
            users: "SELECT user_id FROM refresh_tokens WHERE used_at IS NULL AND revoked_at IS NULL
                    GROUP BY user_id HAVING COUNT(*) > $1",
            oldest: "DELETE FROM refresh_tokens WHERE user_id = $1
                     AND used_at IS NULL AND revoked_at IS NULL AND expires_at <
                     (SELECT expires_at FROM refresh_tokens WHERE user_id = $1
                      AND used_at IS NULL AND revoked_at IS NULL
                      ORDER BY expires_at DESC LIMIT 1 OFFSET $2)",
            keep: MOST_OF_USER,
        },
    ]
}
