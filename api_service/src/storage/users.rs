//! Users.

use sqlx::any::AnyRow;

use super::{Database, Error, row};
use crate::domain::credentials::Username;
use crate::domain::ids::UserId;
use crate::domain::page::{Page, PageRequest};
use crate::domain::user::{Account, User};

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
        let found = sqlx::query("SELECT * FROM users WHERE username = $1 AND deleted_at IS NULL")
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
        let found = sqlx::query("SELECT * FROM users WHERE id = $1 AND deleted_at IS NULL")
            .bind(id.as_str())
            .fetch_optional(&self.pool)
            .await?;
        found.as_ref().map(user).transpose()
    }

    /// Users, newest first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn users(&self, page: &PageRequest<UserId>) -> Result<Page<User, UserId>, Error> {
        let after = page.after.as_ref().map_or(UserId::AFTER_ALL, UserId::as_str);
        let rows = sqlx::query(
            "SELECT * FROM users WHERE deleted_at IS NULL AND id < $1 ORDER BY id DESC LIMIT $2",
        )
        .bind(after)
        .bind(i64::from(page.limit) + 1)
        .fetch_all(&self.pool)
        .await?;
        let users = rows.iter().map(user).collect::<Result<_, _>>()?;
        Ok(Page::cut(users, page.limit, |user: &User| user.id.clone()))
    }

    /// What a user may do, unless disabled or deleted.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn active_account(&self, id: &UserId) -> Result<Option<Account>, Error> {
        let found = sqlx::query(
            "SELECT is_admin, generation FROM users WHERE id = $1 AND disabled_at IS NULL",
        )
        .bind(id.as_str())
        .fetch_optional(&self.pool)
        .await?;
        let account = |found: AnyRow| {
            let is_admin = row::flag(&found, "is_admin")?;
            Ok(Account { is_admin, generation: row::number(&found, "generation")? })
        };
        found.map(account).transpose()
    }

    /// The hash of a user's password.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn password_hash(&self, id: &UserId) -> Result<Option<String>, Error> {
        let found =
            sqlx::query("SELECT password_hash FROM users WHERE id = $1 AND deleted_at IS NULL")
                .bind(id.as_str())
                .fetch_optional(&self.pool)
                .await?;
        found.map(|found| row::text(&found, "password_hash")).transpose()
    }

    /// Of the administrators who can sign in, the one who was made first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn first_admin(&self) -> Result<Option<User>, Error> {
        let found = sqlx::query(
            "SELECT * FROM users WHERE is_admin = 1 AND disabled_at IS NULL ORDER BY id LIMIT 1",
        )
        .fetch_optional(&self.pool)
        .await?;
        found.as_ref().map(user).transpose()
    }

    /// True when there is nobody yet.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_no_users(&self) -> Result<bool, Error> {
        let found = sqlx::query("SELECT id FROM users WHERE deleted_at IS NULL LIMIT 1");
        Ok(found.fetch_optional(&self.pool).await?.is_none())
    }
}

fn user(found: &AnyRow) -> Result<User, Error> {
    Ok(User {
        id: row::parsed(found, "id", UserId::parse)?,
        username: row::parsed(found, "username", |text| Username::parse(text).ok())?,
        is_admin: row::flag(found, "is_admin")?,
        created_at: row::moment(found, "created_at")?,
        disabled_at: row::optional_moment(found, "disabled_at")?,
        generation: row::number(found, "generation")?,
    })
}
