//! The `Prefer` header (RFC 7240), of which we know one preference.

use std::convert::Infallible;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

const HEADER: &str = "prefer";

/// The preference, as it is written.
pub const RESPOND_ASYNC: &str = "respond-async";

/// Whether the caller prefers not to wait.
pub struct RespondAsync(pub bool);

impl FromRequest for RespondAsync {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let values = request.headers().get_all(HEADER).filter_map(|value| value.to_str().ok());
        let mut preferences = values.flat_map(|value| value.split(','));
        ready(Ok(Self(preferences.any(|one| {
            let name = one.split([';', '=']).next().unwrap_or_default();
            name.trim().eq_ignore_ascii_case(RESPOND_ASYNC)
        }))))
    }
}
