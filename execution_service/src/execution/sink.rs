//! Where a run's events go.

use std::collections::BTreeMap;
use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio::sync::mpsc;

use super::event::{Event, RichResult};
use super::last_words::LastWords;
use super::stream::Stream;
use super::stream::StreamTotals;

/// The sending side of a run's events. It never waits: what a run can send is bounded by its output
/// limit and the bounds on results, and a caller who reads slowly must not hold up its deadline.
/// A receiver that is gone is no error here; the run's cancellation follows from it elsewhere.
pub struct Sink {
    events: mpsc::UnboundedSender<Event>,
    /// Bytes of both streams that an earlier step of the same run has written.
    before: (u64, u64),
    /// The program has cleared what it has shown; told with the next thing that it shows.
    cleared: AtomicBool,
    /// Of standard error, where somebody will ask.
    last_words: Option<Mutex<LastWords>>,
}

impl Sink {
    /// A pair, for one step.
    pub fn new() -> (Self, mpsc::UnboundedReceiver<Event>) {
        let (events, receiver) = mpsc::unbounded_channel();
        (Self::step(events, (0, 0)), receiver)
    }

    /// The same receiver, for the step after one that wrote so much.
    pub fn after(&self, stdout: StreamTotals, stderr: StreamTotals) -> Self {
        let before = (self.before.0 + stdout.bytes, self.before.1 + stderr.bytes);
        Self::step(self.events.clone(), before)
    }

    fn step(events: mpsc::UnboundedSender<Event>, before: (u64, u64)) -> Self {
        Self { events, before, cleared: AtomicBool::new(false), last_words: None }
    }

    /// What comes next takes the place of all that came before. Nothing is told of a clearing that nothing
    /// follows: the last state counts, and clearings alone must not fill the channel.
    pub fn clear(&self) {
        self.cleared.store(true, Ordering::Relaxed);
    }

    /// Keeps the end of standard error.
    pub fn remembering(self) -> Self {
        Self { last_words: Some(Mutex::default()), ..self }
    }

    /// The end of standard error, as far as it was kept; it is forgotten by this.
    pub fn last_words(&self) -> String {
        let Some(words) = &self.last_words else {
            return String::new();
        };
        mem::take(&mut *words.lock().unwrap_or_else(PoisonError::into_inner)).text()
    }

    /// Sends one event.
    pub fn send(&self, event: Event) {
        let shows = matches!(event, Event::Output { .. } | Event::Result(_));
        if shows && self.cleared.swap(false, Ordering::Relaxed) {
            let nothing = RichResult {
                mime: BTreeMap::new(),
                stored: BTreeMap::new(),
                is_main_result: false,
            };
            let _ = self.events.send(Event::Result(nothing));
        }
        let event = match event {
            Event::Output { stream, offset, data } => {
                if let (Stream::Stderr, Some(words)) = (stream, &self.last_words) {
                    words.lock().unwrap_or_else(PoisonError::into_inner).push(&data);
                }
                let before = match stream {
                    Stream::Stdout => self.before.0,
                    Stream::Stderr => self.before.1,
                };
                Event::Output { stream, offset: before + offset, data }
            }
            other @ (Event::Started | Event::Result(_) | Event::Outcome(_)) => other,
        };
        let _ = self.events.send(event);
    }

    /// Completes when nobody listens any more.
    pub async fn closed(&self) {
        self.events.closed().await;
    }
}

#[cfg(test)]
mod tests {
    use super::{Event, Sink, Stream};

    #[test]
    fn a_clearing_is_told_with_what_follows_it() {
        let (sink, mut events) = Sink::new();
        let write = |text: &str| {
            let data = text.as_bytes().to_vec();
            sink.send(Event::Output { stream: Stream::Stdout, offset: 0, data });
        };
        write("one");
        (0..1000).for_each(|_| sink.clear());
        sink.send(Event::Started);
        write("two");
        write("three");
        sink.clear();
        drop(sink);
        let mut told = Vec::new();
        while let Some(event) = events.blocking_recv() {
            told.push(match event {
                Event::Result(result) if result.mime.is_empty() => String::from("cleared"),
                Event::Output { data, .. } => String::from_utf8(data).expect("text"),
                _ => String::from("other"),
            });
        }
        assert_eq!(told, ["one", "other", "cleared", "two", "three"]);
    }
}
