//! Who is asking: answered before a byte of the body is read.

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, web};

use crate::domain::caller::Caller;
use crate::error::ApiError;
use crate::services::authenticator::Authenticator;

const API_KEY: &str = "x-api-key";
/// Longest credential that is looked at; ours have some 400 characters.
const MAX_CREDENTIAL: usize = 4096;

/// Lets through whom we know, and puts the caller where handlers find it. A path that does not exist
/// takes a credential, too: what exists is nobody's business but a caller's.
///
/// # Errors
/// What is inside does not answer.
pub async fn authenticate(
    authenticator: web::Data<Authenticator>,
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody>>, Error> {
    match recognise(&authenticator, request.headers()).await {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.call(request).await.map(ServiceResponse::map_into_left_body)
        }
        Err(error) => {
            let response = actix_web::HttpResponse::from_error(error);
            Ok(request.into_response(response).map_into_right_body())
        }
    }
}

async fn recognise(authenticator: &Authenticator, headers: &HeaderMap) -> Result<Caller, ApiError> {
    let credential = credential(headers).ok_or(ApiError::NoCredential)?;
    Ok(authenticator.recognise(credential).await?)
}

fn credential(headers: &HeaderMap) -> Option<&str> {
    let text = match headers.get(AUTHORIZATION) {
        Some(value) => {
            let (scheme, rest) = value.to_str().ok()?.split_once(' ')?;
            if !scheme.eq_ignore_ascii_case("bearer") {
                return None;
            }
            rest.trim()
        }
        None => headers.get(API_KEY)?.to_str().ok()?,
    };
    (!text.is_empty() && text.len() <= MAX_CREDENTIAL).then_some(text)
}
