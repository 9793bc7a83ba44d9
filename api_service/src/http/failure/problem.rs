//! What an error looks like: RFC 9457.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::field_error::FieldError;
use crate::domain::queue::QueuePlace;

/// A problem (`application/problem+json`).
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// Names the kind of problem; stable.
    #[schema(example = "urn:crucible:problem:session_lost")]
    pub r#type: String,
    /// The kind of problem in words.
    pub title: &'static str,
    /// The HTTP status.
    #[schema(example = 410)]
    pub status: u16,
    /// This problem in words, and what to do about it.
    pub detail: String,
    /// The kind of problem as a word; stable.
    #[schema(example = "session_lost")]
    pub code: &'static str,
    /// Finds the request in the logs.
    pub request_id: String,
    /// The fields that are wrong; empty for other problems.
    pub errors: Vec<FieldProblem>,
    /// Where the run would have stood; only when it was refused because a queue is full.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue: Option<QueueProblem>,
}

/// A place in a queue that was full.
#[derive(Debug, Serialize, ToSchema)]
pub struct QueueProblem {
    /// Whose turn it would have been; 1 is next. All users are served in turn, so with 503 this may be
    /// far before the end of the queue.
    #[schema(example = 5)]
    pub position: u64,
    /// Runs that wait: with 429 the caller's own, with 503 those of all users.
    #[schema(example = 64)]
    pub length: u64,
}

impl QueueProblem {
    /// From the domain.
    pub fn of(place: QueuePlace) -> Self {
        let QueuePlace { position, length } = place;
        Self { position, length }
    }
}

/// What is wrong with one field.
#[derive(Debug, Serialize, ToSchema)]
pub struct FieldProblem {
    /// Where it is.
    #[schema(example = "limits.memory_bytes")]
    pub loc: String,
    /// What is wrong, and what would be right.
    pub msg: String,
}

impl FieldProblem {
    /// From the domain.
    pub fn of(error: &FieldError) -> Self {
        let FieldError { loc, msg } = error.clone();
        Self { loc, msg }
    }
}
