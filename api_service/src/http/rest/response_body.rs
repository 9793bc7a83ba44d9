//! Answers on their way out: put into words aside when they are long, and sent in pieces.

use actix_web::HttpResponse;
use actix_web::HttpResponseBuilder;
use actix_web::body::SizedStream;
use actix_web::http::StatusCode;
use actix_web::http::header::{ACCEPT_RANGES, CONTENT_RANGE};
use actix_web::web::{self, Bytes};
use futures::stream;
use serde::Serialize;

use crate::domain::byte_range::Part;
use crate::http::extract::AnswerRoom;
use crate::http::memory_budget::FREE;
use crate::services::Error;

/// An answer of more bytes than about so many is written aside: 16 MiB of results take tens of
/// milliseconds, and everybody else whose connection has the same thread would wait for that. What an
/// ordinary run writes at most takes one or two, and on a busy machine another thread may have to wait that
/// long for a processor.
const ASIDE: usize = 4 << 20;
/// The server copies what it sends, a piece at a time: 16 MiB at once would take it 10 ms and as much memory
/// again.
const PIECE: usize = 256 << 10;

/// For [`json`]: an answer of some fields.
pub(super) const SHORT: usize = 1 << 10;

/// The JSON of what `make` makes, of about `length` bytes.
///
/// # Errors
/// When it is not JSON.
pub(in crate::http::rest) async fn json<T: Serialize>(
    length: usize,
    make: impl FnOnce() -> Result<T, serde_json::Error> + Send + 'static,
) -> Result<Bytes, Error> {
    let write = move || {
        let mut text = Vec::with_capacity(length);
        serde_json::to_writer(&mut text, &make()?)?;
        Ok(Bytes::from(text))
    };
    let written = if length <= ASIDE {
        write()
    } else {
        let aside = web::block(write).await;
        aside.map_err(|_| Error::Fault("an answer was not written to its end"))?
    };
    written.map_err(|_: serde_json::Error| Error::Fault("an answer is not JSON"))
}

/// A response with this body, which has `room` until it has been sent.
pub(super) fn respond(
    response: &mut HttpResponseBuilder,
    body: Bytes,
    room: Option<AnswerRoom>,
) -> HttpResponse {
    if body.len() <= FREE {
        return response.body(body);
    }
    let length = body.len() as u64;
    let pieces = stream::unfold((body, room), |(mut rest, room)| async {
        let piece = rest.split_to(rest.len().min(PIECE));
        (!piece.is_empty()).then_some((Ok::<_, Error>(piece), (rest, room)))
    });
    response.body(SizedStream::new(length, Box::pin(pieces)))
}

/// The beginning of a response with bytes, never to be shown: all `available` of them, or the part that was asked
/// for. Gives how many follow.
pub(super) fn bytes(part: Option<Part>, available: u64) -> (HttpResponseBuilder, u64) {
    let (status, length) = match part {
        Some(part) => (StatusCode::PARTIAL_CONTENT, part.length),
        None => (StatusCode::OK, available),
    };
    let mut response = HttpResponse::build(status);
    response.content_type("application/octet-stream").insert_header((ACCEPT_RANGES, "bytes"));
    if let Some(Part { first, length }) = part {
        let last = first + length - 1;
        response.insert_header((CONTENT_RANGE, format!("bytes {first}-{last}/{available}")));
    }
    (response, length)
}

#[cfg(test)]
mod tests {
    use std::thread;

    use actix_web::HttpResponse;
    use actix_web::body::{BodySize, MessageBody, to_bytes};

    use super::*;

    /// The JSON of an answer, and whether another thread has written it.
    async fn written(length: usize) -> (Bytes, bool) {
        let (here, (told, where_)) = (thread::current().id(), std::sync::mpsc::channel());
        let make = move || {
            told.send(thread::current().id()).expect("somebody listens");
            Ok("x".repeat(length))
        };
        let text = json(length, make).await.expect("it is JSON");
        (text, where_.recv().expect("it was made") != here)
    }

    #[tokio::test]
    async fn only_long_answers_are_written_aside() {
        assert_eq!(written(3).await, (Bytes::from_static(b"\"xxx\""), false));
        let (text, aside) = written(ASIDE + 1).await;
        assert!(aside && text.len() == ASIDE + 3);
    }

    #[tokio::test]
    async fn a_long_answer_is_sent_in_pieces_and_whole() {
        let text: Vec<u8> = (0..3 * PIECE + 5).map(|number| number as u8).collect();
        let send = || respond(&mut HttpResponse::Ok(), Bytes::from(text.clone()), None).into_body();
        assert_eq!(send().size(), BodySize::Sized(text.len() as u64));
        let mut body = Box::pin(send());
        let first = std::future::poll_fn(|context| body.as_mut().poll_next(context)).await;
        assert_eq!(first.map(|piece| piece.expect("a piece").len()), Some(PIECE));
        assert!(to_bytes(send()).await.expect("all of it") == text);
    }
}
