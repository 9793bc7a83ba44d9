//! HEAD: what GET would answer, without the body.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::Error;
use actix_web::body::{BodySize, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::Next;
use actix_web::web::Bytes;

/// Lets go of the body before it is read: 64 MiB of output need not be fetched to be thrown away.
///
/// # Errors
/// What is inside does not answer.
pub async fn head<B: MessageBody>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B, Omitted>>, Error> {
    let omitted = request.method() == Method::HEAD;
    if omitted {
        // So that whatever has a GET has a HEAD, also what is not in our table of routes.
        request.head_mut().method = Method::GET;
    }
    let response = next.call(request).await?;
    Ok(response.map_body(|_, body| {
        if omitted { EitherBody::right(Omitted(body.size())) } else { EitherBody::left(body) }
    }))
}

/// A body that has a size and is not sent.
pub struct Omitted(BodySize);

impl MessageBody for Omitted {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        self.0
    }

    fn poll_next(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Infallible>>> {
        Poll::Ready(None)
    }
}
