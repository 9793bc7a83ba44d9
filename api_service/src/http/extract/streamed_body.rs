//! A body that is handed on while it comes: it is never in memory as a whole.

use std::future::{Ready, ready};
use std::pin::Pin;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_LENGTH, HeaderMap};
use actix_web::web::{Bytes, BytesMut};
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use futures::{Stream, StreamExt};

use super::body::{self, BodyBudget, BodyTimeout};
use crate::domain::caller::Caller;
use crate::http::failure::Failure;
use crate::http::memory_budget::MemoryPermit;

/// What one such body takes of the memory for bodies, if it is large: the pieces that wait to be sent on.
const IN_MEMORY: usize = 512 << 10;

type Chunks = Pin<Box<dyn Stream<Item = Result<Bytes, Failure>>>>;

/// A body of any length and type.
pub struct StreamedBody {
    /// How many bytes it says that it has.
    pub announced: Option<u64>,
    payload: Payload,
    headers: HeaderMap,
    patience: Duration,
    permit: Option<MemoryPermit>,
}

/// The bytes of a body, or of a part of one, in pieces of the size that they are sent on in.
pub struct Pieces {
    chunks: Chunks,
    most: usize,
    gathered: BytesMut,
    patience: Duration,
}

impl FromRequest for StreamedBody {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        ready(Self::of(request, payload.take()))
    }
}

impl StreamedBody {
    fn of(request: &HttpRequest, payload: Payload) -> Result<Self, Failure> {
        body::refuse_encoded(request)?;
        let headers = request.headers().clone();
        let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
        let announced = announced.and_then(|text| text.parse::<u64>().ok());
        let most = announced.and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(usize::MAX);
        let user = request.extensions().get::<Caller>().map(|caller| caller.user.clone());
        let mut permit = request.app_data::<BodyBudget>().map(|budget| budget.0.enter(user));
        if let Some(permit) = &mut permit {
            permit.grow_to(most.min(IN_MEMORY)).map_err(|_| Failure::BodiesFull)?;
        }
        // An application that was put together without these reads no bodies.
        let patience = request.app_data::<BodyTimeout>().map_or(Duration::ZERO, |most| most.0);
        Ok(Self { announced, payload, headers, patience, permit })
    }

    /// All of it, in pieces of `most` bytes; what is to be kept until it was read comes along.
    pub fn pieces(self, most: usize) -> (Pieces, impl Sized + use<>) {
        let chunks = self.payload.map(|chunk| chunk.map_err(|_| Failure::BodyBroken));
        (Pieces::new(chunks, most, self.patience), self.permit)
    }

    /// As the parts of a form; what is to be kept until they were read comes along.
    pub fn parts(self) -> (actix_multipart::Multipart, Duration, impl Sized + use<>) {
        let form = actix_multipart::Multipart::new(&self.headers, self.payload);
        (form, self.patience, self.permit)
    }
}

impl Pieces {
    /// Of `chunks` as they come, each within `patience`.
    pub fn new(
        chunks: impl Stream<Item = Result<Bytes, Failure>> + 'static,
        most: usize,
        patience: Duration,
    ) -> Self {
        Self { chunks: Box::pin(chunks.fuse()), most, gathered: BytesMut::new(), patience }
    }

    /// Reads what is left and forgets it: many callers hear of nothing before they have sent all. Those who send very
    /// much, or slowly, are hung up on.
    pub async fn discard(&mut self) {
        const MOST: usize = 128 << 20;
        const PATIENCE: Duration = Duration::from_secs(1);
        let mut read = 0;
        while read < MOST
            && let Ok(Some(Ok(chunk))) = tokio::time::timeout(PATIENCE, self.chunks.next()).await
        {
            read += chunk.len();
        }
    }

    /// The next piece; nothing after the last.
    ///
    /// # Errors
    /// When the body breaks off, or nothing of it comes for too long.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        while self.gathered.len() < self.most {
            let chunk = tokio::time::timeout(self.patience, self.chunks.next()).await;
            match chunk.map_err(|_| Failure::BodyTooSlow)?.transpose()? {
                Some(chunk) => self.gathered.extend_from_slice(&chunk),
                None => break,
            }
        }
        let piece = self.gathered.split_to(self.gathered.len().min(self.most));
        Ok(Some(piece.freeze()).filter(|piece| !piece.is_empty()))
    }
}

#[cfg(test)]
mod tests {
    use futures::stream;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn pieces_are_full_and_lose_nothing(
            chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..20),
            most in 1..50_usize,
        ) {
            let whole = chunks.concat();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
            let pieces = runtime.block_on(async {
                let chunks = chunks.into_iter().map(|chunk| Ok(Bytes::from(chunk)));
                let mut pieces = Pieces::new(stream::iter(chunks), most, Duration::from_secs(9));
                let mut all = Vec::new();
                while let Some(piece) = pieces.next().await.unwrap() {
                    all.push(piece);
                }
                all
            });
            prop_assert_eq!(pieces.concat(), whole);
            prop_assert!(pieces.iter().rev().skip(1).all(|piece| piece.len() == most));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_breaks_off_or_stands_still_is_no_end() {
        let broken = stream::iter([Ok(Bytes::from_static(b"a")), Err(Failure::BodyBroken)]);
        let mut pieces = Pieces::new(broken, 9, Duration::from_secs(1));
        assert!(matches!(pieces.next().await, Err(Failure::BodyBroken)));
        let mut pieces = Pieces::new(stream::pending(), 9, Duration::from_secs(1));
        assert!(matches!(pieces.next().await, Err(Failure::BodyTooSlow)));
    }
}
