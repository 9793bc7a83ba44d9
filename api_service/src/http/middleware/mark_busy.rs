//! Tells a connection when it has a request, so that it is not taken for idle meanwhile.

use actix_web::Error;
use actix_web::body::{BodySize, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;

use crate::http::connections::ConnectionSlot;

/// From the head of the request to its answer. An answer that is a stream may take as long as it
/// takes; any other must be taken by its reader in the time that a connection may be idle.
///
/// # Errors
/// What is inside does not answer.
pub async fn mark_busy(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let busy = request.conn_data::<ConnectionSlot>().map(ConnectionSlot::busy);
    let response = next.call(request).await?;
    match (response.response().body().size(), busy) {
        (BodySize::Stream, Some(busy)) => busy.streams_on(),
        (BodySize::None | BodySize::Sized(_) | BodySize::Stream, _) => {}
    }
    Ok(response)
}
