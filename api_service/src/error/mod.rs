//! Errors as callers see them. What each is called over HTTP stands in one table, `table`; no other
//! file knows the status code of an error. The cause of a fault of ours goes to the log, once, and
//! never into an answer.

mod table;

use std::fmt::Write;
use std::time::Duration;

use actix_web::http::header::{ALLOW, CONTENT_RANGE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpResponse, ResponseError};
use thiserror::Error;

use self::table::Row;
use crate::contract::problem::{FieldProblem, Problem, QueueProblem};
use crate::domain::field_error::FieldError;
use crate::domain::queue::QueuePlace;
use crate::services;
use crate::telemetry;

/// Between two looks at a request that is still running.
const IN_PROGRESS_RETRY_AFTER: Duration = Duration::from_secs(1);
/// Until a sign-in may get its turn, or other requests' bodies are done with.
const BUSY_RETRY_AFTER: Duration = Duration::from_secs(2);

/// Why a request was not fulfilled.
#[derive(Debug, Error)]
pub enum ApiError {
    /// A service did not do it.
    #[error(transparent)]
    Service(#[from] services::Error),
    /// Fields are wrong.
    #[error("the request is not valid")]
    Invalid(Vec<FieldError>),
    /// The body is not JSON at all.
    #[error("the body is not JSON: {0}")]
    NotJson(String),
    /// An object of the body has the same key twice.
    #[error("a key stands twice in one object")]
    DuplicateKey(FieldError),
    /// The body is nested too deeply.
    #[error("the body is nested too deeply")]
    TooDeep(FieldError),
    /// The body is made of too many values.
    #[error("the body has too many values")]
    TooManyValues(FieldError),
    /// The body has another type than the route reads.
    #[error("the body has an unsupported type")]
    WrongMediaType(&'static str),
    /// The body is larger than the operator allows.
    #[error("the body is too large")]
    BodyTooLarge(usize),
    /// The body did not arrive in time.
    #[error("the body took too long")]
    BodyTooSlow,
    /// Bodies of other requests take all the memory that there is for bodies.
    #[error("there is no room for the body")]
    NoRoomForBody,
    /// The connection broke while the body was read.
    #[error("the body could not be read")]
    BodyBroken,
    /// There is no credential.
    #[error("no credential")]
    NoCredential,
    /// No such route.
    #[error("no such route")]
    NoSuchRoute,
    /// The route knows other methods.
    #[error("no such method on this route")]
    NoSuchMethod(Vec<Method>),
}

impl ApiError {
    /// The fields that are wrong.
    fn fields(&self) -> &[FieldError] {
        match self {
            Self::Invalid(fields) => fields,
            Self::DuplicateKey(field)
            | Self::TooDeep(field)
            | Self::TooManyValues(field)
            | Self::Service(services::Error::Refused(field)) => std::slice::from_ref(field),
            _ => &[],
        }
    }

    fn listed_fields(&self) -> String {
        let mut text = String::new();
        for FieldError { loc, msg } in self.fields().iter().take(5) {
            let separator = if text.is_empty() { "" } else { "; " };
            // Writing to a string cannot fail.
            let _ = write!(text, "{separator}{loc}: {msg}");
        }
        text
    }

    fn retry_after(&self) -> Option<Duration> {
        use services::Error as E;
        match self {
            Self::Service(
                E::TooManyAttempts(after)
                | E::WorkerFull(after, _)
                | E::OwnerFull(after, _)
                | E::WorkerUnavailable(after, _),
            ) => Some(*after),
            Self::Service(E::KeyInProgress) => Some(IN_PROGRESS_RETRY_AFTER),
            Self::Service(E::SignInBusy | E::DatabaseBehind | E::GatewayStopping) => {
                Some(BUSY_RETRY_AFTER)
            }
            Self::Service(E::ExecutionUnknown(..)) | Self::NoRoomForBody => Some(BUSY_RETRY_AFTER),
            _ => None,
        }
    }

    /// Where the run would have stood, when a queue was full.
    fn queue(&self) -> Option<QueuePlace> {
        use services::Error as E;
        match self {
            Self::Service(E::WorkerFull(_, place) | E::OwnerFull(_, place)) => *place,
            _ => None,
        }
    }

    /// The chain of causes, for the log; `None` when the caller was told everything.
    pub fn cause(&self) -> Option<String> {
        if !self.row().status.is_server_error() {
            return None;
        }
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            let _ = write!(text, ": {error}");
            cause = error.source();
        }
        Some(text)
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.row().status
    }

    fn error_response(&self) -> HttpResponse {
        let Row { status, code, title, detail } = self.row();
        let mut response = HttpResponse::build(status);
        response.content_type("application/problem+json");
        if status == StatusCode::UNAUTHORIZED {
            response.insert_header((WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")));
        }
        if let Some(after) = self.retry_after() {
            let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
            response.insert_header((RETRY_AFTER, seconds.max(1)));
        }
        if let Self::NoSuchMethod(methods) = self {
            let names: Vec<&str> = methods.iter().map(Method::as_str).collect();
            response.insert_header((ALLOW, names.join(", ")));
        }
        if let Self::Service(services::Error::NoSuchRange(available)) = self {
            response.insert_header((CONTENT_RANGE, format!("bytes */{available}")));
        }
        response.json(Problem {
            r#type: format!("urn:crucible:problem:{code}"),
            title,
            status: status.as_u16(),
            detail,
            code,
            request_id: telemetry::current_request_id(),
            errors: self.fields().iter().map(FieldProblem::of).collect(),
            queue: self.queue().map(QueueProblem::of),
        })
    }
}
