//! Which page of a list: `?limit=&cursor=`.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use serde::de::DeserializeOwned;

use super::misfit;
use crate::error::ApiError;

/// Query parameters in the shape of `T`.
pub struct PageParams<T>(pub T);

impl<T: DeserializeOwned> FromRequest for PageParams<T> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let pairs = form_urlencoded::parse(request.query_string().as_bytes());
        ready(misfit::named(serde_urlencoded::Deserializer::new(pairs), "query").map(Self))
    }
}
