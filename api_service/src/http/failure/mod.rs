//! Why a request was not fulfilled, and what that means to its caller. A failure has one meaning,
//! whoever asks: `code` lists the kinds, `meaning` says which failure is of which, and a surface only
//! renders that; `problem` does it for our own. The cause of a fault of ours goes to the log, once,
//! and never into an answer.

mod code;
mod meaning;
pub mod problem;

use std::fmt::Write;

use actix_web::http::Method;
use thiserror::Error;

pub use self::code::{Code, Row};
pub use self::meaning::Meaning;
use crate::domain::field_error::FieldError;
use crate::services;

/// Why a request was not fulfilled.
#[derive(Debug, Error)]
pub enum Failure {
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
    /// The body is compressed.
    #[error("the body is compressed")]
    ContentEncoding,
    /// The body is larger than the operator allows.
    #[error("the body is too large")]
    BodyTooLarge(usize),
    /// The body did not arrive in time.
    #[error("the body took too long")]
    BodyTooSlow,
    /// Bodies of other requests take all the memory that there is for bodies.
    #[error("there is no memory for the body")]
    BodiesFull,
    /// Answers that nobody has read yet take all the memory that there is for answers.
    #[error("there is no memory for the answer")]
    AnswersFull,
    /// The connection broke while the body was read.
    #[error("the body could not be read")]
    BodyBroken,
    /// There is no credential.
    #[error("no credential")]
    NoCredential,
    /// There are several credentials.
    #[error("several credentials")]
    SeveralCredentials,
    /// A browser asked whether a page may send a request, and it may not.
    #[error("the preflight was refused: {0}")]
    PreflightRefused(String),
    /// A page of another origin wants a WebSocket.
    #[error("the origin is not allowed")]
    OriginRefused,
    /// The route speaks another protocol.
    #[error("the request is no upgrade to a WebSocket")]
    UpgradeNeeded,
    /// No such route.
    #[error("no such route")]
    NoSuchRoute,
    /// The route knows other methods.
    #[error("no such method on this route")]
    NoSuchMethod(Vec<Method>),
}

impl Failure {
    /// The chain of causes, for the log; `None` when the caller was told everything.
    pub fn cause(&self) -> Option<String> {
        let code = self.meaning().code;
        // A full workspace is the caller's own.
        if !code.row().status.is_server_error() || code == Code::DiskFull {
            return None;
        }
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            // Writing to a string cannot fail.
            let _ = write!(text, ": {error}");
            cause = error.source();
        }
        Some(text)
    }
}
