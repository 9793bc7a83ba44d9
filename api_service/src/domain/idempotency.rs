//! "Do this once", across retries, disconnects and crashes.

use crate::domain::ids::{ExecutionId, UserId};

/// Longest key, in characters.
pub const MAX_KEY: usize = 255;

/// What the caller calls this request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// Checks a header's value.
    ///
    /// # Errors
    /// What the key must look like.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let printable = text.bytes().all(|byte| byte.is_ascii_graphic());
        if text.is_empty() || text.len() > MAX_KEY || !printable {
            return Err("must be 1 to 255 printable ASCII characters without spaces");
        }
        Ok(Self(text.to_owned()))
    }

    /// As it was sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Where a key counts: two users, or two routes, may use the same key for different things.
#[derive(Debug, Clone)]
pub struct Reservation {
    /// Who sent it.
    pub user: UserId,
    /// To which route.
    pub route: &'static str,
    /// The key.
    pub key: IdempotencyKey,
    /// SHA-256 of the body, in hex: the same key with another body is a mistake.
    pub fingerprint: String,
    /// The execution that it begins, where it begins one.
    pub execution: Option<ExecutionId>,
}

/// What is known of a key that was used before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Earlier {
    /// The same key came with another body.
    OtherBody,
    /// The first request is still running.
    InProgress,
    /// The first request was cut off; nobody knows how far it got, but this is what it began.
    Unknown(Option<ExecutionId>),
    /// The first request's answer, sealed.
    Answered {
        /// Its status.
        status: u16,
        /// Its body, as the service sealed it.
        sealed_body: String,
    },
}
