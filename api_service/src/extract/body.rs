//! Reads a body, with bounds on its size and its time.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::web::BytesMut;
use futures::StreamExt;

use crate::error::ApiError;

/// How long a whole body may take to arrive.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// Largest body of this application, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct MaxBody(pub usize);

/// The whole body, if it is not larger than the application allows.
pub(super) async fn read(request: &HttpRequest, payload: Payload) -> Result<BytesMut, ApiError> {
    let limit = request.app_data::<MaxBody>().map_or(0, |max| max.0);
    let announced = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let announced = announced.and_then(|text| text.parse::<usize>().ok()).unwrap_or_default();
    if announced > limit {
        return Err(ApiError::BodyTooLarge(limit));
    }
    let reading = collect(payload, announced, limit);
    tokio::time::timeout(READ_TIMEOUT, reading).await.unwrap_or(Err(ApiError::BodyTooSlow))
}

async fn collect(
    mut payload: Payload,
    announced: usize,
    limit: usize,
) -> Result<BytesMut, ApiError> {
    let mut body = BytesMut::with_capacity(announced.min(64 << 10));
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| ApiError::BodyBroken)?;
        if body.len() + chunk.len() > limit {
            return Err(ApiError::BodyTooLarge(limit));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The media type of the body, without its parameters.
pub(super) fn media_type(request: &HttpRequest) -> String {
    let value = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = value.and_then(|text| text.split(';').next()).unwrap_or_default();
    essence.trim().to_ascii_lowercase()
}
