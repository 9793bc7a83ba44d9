//! API keys.

use sqlx::any::AnyRow;

use super::{Database, Error, row};
use crate::domain::api_key::ApiKey;
use crate::domain::ids::{ApiKeyId, UserId};
use crate::domain::page::{Page, PageRequest};
use crate::domain::scope::Scope;

impl Database {
    /// Adds a key; `hash` is the SHA-256 of its secret, in hex.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert_api_key(&self, key: &ApiKey, hash: &str) -> Result<(), Error> {
        let scopes: Vec<&str> = key.scopes.iter().map(|scope| scope.name()).collect();
        sqlx::query(
            "INSERT INTO api_keys
                 (id, user_id, name, preview, hash, scopes, created_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(key.id.as_str())
        .bind(key.user.as_str())
        .bind(&key.name)
        .bind(&key.preview)
        .bind(hash)
        .bind(scopes.join(" "))
        .bind(key.created_at.millis())
        .bind(key.expires_at.map(|moment| moment.millis()))
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// How many keys a user has, counting those that have expired.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_api_keys(&self, user: &UserId) -> Result<i64, Error> {
        let found = sqlx::query("SELECT COUNT(*) AS keys FROM api_keys WHERE user_id = $1")
            .bind(user.as_str())
            .fetch_one(&self.pool)
            .await?;
        row::number(&found, "keys")
    }

    /// The key with that hash, and whether its owner is an administrator.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn api_key_by_hash(&self, hash: &str) -> Result<Option<(ApiKey, bool)>, Error> {
        let found = sqlx::query(
            "SELECT api_keys.*, users.is_admin AS is_admin
             FROM api_keys JOIN users ON users.id = api_keys.user_id WHERE api_keys.hash = $1
             AND users.disabled_at IS NULL",
        )
        .bind(hash)
        .fetch_optional(&self.pool)
        .await?;
        found.map(|found| Ok((api_key(&found)?, row::flag(&found, "is_admin")?))).transpose()
    }

    /// A user's keys, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn api_keys_of(
        &self,
        user: &UserId,
        page: &PageRequest<ApiKeyId>,
    ) -> Result<Page<ApiKey, ApiKeyId>, Error> {
        let after = page.after.as_ref().map_or(ApiKeyId::AFTER_ALL, ApiKeyId::as_str);
        let rows = sqlx::query(
            "SELECT * FROM api_keys WHERE user_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3",
        )
        .bind(user.as_str())
        .bind(after)
        .bind(i64::from(page.limit) + 1)
        .fetch_all(&self.pool)
        .await?;
        let keys = rows.iter().map(api_key).collect::<Result<_, _>>()?;
        Ok(Page::cut(keys, page.limit, |key: &ApiKey| key.id.clone()))
    }

    /// Removes a user's key; false when there is none by that id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_api_key(&self, user: &UserId, id: &ApiKeyId) -> Result<bool, Error> {
        let done = sqlx::query("DELETE FROM api_keys WHERE id = $1 AND user_id = $2")
            .bind(id.as_str())
            .bind(user.as_str())
            .execute(&self.pool)
            .await?;
        Ok(done.rows_affected() == 1)
    }
}

fn api_key(found: &AnyRow) -> Result<ApiKey, Error> {
    Ok(ApiKey {
        id: row::parsed(found, "id", ApiKeyId::parse)?,
        user: row::parsed(found, "user_id", UserId::parse)?,
        name: row::text(found, "name")?,
        preview: row::text(found, "preview")?,
        scopes: row::parsed(found, "scopes", |text| {
            text.split_whitespace().map(Scope::parse).collect()
        })?,
        created_at: row::moment(found, "created_at")?,
        expires_at: row::optional_moment(found, "expires_at")?,
    })
}
