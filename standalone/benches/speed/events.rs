//! Server-sent events, as they come.

use hyper::body::Bytes;

/// One event of a stream.
#[derive(Debug, PartialEq, Eq)]
pub struct Event {
    /// `stdout`, `finished`, …
    pub name: String,
    /// JSON.
    pub data: String,
}

/// Puts events together from the pieces that a connection brings.
#[derive(Debug, Default)]
pub struct Events {
    text: Vec<u8>,
}

impl Events {
    /// The events that `piece` completes. A heartbeat is none.
    pub fn absorb(&mut self, piece: &Bytes) -> Vec<Event> {
        self.text.extend_from_slice(piece);
        let mut events = Vec::new();
        while let Some(end) = self.text.windows(2).position(|pair| pair == b"\n\n") {
            let block: Vec<u8> = self.text.drain(..end + 2).collect();
            events.extend(event(&String::from_utf8_lossy(&block)));
        }
        events
    }
}

fn event(block: &str) -> Option<Event> {
    let field = |name: &str| {
        let value = block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        Some(String::from(value.strip_prefix(' ').unwrap_or(value)))
    };
    Some(Event { name: field("event")?, data: field("data")? })
}
