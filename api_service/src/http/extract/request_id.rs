//! The id under which this request stands in both services' logs.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::HeaderMap;
use actix_web::{FromRequest, HttpRequest};
use uuid::Uuid;

use crate::http::failure::Failure;
use crate::telemetry;

/// The header that carries it, in requests and in answers.
pub const HEADER: &str = "x-request-id";
/// Longest id that is taken over from a caller, in characters.
const MAX_LENGTH: usize = 64;

/// A request's id.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

impl RequestId {
    /// The caller's own, when it is sane, or a new one.
    pub fn of(headers: &HeaderMap) -> Self {
        let sent = headers.get(HEADER).and_then(|value| value.to_str().ok());
        match sent.filter(|id| is_sane(id)) {
            Some(id) => Self(id.to_owned()),
            None => Self(Uuid::new_v4().simple().to_string()),
        }
    }
}

fn is_sane(id: &str) -> bool {
    let sane = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=MAX_LENGTH).contains(&id.len()) && id.bytes().all(sane)
}

impl FromRequest for RequestId {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(_: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self(telemetry::current_request_id())))
    }
}
