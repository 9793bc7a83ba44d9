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
    /// Since when no credential of the user is good, if so.
    pub disabled_at: Option<Timestamp>,
    /// Sign-ins of an earlier generation are over: it grows when the password changes and when the
    /// user is disabled.
    pub generation: i64,
}

/// What of a user every request depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    /// May do what administrators may.
    pub is_admin: bool,
    /// As in [`User`].
    pub generation: i64,
}

/// What became of a change that could leave nobody to administer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// The user cannot sign in any more.
    Done,
    /// There is no such user.
    NoSuchUser,
    /// There is no other administrator who can sign in: nothing was changed.
    LastAdmin,
}
