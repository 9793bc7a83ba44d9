//! Lines of JSON from a kernel, read as if user code had written them: it may have.

use std::collections::BTreeMap;
use std::{fmt, io};

use futures::{FutureExt, StreamExt};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use tokio::io::AsyncRead;
use tokio_util::codec::{AnyDelimiterCodec, FramedRead};

use crate::language::diagnostic::Diagnostic;

/// Longest line: a bundle of results is at most 8 MiB, and JSON needs some more for its escapes.
const MAX_LINE: usize = 12 << 20;
/// Longest name of a MIME type, by RFC 6838.
const MAX_MIME_TYPE: usize = 255;
/// Lines that are no frames; a kernel sends none.
const MAX_JUNK: usize = 1000;
/// All that a kernel may say in its life before it is not listened to any more. A session that shows a
/// plot of 100 KiB ten thousand times stays below.
const MAX_TOTAL: usize = 1 << 30;
/// What is read with care between two runs: twice the results that a run may have.
const MAX_HEARD: usize = 32 << 20;
/// After that, longer lines are thrown away unread. It is enough for the last word of any run, and to read
/// megabytes takes time from everybody.
const MAX_LATE_LINE: usize = 1 << 20;

/// How our kernels begin to tell a result.
const RESULT: &[u8] = br#"{"event":"result","#;
/// Results up to this are read whether there is room for them or not: it costs next to nothing.
const SHORT_LINE: usize = 64 << 10;

/// One message of a kernel.
#[derive(Debug)]
pub enum Frame {
    /// It can take a run.
    Ready,
    /// A rich value.
    Result {
        /// Of which run.
        id: Option<u64>,
        /// Representations.
        mime: BTreeMap<String, String>,
        /// Whether it is the value of the last expression.
        main: bool,
    },
    /// The main program has ended.
    Done {
        /// Of which run.
        id: Option<u64>,
        /// As the language would exit.
        exit_code: i32,
        /// What went wrong.
        diagnostic: Option<Diagnostic>,
    },
    /// The interpreter has done all that it does on its way out, and its next instruction is to exit.
    Exit {
        /// Of which run.
        id: Option<u64>,
        /// With this status.
        exit_code: u8,
    },
}

/// All fields of all frames. Not a tagged enum: serde would keep every unknown field of one in memory
/// until it has seen the tag.
#[derive(Deserialize)]
struct Line {
    event: Event,
    #[serde(default)]
    id: Option<u64>,
    #[serde(default)]
    mime: Bundle,
    #[serde(default)]
    main: bool,
    #[serde(default)]
    exit_code: i32,
    #[serde(default)]
    diagnostic: Option<Diagnostic>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Event {
    Ready,
    Result,
    Done,
    Exit,
}

/// Representations of one value; IPython's richest objects have seven.
const MAX_REPRESENTATIONS: usize = 32;

/// The first of them, by type. The rest is read past and never in memory: a line has room for a million.
#[derive(Default)]
struct Bundle(BTreeMap<String, String>);

impl<'de> Deserialize<'de> for Bundle {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Representations)
    }
}

struct Representations;

impl<'de> Visitor<'de> for Representations {
    type Value = Bundle;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("representations by MIME type")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Bundle, A::Error> {
        let mut kept = BTreeMap::new();
        while let Some(kind) = map.next_key::<String>()? {
            if kind.len() <= MAX_MIME_TYPE && kept.len() < MAX_REPRESENTATIONS {
                kept.insert(kind, map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Bundle(kept))
    }
}

impl From<Line> for Frame {
    fn from(line: Line) -> Self {
        let Line { event, id, mime: Bundle(mime), main, exit_code, diagnostic } = line;
        let diagnostic = diagnostic.map(Diagnostic::bounded);
        match event {
            Event::Ready => Self::Ready,
            Event::Result => Self::Result { id, mime, main },
            Event::Done => Self::Done { id, exit_code, diagnostic },
            // As the kernel would cut it.
            Event::Exit => Self::Exit { id, exit_code: exit_code.to_le_bytes()[0] },
        }
    }
}

/// The reading end of a control channel.
pub struct Frames {
    lines: FramedRead<Box<dyn AsyncRead + Send + Sync + Unpin>, AnyDelimiterCodec>,
    junk: usize,
    total: usize,
    /// Of it, since the last run ended.
    heard: usize,
    /// Longer results are thrown away unread.
    longest_result: usize,
    /// How many were, in this run.
    refused: u32,
}

impl Frames {
    /// Reads from `reader`.
    pub fn new(reader: Box<dyn AsyncRead + Send + Sync + Unpin>) -> Self {
        let codec = AnyDelimiterCodec::new_with_max_length(vec![b'\n'], Vec::new(), MAX_LINE);
        Self {
            lines: FramedRead::new(reader, codec),
            junk: 0,
            total: 0,
            heard: 0,
            longest_result: MAX_LINE,
            refused: 0,
        }
    }

    /// Throws away what was said before now.
    pub async fn discard(&mut self) {
        // A frame that is there is had at once; what comes later belongs to the run that begins.
        while let Some(Ok(Some(_))) = self.next().now_or_never() {}
        self.heard = 0;
        self.longest_result = MAX_LINE;
        self.refused = 0;
    }

    /// How many results of the run were thrown away unread.
    pub fn refused_results(&self) -> u32 {
        self.refused
    }

    /// The run that goes on has no more `room` for results, in bytes: to read longer ones would take time from
    /// everybody.
    pub fn refuse_results_beyond(&mut self, room: usize) {
        self.longest_result = room.max(SHORT_LINE);
    }

    /// Waits for the next frame; `None` when the channel has ended. Can be cancelled without losing
    /// anything.
    ///
    /// # Errors
    /// When more is said than any kernel would: the channel is of no use any more.
    pub async fn next(&mut self) -> io::Result<Option<Frame>> {
        loop {
            let Some(line) = self.lines.next().await else { return Ok(None) };
            let line = line.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
            self.total = self.total.saturating_add(line.len());
            self.heard = self.heard.saturating_add(line.len());
            let late = self.heard > MAX_HEARD && line.len() > MAX_LATE_LINE;
            let refused = line.len() > self.longest_result && line.starts_with(RESULT);
            self.refused = self.refused.saturating_add(u32::from(refused));
            if !late && !refused {
                match serde_json::from_slice::<Line>(&line) {
                    Ok(frame) if self.total <= MAX_TOTAL => return Ok(Some(Frame::from(frame))),
                    Ok(_) | Err(_) => self.junk += 1,
                }
            }
            if self.junk > MAX_JUNK {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "too much that is no frame",
                ));
            }
            // Lines that are in the buffer already cost no read at which others would get their turn.
            tokio::task::consume_budget().await;
        }
    }
}

#[cfg(test)]
mod tests;
