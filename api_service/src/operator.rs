//! For whoever starts the service on one machine: the first administrator, and a token to begin
//! with.

use std::sync::Arc;

use anyhow::Context;

use crate::config::Settings;
use crate::services::access_tokens::AccessTokens;
use crate::services::passwords::Passwords;
use crate::services::users::{FirstAdmin, Users};
use crate::storage::Database;

/// Where the first administrator comes from.
#[derive(Clone, PartialEq, Eq)]
pub enum AdminBootstrap {
    /// There were users already.
    Existing,
    /// Made now, with the password of the settings.
    FromEnvironment {
        /// Whose.
        username: String,
    },
    /// Made now, with a password to be shown once: only its hash is kept.
    Generated {
        /// Whose.
        username: String,
        /// The password.
        password: String,
    },
}

/// Brings the database up to date, and makes the first administrator where there are no users.
///
/// # Errors
/// When the database cannot be used.
pub async fn ensure_admin(settings: &Settings) -> anyhow::Result<AdminBootstrap> {
    let database = open(settings).await?;
    let users =
        Users { database: database.clone(), passwords: Passwords::new()?, recent: Arc::default() };
    let admin = users
        .ensure_admin(settings.admin_username.clone(), settings.admin_password.clone())
        .await
        .context("the first administrator cannot be made")?;
    database.close().await;
    Ok(match admin {
        FirstAdmin::Existing => AdminBootstrap::Existing,
        FirstAdmin::Made(username) => {
            AdminBootstrap::FromEnvironment { username: username.to_string() }
        }
        FirstAdmin::MadeWithPassword(username, password) => {
            AdminBootstrap::Generated { username: username.to_string(), password }
        }
    })
}

/// An access token of the first administrator, good for `ACCESS_TOKEN_EXPIRE_MINUTES`.
///
/// # Errors
/// When the database cannot be used, or has no administrator.
pub async fn operator_token(settings: &Settings) -> anyhow::Result<String> {
    let database = open(settings).await?;
    let admin = database.first_admin().await?.context("there is no administrator yet")?;
    database.close().await;
    let key = settings.secret_key.expose().as_bytes();
    Ok(AccessTokens::new(key, settings.access_token_lifetime).issue(&admin)?)
}

async fn open(settings: &Settings) -> anyhow::Result<Database> {
    Database::connect(settings.database_url.expose())
        .await
        .context("the database of DATABASE_URL cannot be used")
}
