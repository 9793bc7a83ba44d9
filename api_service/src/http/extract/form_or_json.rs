//! A body that is a form or JSON.

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use futures::future::LocalBoxFuture;
use serde::de::DeserializeOwned;

use super::{body, json, shape_error};
use crate::http::failure::Failure;

/// A body in the shape of `T`, from a form or from JSON.
pub struct FormOrJson<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for FormOrJson<T> {
    type Error = Failure;
    type Future = LocalBoxFuture<'static, Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            match body::media_type(&request).as_str() {
                "application/json" => {
                    let body = body::read(&request, payload).await?;
                    json::shape(&body.bytes).map(Self)
                }
                "application/x-www-form-urlencoded" => {
                    let body = body::read(&request, payload).await?;
                    let pairs = form_urlencoded::parse(&body.bytes);
                    shape_error::named(serde_urlencoded::Deserializer::new(pairs), "body").map(Self)
                }
                _ => Err(Failure::WrongMediaType(
                    "application/x-www-form-urlencoded or application/json",
                )),
            }
        })
    }
}
