//! Keys of requests that must happen once.

use sqlx::any::AnyRow;

use super::{Database, Error, row};
use crate::domain::idempotency::{Earlier, Reservation};
use crate::domain::ids::{BootId, ExecutionId};
use crate::domain::timestamp::Timestamp;

impl Database {
    /// Reserves the key; `Some` is what is known of it when it was used before.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reserve_key(
        &self,
        reservation: &Reservation,
        boot: &BootId,
    ) -> Result<Option<Earlier>, Error> {
        let reserved = sqlx::query(
            "INSERT INTO idempotency_keys
                 (user_id, route, idempotency_key, fingerprint, state, boot_id, created_at,
                  execution_id)
             VALUES ($1, $2, $3, $4, 'reserved', $5, $6, $7)
             ON CONFLICT (user_id, route, idempotency_key) DO NOTHING",
        )
        .bind(reservation.user.as_str())
        .bind(reservation.route)
        .bind(reservation.key.as_str())
        .bind(&reservation.fingerprint)
        .bind(boot.as_str())
        .bind(Timestamp::now().millis())
        .bind(reservation.execution.as_ref().map(ExecutionId::as_str))
        .execute(&self.pool)
        .await?
        .rows_affected();
        if reserved == 1 {
            return Ok(None);
        }
        let found = sqlx::query(
            "SELECT * FROM idempotency_keys
             WHERE user_id = $1 AND route = $2 AND idempotency_key = $3",
        )
        .bind(reservation.user.as_str())
        .bind(reservation.route)
        .bind(reservation.key.as_str())
        .fetch_optional(&self.pool)
        .await?;
        // Released between the two statements: the caller's next try will get it.
        let Some(found) = found else {
            return Ok(Some(Earlier::InProgress));
        };
        earlier(&found, &reservation.fingerprint).map(Some)
    }

    /// Keeps the answer of a reserved key.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn answer_key(
        &self,
        reservation: &Reservation,
        status: u16,
        sealed_body: &str,
    ) -> Result<(), Error> {
        sqlx::query(
            "UPDATE idempotency_keys
             SET state = 'answered', status = $1, sealed_body = $2, bytes = $3
             WHERE user_id = $4 AND route = $5 AND idempotency_key = $6",
        )
        .bind(i64::from(status))
        .bind(sealed_body)
        .bind(i64::try_from(sealed_body.len()).unwrap_or(i64::MAX))
        .bind(reservation.user.as_str())
        .bind(reservation.route)
        .bind(reservation.key.as_str())
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Notes that nobody knows how far the request of a reserved key got.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn give_up_key(&self, reservation: &Reservation) -> Result<(), Error> {
        sqlx::query(
            "UPDATE idempotency_keys SET state = 'unknown' WHERE state = 'reserved'
             AND user_id = $1 AND route = $2 AND idempotency_key = $3",
        )
        .bind(reservation.user.as_str())
        .bind(reservation.route)
        .bind(reservation.key.as_str())
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Frees a reserved key: nothing was done under it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn release_key(&self, reservation: &Reservation) -> Result<(), Error> {
        sqlx::query(
            "DELETE FROM idempotency_keys WHERE state = 'reserved'
             AND user_id = $1 AND route = $2 AND idempotency_key = $3",
        )
        .bind(reservation.user.as_str())
        .bind(reservation.route)
        .bind(reservation.key.as_str())
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}

fn earlier(found: &AnyRow, fingerprint: &str) -> Result<Earlier, Error> {
    if row::text(found, "fingerprint")? != fingerprint {
        return Ok(Earlier::OtherBody);
    }
    match row::text(found, "state")?.as_str() {
        "reserved" => Ok(Earlier::InProgress),
        "unknown" => {
            let began = row::optional_parsed(found, "execution_id", ExecutionId::parse)?;
            Ok(Earlier::Unknown(began))
        }
        "answered" => Ok(Earlier::Answered {
            status: row::small(found, "status")?,
            sealed_body: row::text(found, "sealed_body")?,
        }),
        _ => Err(Error::Unreadable("idempotency_keys.state")),
    }
}
