//! A failure as a problem document: RFC 9457.

use actix_web::http::Method;
use actix_web::http::StatusCode;
use actix_web::http::header::{
    ALLOW, CONTENT_RANGE, HeaderValue, RETRY_AFTER, UPGRADE, WWW_AUTHENTICATE,
};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};

use super::{Code, Failure, Meaning};
use crate::domain::field_error::FieldError;
use crate::domain::queue::QueuePlace;
use crate::telemetry;

/// The media type of a problem.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// A problem (`application/problem+json`).
#[derive(Debug, Serialize, ToSchema)]
#[schema(examples(json!({
    "type": "urn:crucible:problem:validation_failed", "title": "The request is not valid",
    "status": 422, "detail": "limits.memory_bytes: must be at least 1",
    "code": "validation_failed", "request_id": "1c5b36a1f0f14fdd8a0a8e3a1d2b3c4d",
    "errors": [{"loc": "limits.memory_bytes", "msg": "must be at least 1"}]
})))]
pub struct Problem {
    /// Names the kind of problem; stable.
    #[schema(example = "urn:crucible:problem:session_lost")]
    pub r#type: String,
    /// The kind of problem in words.
    pub title: &'static str,
    /// The HTTP status.
    #[schema(example = 410, minimum = 400, maximum = 599)]
    pub status: u16,
    /// This problem in words, and what to do about it.
    pub detail: String,
    /// The kind of problem as a word; stable.
    #[schema(schema_with = codes)]
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

fn codes() -> Object {
    let names = Code::ALL.iter().map(|code| code.row().name);
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some("The kind of problem as a word; stable."))
        .enum_values(Some(names))
        .build()
}

impl Problem {
    /// Of `failure`, in the request `request_id`.
    pub fn of(failure: &Failure, request_id: String) -> Self {
        let Meaning { code, detail, retry_after: _, fields, queue, methods: _, available: _ } =
            failure.meaning();
        let row = code.row();
        Self {
            r#type: format!("urn:crucible:problem:{}", row.name),
            title: row.title,
            status: row.status.as_u16(),
            detail: detail.into_owned(),
            code: row.name,
            request_id,
            errors: fields.iter().map(FieldProblem::of).collect(),
            queue: queue.map(QueueProblem::of),
        }
    }
}

impl ResponseError for Failure {
    fn status_code(&self) -> StatusCode {
        self.meaning().code.row().status
    }

    fn error_response(&self) -> HttpResponse {
        let Meaning { code, retry_after, methods, available, .. } = self.meaning();
        let row = code.row();
        let mut response = HttpResponse::build(row.status);
        response.content_type(MEDIA_TYPE);
        if row.status == StatusCode::UNAUTHORIZED {
            response.insert_header((WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")));
        }
        if row.status == StatusCode::UPGRADE_REQUIRED {
            response.insert_header((UPGRADE, HeaderValue::from_static("websocket")));
        }
        if let Some(after) = retry_after {
            let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
            response.insert_header((RETRY_AFTER, seconds.max(1)));
        }
        if !methods.is_empty() {
            let names: Vec<&str> = methods.iter().map(Method::as_str).collect();
            response.insert_header((ALLOW, names.join(", ")));
        }
        if let Some(available) = available {
            response.insert_header((CONTENT_RANGE, format!("bytes */{available}")));
        }
        response.json(Problem::of(self, telemetry::current_request_id()))
    }
}
