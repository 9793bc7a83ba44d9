//! Reads a body, with bounds on its size, its time, and the memory of all bodies together.

use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use actix_web::web::BytesMut;
use actix_web::{HttpMessage, HttpRequest};
use futures::StreamExt;

use crate::domain::caller::Caller;
use crate::http::failure::Failure;
use crate::http::memory_budget::{MemoryBudget, MemoryPermit};

/// Largest body of this application, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct MaxBody(pub usize);

/// How long a whole body may take to arrive.
#[derive(Debug, Clone, Copy)]
pub struct BodyTimeout(pub Duration);

/// The memory for bodies of requests.
#[derive(Debug, Clone)]
pub struct BodyBudget(pub MemoryBudget);

/// A whole body, and its permit for memory for bodies: kept as long as the body is.
#[derive(Debug)]
pub(super) struct Body {
    pub(super) bytes: BytesMut,
    pub(super) permit: Option<MemoryPermit>,
}

/// The whole body, if it is not larger than the application allows.
pub(super) async fn read(request: &HttpRequest, payload: Payload) -> Result<Body, Failure> {
    // An application that was put together without these reads no bodies.
    let limit = request.app_data::<MaxBody>().map_or(0, |max| max.0);
    let patience = request.app_data::<BodyTimeout>().map_or(Duration::ZERO, |most| most.0);
    refuse_encoded(request)?;
    let announced = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let announced = announced.and_then(|text| text.parse::<usize>().ok()).unwrap_or_default();
    if announced > limit {
        return Err(Failure::BodyTooLarge(limit));
    }
    let user = request.extensions().get::<Caller>().map(|caller| caller.user.clone());
    let permit = request.app_data::<BodyBudget>().map(|budget| budget.0.enter(user));
    let reading = collect(payload, announced, limit, permit);
    tokio::time::timeout(patience, reading).await.unwrap_or(Err(Failure::BodyTooSlow))
}

/// Unpacked, a small body may be as large as memory; nobody has asked for it.
pub(super) fn refuse_encoded(request: &HttpRequest) -> Result<(), Failure> {
    let plain = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"identity");
    if request.headers().get_all(CONTENT_ENCODING).all(plain) {
        Ok(())
    } else {
        Err(Failure::ContentEncoding)
    }
}

async fn collect(
    mut payload: Payload,
    announced: usize,
    limit: usize,
    mut permit: Option<MemoryPermit>,
) -> Result<Body, Failure> {
    let mut bytes = BytesMut::with_capacity(announced.min(64 << 10));
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| Failure::BodyBroken)?;
        let length = bytes.len() + chunk.len();
        if length > limit {
            return Err(Failure::BodyTooLarge(limit));
        }
        if let Some(permit) = &mut permit {
            permit.grow_to(length).map_err(|_| Failure::BodiesFull)?;
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(Body { bytes, permit })
}

/// The media type of the body, without its parameters.
pub(super) fn media_type(request: &HttpRequest) -> String {
    let value = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = value.and_then(|text| text.split(';').next()).unwrap_or_default();
    essence.trim().to_ascii_lowercase()
}
