//! Users.

use sqlx::any::AnyRow;

use super::{Database, Error, row};
use crate::domain::credentials::Username;
use crate::domain::ids::UserId;
use crate::domain::user::User;

impl Database {
    /// Adds a user.
    ///
    /// # Errors
    /// [`Error::Conflict`] when the name is taken.
    pub async fn insert_user(&self, user: &User, password_hash: &str) -> Result<(), Error> {
        sqlx::query(
            "INSERT INTO users (id, username, password_hash, is_admin, created_at)
             VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(user.id.as_str())
        .bind(user.username.as_str())
        .bind(password_hash)
        .bind(i64::from(user.is_admin))
        .bind(user.created_at.millis())
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// A user and the hash of the password, by name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn user_by_name(&self, name: &Username) -> Result<Option<(User, String)>, Error> {
        let found = sqlx::query("SELECT * FROM users WHERE username = $1")
            .bind(name.as_str())
            .fetch_optional(&self.pool)
            .await?;
        found.map(|found| Ok((user(&found)?, row::text(&found, "password_hash")?))).transpose()
    }

    /// A user, by id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn user_by_id(&self, id: &UserId) -> Result<Option<User>, Error> {
        let found = sqlx::query("SELECT * FROM users WHERE id = $1")
            .bind(id.as_str())
            .fetch_optional(&self.pool)
            .await?;
        found.as_ref().map(user).transpose()
    }

    /// The administrator who was made first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn first_admin(&self) -> Result<Option<User>, Error> {
        let found = sqlx::query("SELECT * FROM users WHERE is_admin = 1 ORDER BY id LIMIT 1")
            .fetch_optional(&self.pool)
            .await?;
        found.as_ref().map(user).transpose()
    }

    /// True when there is nobody yet.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_no_users(&self) -> Result<bool, Error> {
        Ok(sqlx::query("SELECT id FROM users LIMIT 1").fetch_optional(&self.pool).await?.is_none())
    }
}

fn user(found: &AnyRow) -> Result<User, Error> {
    Ok(User {
        id: row::parsed(found, "id", UserId::parse)?,
        username: row::parsed(found, "username", |text| Username::parse(text).ok())?,
        is_admin: row::flag(found, "is_admin")?,
        created_at: row::moment(found, "created_at")?,
    })
}
