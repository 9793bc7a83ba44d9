//! Whether the caller may do what this route does. It is part of the route: looked up by the path,
//! a second reader of the path would decide, and `/v1/%75sers` is another path to that one.

use actix_web::body::{BoxBody, EitherBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpResponse};

use crate::domain::caller::Caller;
use crate::domain::scope::Access;
use crate::http::failure::Failure;
use crate::services;

/// Lets through callers who hold what `access` asks for; nobody, where no caller was recognised.
///
/// # Errors
/// What is inside does not answer.
pub async fn authorize(
    access: Access,
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<EitherBody<BoxBody>>, Error> {
    let verdict = match request.extensions().get::<Caller>() {
        Some(caller) => match caller.missing_for(access) {
            Some(scope) => Err(Failure::Service(services::Error::ScopeMissing(scope))),
            None => Ok(()),
        },
        None => Err(Failure::NoCredential),
    };
    match verdict {
        Ok(()) => next.call(request).await.map(ServiceResponse::map_into_left_body),
        Err(error) => {
            Ok(request.into_response(HttpResponse::from_error(error)).map_into_right_body())
        }
    }
}
