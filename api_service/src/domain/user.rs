//! Somebody who can sign in.

use crate::domain::credentials::Username;
use crate::domain::ids::UserId;
use crate::domain::timestamp::Timestamp;

/// A user.
#[derive(Debug, Clone)]
pub struct User {
    /// Never reused.
    pub id: UserId,
    /// Unique.
    pub username: Username,
    /// May make other users.
    pub is_admin: bool,
    /// When it was made.
    pub created_at: Timestamp,
}
