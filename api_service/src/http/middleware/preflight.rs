//! A preflight that is refused is a failure like any other: told as a problem.

use actix_cors::CorsError;
use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse};

use crate::http::failure::Failure;

/// Around the rules about other origins, whose own refusals are plain text.
///
/// # Errors
/// What is inside does not answer.
pub async fn preflight(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody>>, Error> {
    let response = next.call(request).await?;
    let refusal = response.response().error().and_then(|error| error.as_error::<CorsError>());
    match refusal.map(ToString::to_string) {
        None => Ok(response.map_into_left_body()),
        Some(why) => {
            let problem = HttpResponse::from_error(Failure::PreflightRefused(why));
            Ok(response.into_response(problem).map_into_right_body())
        }
    }
}
