//! What a model should read of a run, in so many characters at most.
//!
//! ```text
//! output of both streams and results, in the order in which they came    its middle makes way first
//! [notes: artifacts, files that changed, what is missing]
//! traceback, unless the program wrote it
//! failed: ValueError: no (line 3)                                         never cut away in favour of output
//! hint: …
//! ```

mod cut;
mod notes;
mod order;
mod screen;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

pub use self::order::{Kind, Order};
use self::screen::Screen;
use crate::domain::artifact::FilePath;
use crate::domain::capture::Capture;
use crate::domain::event::OutputStream;
use crate::domain::ids::ExecutionId;
use crate::domain::report::{Outcome, RichResult, Status};

/// Least characters that a text can be asked to have: below that nothing would be left beside an error and the
/// word of where the rest is.
pub const MIN_CHARACTERS: u32 = 512;
/// Most characters of a text.
pub const MAX_CHARACTERS: u32 = 1_000_000;
/// How many a text has at most whose caller names no number.
pub const DEFAULT_CHARACTERS: u32 = 8000;

/// The wish for a text.
#[derive(Clone, Copy)]
pub struct ForModel {
    /// How many characters it has at most.
    pub characters: usize,
    /// Where what is left out can be had, in the words of the surface that was asked.
    pub address: fn(&ExecutionId, Kept<'_>) -> String,
}

impl fmt::Debug for ForModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForModel").field("characters", &self.characters).finish_non_exhaustive()
    }
}

/// Something of a run that can be had later.
#[derive(Debug, Clone, Copy)]
pub enum Kept<'a> {
    /// Everything that the history remembers.
    Execution,
    /// All that was written to a stream.
    Output(OutputStream),
    /// A file.
    Artifact(&'a FilePath),
}

/// All that a text is made of.
#[derive(Debug)]
pub struct Material<'a> {
    /// Which run.
    pub id: &'a ExecutionId,
    /// How it ended.
    pub outcome: &'a Outcome,
    /// What was written to standard output.
    pub stdout: &'a Capture,
    /// What was written to standard error.
    pub stderr: &'a Capture,
    /// What was displayed.
    pub results: &'a [Arc<RichResult>],
    /// In which order that came.
    pub order: &'a Order,
    /// What data of a MIME type shows, in words: none for what is not worth a line, and None for what is told
    /// by name and size.
    pub in_words: fn(&str, &str) -> Option<String>,
}

impl Material<'_> {
    /// The text that `wish` asks for.
    pub fn text(&self, wish: ForModel) -> String {
        let body = self.body(wish);
        let body = body.trim_end_matches('\n');
        let notes = self.notes(wish, body).join("\n");
        let (error, hint) = self.error();
        let room = wish.characters;
        let parts = [body, &notes, &error, &hint];
        let parts = parts.into_iter().filter(|part| !part.is_empty());
        let whole = parts.collect::<Vec<_>>().join("\n");
        if whole.is_empty() {
            return "[no output]".to_owned();
        }
        if cut::characters(&whole) <= room {
            return whole;
        }
        // What comes last in the text is given its room first.
        let error = cut::end(&error, room / 4);
        let hint = cut::end(&hint, room / 8);
        let spoken_for = [body, &error, &hint].map(|part| cut::characters(part) + 1);
        let left = room.saturating_sub(spoken_for.iter().sum()).max(room / 4);
        let notes = cut::middle(&notes, left, |count| format!("… [{count} characters] …"));
        let foot = [&*notes, &*error, &*hint].into_iter().filter(|part| !part.is_empty());
        let foot: String = foot.map(|part| format!("\n{part}")).collect();
        let left = room.saturating_sub(cut::characters(&foot));
        let all = cut::characters(body);
        let rest = self.where_the_rest_is(wish);
        let body = cut::middle(body, left, |count| {
            format!("… [{count} of {all} characters left out{rest}] …")
        });
        let text = format!("{body}{foot}");
        if body.is_empty() { text.trim_start_matches('\n').to_owned() } else { text }
    }

    /// Output and results, in the order in which they came.
    fn body(&self, wish: ForModel) -> String {
        let mut screen = Screen::default();
        let (mut stdout, mut stderr) = (self.stdout.bytes(), self.stderr.bytes());
        let mut results = self.results.iter();
        for span in self.order.spans() {
            match span.kind {
                Kind::Stdout => write_some(&mut screen, &mut stdout, span.length),
                Kind::Stderr => write_some(&mut screen, &mut stderr, span.length),
                Kind::Result => results
                    .by_ref()
                    .take(span.length)
                    .for_each(|result| screen.say(&self.shown(result, wish))),
                Kind::Cleared => screen.clear(),
            }
        }
        // What is said about the ends of streams that never came.
        write_some(&mut screen, &mut stdout, usize::MAX);
        write_some(&mut screen, &mut stderr, usize::MAX);
        screen.finish()
    }

    /// The error in a line, with its hint in another; both empty when nothing went wrong.
    fn error(&self) -> (String, String) {
        let Some(told) = self.outcome.error_line() else {
            return Default::default();
        };
        let found = self.outcome.diagnostic.as_ref();
        let place = found.and_then(|found| found.line).map(|line| format!(" (line {line})"));
        let error = format!("{}: {told}{}", self.outcome.status.name(), place.unwrap_or_default());
        let hint = found.filter(|_| self.outcome.status != Status::Cancelled);
        let hint = hint.and_then(|found| found.hint.as_deref());
        (line(&error), hint.map_or_else(String::new, |hint| line(&format!("hint: {hint}"))))
    }

    /// Where all of the output can be had, as the end of a sentence.
    fn where_the_rest_is(&self, wish: ForModel) -> String {
        let of = |stream| (wish.address)(self.id, Kept::Output(stream));
        let Outcome { stdout, stderr, .. } = self.outcome;
        match (stdout.bytes > 0, stderr.bytes > 0) {
            (true, true) => {
                let (out, err) = (of(OutputStream::Stdout), OutputStream::Stderr.name());
                format!("; all: {out} (or {err})")
            }
            (true, false) => format!("; all: {}", of(OutputStream::Stdout)),
            (false, true) => format!("; all: {}", of(OutputStream::Stderr)),
            (false, false) => format!("; see {}", (wish.address)(self.id, Kept::Execution)),
        }
    }
}

/// A text in at most `bytes` bytes, for a place that keeps no more of it.
pub fn shortened(text: &str, bytes: usize) -> String {
    /// Of UTF-8.
    const LONGEST: usize = 4;
    if text.len() <= bytes {
        return text.to_owned();
    }
    let gap = |count| format!("… [the history keeps no more: {count} characters left out] …");
    cut::middle(text, bytes / LONGEST, gap).into_owned()
}

/// The next `length` bytes of a stream.
fn write_some(screen: &mut Screen, stream: &mut &[u8], length: usize) {
    let (some, rest) = stream.split_at(length.min(stream.len()));
    *stream = rest;
    if !some.is_empty() {
        screen.turn();
        screen.write(&String::from_utf8_lossy(some));
    }
}

/// On one line, without what controls a terminal.
fn line(text: &str) -> String {
    let mut screen = Screen::flat();
    screen.write(text);
    screen.finish()
}

/// Without what controls a terminal.
fn plain(text: &str) -> String {
    let mut screen = Screen::default();
    screen.write(text);
    screen.finish()
}
