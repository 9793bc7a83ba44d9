//! Which of a user's sessions are wanted.

use crate::domain::session::SessionStatus;

/// Most wishes about metadata at once.
pub const MAX_WISHES: usize = 8;
/// Longest key, in bytes.
pub const MAX_KEY: usize = 128;
/// Longest value, in bytes.
pub const MAX_VALUE: usize = 1024;

/// A filter: all of it must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionFilter {
    /// Keys of the metadata, each with what it must be. A text is compared as it is, a number, true, false and null as
    /// JSON spells them; anything else is equal to nothing.
    pub metadata: Vec<(String, String)>,
    /// How they are.
    pub status: Option<SessionStatus>,
}

impl SessionFilter {
    /// Whether every session is wanted.
    pub fn takes_all(&self) -> bool {
        self.metadata.is_empty() && self.status.is_none()
    }

    /// Whether a session that is so may be wanted.
    pub fn takes_status(&self, status: SessionStatus) -> bool {
        self.status.is_none_or(|wanted| wanted == status)
    }
}
