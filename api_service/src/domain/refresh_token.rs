//! The long-lived half of a sign-in.

use crate::domain::ids::{FamilyId, UserId};
use crate::domain::timestamp::Timestamp;

/// A refresh token as it is kept: by its hash, so that a copy of the database signs nobody in.
#[derive(Debug, Clone)]
pub struct RefreshToken {
    /// SHA-256 of the secret, in hex.
    pub hash: String,
    /// All tokens that descend from one sign-in; revoked together.
    pub family: FamilyId,
    /// Whose it is.
    pub user: UserId,
    /// The user's generation when the sign-in began; in a later one it is refused.
    pub generation: i64,
    /// From then on it is refused.
    pub expires_at: Timestamp,
}

/// What became of a token that was presented for rotation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rotation {
    /// It was good; its successor is stored. It is of this user's sign-in of that generation.
    Rotated(UserId, i64),
    /// It had been used before: somebody holds a copy. The whole family is revoked now.
    Reused(FamilyId),
    /// Unknown, expired or revoked.
    Refused,
}
