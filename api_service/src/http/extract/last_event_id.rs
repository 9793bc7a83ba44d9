//! The `Last-Event-ID` header: the number of the last event that a reader has.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use crate::domain::field_error::FieldError;
use crate::http::failure::Failure;

const HEADER: &str = "Last-Event-ID";

/// The number, if the caller sent one.
pub struct LastEventId(pub Option<u64>);

impl FromRequest for LastEventId {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let Some(value) = request.headers().get(HEADER) else {
            return ready(Ok(Self(None)));
        };
        let number = value.to_str().ok().and_then(|text| text.trim().parse().ok());
        let wrong = || FieldError::new(HEADER, "must be the id of an event: a whole number");
        ready(match number {
            Some(number) => Ok(Self(Some(number))),
            None => Err(Failure::Invalid(vec![wrong()])),
        })
    }
}
