//! Server-sent events: numbered, named, with JSON as their data.
//!
//! A reader takes them at its own pace. The body asks for the next event when the one before it is on its way, so a
//! slow reader holds up nothing but itself; one that takes nothing at all is hung up on by the bound that every
//! connection has. What is lost to it meanwhile is the source's to say.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::body::BodyStream;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::{Bytes, BytesMut};
use futures::Stream;
use serde::Serialize;
use tokio::time::{Instant, Sleep, sleep};

/// The media type.
pub const MEDIA_TYPE: &str = "text/event-stream";

/// A line that means nothing is sent when nothing else was for so long: proxies take silence for death.
const HEARTBEAT: Duration = Duration::from_secs(15);
const HEARTBEAT_LINE: &[u8] = b": heartbeat\n\n";
/// Events that are there at once go out together, up to about so many bytes.
const FULL: usize = 32 << 10;
/// The server copies what it sends, a piece at a time.
const PIECE: usize = 256 << 10;

/// One event.
#[derive(Debug, Clone)]
pub struct Event {
    id: Option<u64>,
    name: &'static str,
    data: Bytes,
}

impl Event {
    /// With this number, or with none: then a reader who comes back goes on after the last that had one.
    ///
    /// # Errors
    /// When the data is not JSON.
    pub fn new(
        id: Option<u64>,
        name: &'static str,
        data: &impl Serialize,
    ) -> Result<Self, serde_json::Error> {
        Ok(Self { id, name, data: serde_json::to_vec(data)?.into() })
    }

    /// The same, of data that is JSON already.
    pub fn of_json(id: Option<u64>, name: &'static str, data: Bytes) -> Self {
        Self { id, name, data }
    }

    /// Everything before the data.
    fn write_head(&self, buffer: &mut BytesMut) {
        if let Some(id) = self.id {
            buffer.extend_from_slice(format!("id: {id}\n").as_bytes());
        }
        buffer.extend_from_slice(b"event: ");
        buffer.extend_from_slice(self.name.as_bytes());
        buffer.extend_from_slice(b"\ndata: ");
    }
}

/// Answers with `events` as they come, to their end. Dropped when the reader has gone.
pub fn respond(events: impl Stream<Item = Event> + 'static) -> HttpResponse {
    HttpResponse::Ok()
        .content_type(MEDIA_TYPE)
        .insert_header((CACHE_CONTROL, "no-store"))
        // Some proxies gather answers unless they are told not to.
        .insert_header(("X-Accel-Buffering", "no"))
        .body(BodyStream::new(Encoded::new(events)))
}

struct Encoded<S> {
    events: Pin<Box<S>>,
    buffer: BytesMut,
    /// What is left of the data of a long event.
    rest: Bytes,
    heartbeat: Pin<Box<Sleep>>,
    ended: bool,
}

impl<S: Stream<Item = Event>> Encoded<S> {
    fn new(events: S) -> Self {
        Self {
            events: Box::pin(events),
            buffer: BytesMut::new(),
            rest: Bytes::new(),
            heartbeat: Box::pin(sleep(HEARTBEAT)),
            ended: false,
        }
    }

    /// JSON has no line breaks but between its parts, where they mean nothing and would end the event's line.
    fn take_in(&mut self, event: Event) {
        event.write_head(&mut self.buffer);
        if event.data.len() > FULL && !event.data.iter().any(|byte| is_line_break(*byte)) {
            self.rest = event.data;
            return;
        }
        self.buffer.extend(event.data.iter().copied().filter(|byte| !is_line_break(*byte)));
        self.buffer.extend_from_slice(b"\n\n");
    }

    /// The next piece that is ready; `None` when nothing is.
    fn piece(&mut self, context: &mut Context<'_>) -> Option<Bytes> {
        while self.rest.is_empty() && !self.ended && self.buffer.len() < FULL {
            match self.events.as_mut().poll_next(context) {
                Poll::Ready(Some(event)) => self.take_in(event),
                Poll::Ready(None) => self.ended = true,
                Poll::Pending => break,
            }
        }
        if !self.buffer.is_empty() {
            return Some(self.buffer.split().freeze());
        }
        if self.rest.is_empty() {
            return None;
        }
        let piece = self.rest.split_to(self.rest.len().min(PIECE));
        if self.rest.is_empty() {
            self.buffer.extend_from_slice(b"\n\n");
        }
        Some(piece)
    }
}

fn is_line_break(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

impl<S: Stream<Item = Event>> Stream for Encoded<S> {
    type Item = Result<Bytes, Infallible>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if let Some(piece) = this.piece(context) {
            this.heartbeat.as_mut().reset(Instant::now() + HEARTBEAT);
            return Poll::Ready(Some(Ok(piece)));
        }
        if this.ended {
            return Poll::Ready(None);
        }
        if this.heartbeat.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        this.heartbeat.as_mut().reset(Instant::now() + HEARTBEAT);
        Poll::Ready(Some(Ok(Bytes::from_static(HEARTBEAT_LINE))))
    }
}

#[cfg(test)]
mod tests {
    use futures::{StreamExt, stream};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    /// What a reader understands: number, name and data of each event.
    fn read(text: &str) -> Vec<(Option<u64>, String, Value)> {
        let blocks = text.split_terminator("\n\n").filter(|block| !block.starts_with(':'));
        blocks
            .map(|block| {
                let field = |name: &str| {
                    let mut lines = block.lines().filter_map(|line| line.strip_prefix(name));
                    lines.next().map(str::to_owned)
                };
                let id = field("id: ").map(|id| id.parse().unwrap());
                let data = field("data: ").unwrap();
                (id, field("event: ").unwrap(), serde_json::from_str(&data).unwrap())
            })
            .collect()
    }

    async fn written(events: Vec<Event>) -> Vec<u8> {
        let pieces: Vec<_> = Encoded::new(stream::iter(events)).collect().await;
        pieces.into_iter().flat_map(|piece| piece.unwrap()).collect()
    }

    proptest! {
        /// Whatever the text, with line breaks of all kinds, and however long: it is read as it was.
        #[test]
        fn what_is_written_is_read(
            texts in prop::collection::vec((any::<Option<u64>>(), any::<String>(), 1..9_usize), 0..6),
        ) {
            let sent: Vec<_> = texts
                .into_iter()
                .map(|(id, text, times)| (id, json!({"text": text.repeat(times * 700)})))
                .collect();
            let events = sent
                .iter()
                .map(|(id, data)| Event::new(*id, "stdout", data).unwrap())
                .collect();
            let bytes = tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .build()
                .unwrap()
                .block_on(written(events));
            let found = read(std::str::from_utf8(&bytes).unwrap());
            let sent: Vec<_> =
                sent.into_iter().map(|(id, data)| (id, "stdout".to_owned(), data)).collect();
            prop_assert_eq!(found, sent);
        }
    }

    #[tokio::test]
    async fn json_over_several_lines_is_one_line() {
        let data = Bytes::from_static(b"{\r\n  \"a\": [1,\n2]\n}");
        let bytes = written(vec![Event::of_json(Some(7), "finished", data)]).await;
        let found = read(std::str::from_utf8(&bytes).unwrap());
        assert_eq!(found, [(Some(7), "finished".to_owned(), json!({"a": [1, 2]}))]);
    }

    #[tokio::test]
    async fn a_long_event_is_sent_in_pieces() {
        let long = json!("x".repeat(3 * PIECE));
        let event = Event::new(None, "finished", &long).unwrap();
        let pieces: Vec<_> = Encoded::new(stream::iter([event])).collect().await;
        assert!(pieces.iter().all(|piece| piece.as_ref().unwrap().len() <= PIECE));
        let all: Vec<u8> = pieces.into_iter().flat_map(|piece| piece.unwrap()).collect();
        assert_eq!(read(std::str::from_utf8(&all).unwrap())[0].2, long);
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_broken_by_heartbeats() {
        let mut silent = Box::pin(Encoded::new(stream::pending()));
        for _ in 0..3 {
            let begun = Instant::now();
            let piece = silent.next().await.unwrap().unwrap();
            assert_eq!(piece, HEARTBEAT_LINE);
            assert_eq!(begun.elapsed().as_secs(), HEARTBEAT.as_secs());
        }
    }
}
