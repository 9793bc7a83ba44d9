//! Which page of a list: `?limit=&cursor=`.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::web::Query;
use actix_web::{FromRequest, HttpRequest};
use serde::de::DeserializeOwned;

use crate::domain::field_error::FieldError;
use crate::error::ApiError;

/// Query parameters in the shape of `T`.
pub struct PageParams<T>(pub T);

impl<T: DeserializeOwned> FromRequest for PageParams<T> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let query = Query::<T>::from_query(request.query_string());
        ready(query.map(|query| Self(query.into_inner())).map_err(|error| {
            let msg = match error {
                actix_web::error::QueryPayloadError::Deserialize(why) => why.to_string(),
                other => other.to_string(),
            };
            ApiError::Invalid(vec![FieldError::new("query", msg)])
        }))
    }
}
