//! The `Range` header.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{IF_RANGE, RANGE};
use actix_web::{FromRequest, HttpRequest};

use crate::domain::byte_range::ByteRange;
use crate::http::failure::Failure;

/// The one range that the caller asks for, if any.
pub struct OptionalRange(pub Option<ByteRange>);

impl FromRequest for OptionalRange {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let headers = request.headers();
        // A range on a condition: ours have nothing that one could name, so it does not hold.
        let header = headers.get(RANGE).filter(|_| !headers.contains_key(IF_RANGE));
        let header = header.and_then(|value| value.to_str().ok());
        ready(Ok(Self(header.and_then(ByteRange::parse))))
    }
}
