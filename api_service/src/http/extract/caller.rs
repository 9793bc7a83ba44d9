//! Who is asking, as the middleware found out before the body was read.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};

use crate::domain::caller::Caller;
use crate::http::failure::Failure;

/// The caller of a route that needs a credential.
pub struct CurrentCaller(pub Caller);

impl FromRequest for CurrentCaller {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let caller = request.extensions().get::<Caller>().cloned();
        ready(caller.map(Self).ok_or(Failure::NoCredential))
    }
}
