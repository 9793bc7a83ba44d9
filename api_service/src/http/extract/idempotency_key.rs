//! The `Idempotency-Key` header.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use crate::domain::field_error::FieldError;
use crate::domain::idempotency::IdempotencyKey;
use crate::http::failure::Failure;

const HEADER: &str = "Idempotency-Key";

/// The key, if the caller sent one.
pub struct OptionalKey(pub Option<IdempotencyKey>);

impl FromRequest for OptionalKey {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let mut values = request.headers().get_all(HEADER);
        let key = match (values.next(), values.next()) {
            (None, _) => return ready(Ok(Self(None))),
            // What is not text has no printable characters either.
            (Some(value), None) => IdempotencyKey::parse(value.to_str().unwrap_or_default()),
            // Whoever repeats this may send the other one first.
            (Some(_), Some(_)) => Err("must stand once"),
        };
        let key = key.map(|key| Self(Some(key)));
        ready(key.map_err(|msg| Failure::Invalid(vec![FieldError::new(HEADER, msg)])))
    }
}
