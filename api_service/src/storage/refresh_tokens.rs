//! Refresh tokens.

use super::{Database, Error, row};
use crate::domain::ids::{FamilyId, UserId};
use crate::domain::refresh_token::{RefreshToken, Rotation};
use crate::domain::timestamp::Timestamp;

const INSERT: &str = "INSERT INTO refresh_tokens (hash, family, user_id, expires_at, generation)
                      VALUES ($1, $2, $3, $4, $5)";

impl Database {
    /// Keeps the first token of a family.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert_refresh_token(&self, token: &RefreshToken) -> Result<(), Error> {
        sqlx::query(INSERT)
            .bind(&token.hash)
            .bind(token.family.as_str())
            .bind(token.user.as_str())
            .bind(token.expires_at.millis())
            .bind(token.generation)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// The family of the token with that hash, when it was ever given to somebody and is not
    /// forgotten. Anybody can present made-up ones: those must not cost a write.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn family_of_refresh_token(&self, hash: &str) -> Result<Option<FamilyId>, Error> {
        let found = sqlx::query("SELECT family FROM refresh_tokens WHERE hash = $1")
            .bind(hash)
            .fetch_optional(&self.pool)
            .await?;
        found.map(|found| row::parsed(&found, "family", FamilyId::parse)).transpose()
    }

    /// True when a token of that family could still be used.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_refresh_family(&self, family: &FamilyId) -> Result<bool, Error> {
        let found = sqlx::query(
            "SELECT hash FROM refresh_tokens WHERE family = $1 AND revoked_at IS NULL LIMIT 1",
        )
        .bind(family.as_str())
        .fetch_optional(&self.pool)
        .await?;
        Ok(found.is_some())
    }

    /// Uses up the token with the hash `presented` and keeps its successor, both or neither. A
    /// token that was used before revokes its family.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn rotate_refresh_token(
        &self,
        presented: &str,
        successor_hash: &str,
        successor_expires_at: Timestamp,
    ) -> Result<Rotation, Error> {
        let now = Timestamp::now();
        let mut transaction = self.pool.begin().await?;
        // The claim is one conditional write: of two who present the token at once, one gets it.
        let claimed = sqlx::query(
            "UPDATE refresh_tokens SET used_at = $1
             WHERE hash = $2 AND used_at IS NULL AND revoked_at IS NULL AND expires_at > $3",
        )
        .bind(now.millis())
        .bind(presented)
        .bind(now.millis())
        .execute(&mut *transaction)
        .await?
        .rows_affected()
            == 1;
        let found = sqlx::query("SELECT * FROM refresh_tokens WHERE hash = $1")
            .bind(presented)
            .fetch_optional(&mut *transaction)
            .await?;
        let Some(found) = found else {
            return Ok(Rotation::Refused);
        };
        let family = row::parsed(&found, "family", FamilyId::parse)?;
        let user = row::parsed(&found, "user_id", UserId::parse)?;
        let generation = row::number(&found, "generation")?;
        let rotation = if claimed {
            sqlx::query(INSERT)
                .bind(successor_hash)
                .bind(family.as_str())
                .bind(user.as_str())
                .bind(successor_expires_at.millis())
                .bind(generation)
                .execute(&mut *transaction)
                .await?;
            Rotation::Rotated(user, generation)
        } else if row::optional_moment(&found, "used_at")?.is_some() {
            revoke(&mut transaction, &family, now).await?;
            Rotation::Reused(family)
        } else {
            Rotation::Refused
        };
        transaction.commit().await?;
        Ok(rotation)
    }

    /// Revokes a family. One that is revoked already is no error: a caller who signs out twice is
    /// signed out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn revoke_refresh_family(&self, family: &FamilyId) -> Result<(), Error> {
        let mut transaction = self.pool.begin().await?;
        revoke(&mut transaction, family, Timestamp::now()).await?;
        transaction.commit().await?;
        Ok(())
    }
}

/// Until none is left: on PostgreSQL a statement does not see the successor that another transaction made
/// while it waited for that one's end, and nobody can make another while we hold the rest.
async fn revoke(
    transaction: &mut sqlx::Transaction<'_, sqlx::Any>,
    family: &FamilyId,
    now: Timestamp,
) -> Result<(), Error> {
    loop {
        let revoked = sqlx::query(
            "UPDATE refresh_tokens SET revoked_at = $1 WHERE family = $2 AND revoked_at IS NULL",
        )
        .bind(now.millis())
        .bind(family.as_str())
        .execute(&mut **transaction)
        .await?;
        if revoked.rows_affected() == 0 {
            return Ok(());
        }
    }
}
