//! A credential for programs.

use crate::domain::ids::{ApiKeyId, UserId};
use crate::domain::scope::Scope;
use crate::domain::timestamp::Timestamp;

/// Longest name, in characters.
pub const MAX_NAME: usize = 100;

/// Most keys of one user.
pub const MAX_KEYS: i64 = 100;

/// An API key as it is kept: everything but its secret.
#[derive(Debug, Clone)]
pub struct ApiKey {
    /// For listing and deleting.
    pub id: ApiKeyId,
    /// Whose it is.
    pub user: UserId,
    /// What its owner calls it.
    pub name: String,
    /// The first characters of the secret, so that an owner can tell keys apart.
    pub preview: String,
    /// What it allows.
    pub scopes: Vec<Scope>,
    /// When it was made.
    pub created_at: Timestamp,
    /// From then on it is refused.
    pub expires_at: Option<Timestamp>,
}

/// What a caller asks for.
#[derive(Debug, Clone)]
pub struct NewApiKey {
    /// What to call it.
    pub name: String,
    /// What it shall allow.
    pub scopes: Vec<Scope>,
    /// When it shall end, if ever.
    pub expires_at: Option<Timestamp>,
}
