//! The `Idempotency-Key` header.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use crate::domain::field_error::FieldError;
use crate::domain::idempotency::IdempotencyKey;
use crate::error::ApiError;

const HEADER: &str = "Idempotency-Key";

/// The key, if the caller sent one.
pub struct OptionalKey(pub Option<IdempotencyKey>);

impl FromRequest for OptionalKey {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let Some(value) = request.headers().get(HEADER) else {
            return ready(Ok(Self(None)));
        };
        // What is not text has no printable characters either.
        let key = IdempotencyKey::parse(value.to_str().unwrap_or_default());
        let key = key.map(|key| Self(Some(key)));
        ready(key.map_err(|msg| ApiError::Invalid(vec![FieldError::new(HEADER, msg)])))
    }
}
