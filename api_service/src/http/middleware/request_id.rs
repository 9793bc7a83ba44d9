//! Gives every request an id, and every answer the id of its request.

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;

use crate::http::extract::{REQUEST_ID_HEADER, RequestId};
use crate::telemetry;

/// Outermost: everything inside of it can ask for the id.
///
/// # Errors
/// What is inside does not answer.
pub async fn request_id(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let RequestId(id) = RequestId::of(request.headers());
    let header = HeaderValue::from_str(&id);
    let mut response = telemetry::within_request(id, next.call(request)).await?;
    if let Ok(value) = header {
        response.headers_mut().insert(HeaderName::from_static(REQUEST_ID_HEADER), value);
    }
    Ok(response)
}
