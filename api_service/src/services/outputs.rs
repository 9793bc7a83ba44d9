//! What a run wrote, all of it, byte by byte: from the worker while it stores it, or from the history
//! where that remembers everything.

use std::time::Duration;

use super::Error;
use super::executions::Executions;
use super::worker::Worker;
use crate::domain::byte_range::{ByteRange, Part};
use crate::domain::capture::CapturedText;
use crate::domain::event::OutputStream;
use crate::domain::execution::ExecutionState;
use crate::domain::ids::{ExecutionId, UserId};
use crate::domain::report::{Report, StoredOutput, StreamTotals};
use crate::domain::timestamp::Timestamp;
use crate::execution_client::{self, Call, StoredPiece};

/// How long the worker may take for a piece.
const DEADLINE: Duration = Duration::from_secs(10);

/// One stream, or a part of it.
pub struct Output {
    /// How many bytes of it can be had.
    pub available: u64,
    /// How many the program wrote.
    pub total: u64,
    /// The part that was asked for; absent when all of it was.
    pub part: Option<Part>,
    /// The bytes of the part, or of all.
    pub bytes: OutputBytes,
}

/// Bytes, as they come.
pub enum OutputBytes {
    /// All of them, in one piece.
    Here(Vec<u8>),
    /// At the worker.
    Stored(Box<Rest>),
}

/// What is still to come of a stored stream. Every piece is asked for when the one before it was taken:
/// a caller who takes nothing holds one in memory, and nobody up.
pub struct Rest {
    stored: Stored,
    at_hand: Vec<u8>,
    next: u64,
    left: u64,
}

impl OutputBytes {
    /// The next of them; `None` after the last.
    ///
    /// # Errors
    /// When the worker is lost, or the output had to make way.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, Error> {
        match self {
            Self::Here(bytes) if bytes.is_empty() => Ok(None),
            Self::Here(bytes) => Ok(Some(std::mem::take(bytes))),
            Self::Stored(rest) => rest.next().await,
        }
    }
}

impl Rest {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, Error> {
        if self.left == 0 {
            return Ok(None);
        }
        let mut data = std::mem::take(&mut self.at_hand);
        if data.is_empty() {
            data = self.stored.read(self.next, self.left).await?.data;
        }
        let length = data.len() as u64;
        if length == 0 || length > self.left {
            return Err(Error::Fault("the worker sends another number of bytes than it stores"));
        }
        self.next += length;
        self.left -= length;
        Ok(Some(data))
    }
}

/// A stream that the worker stores.
struct Stored {
    worker: Worker,
    call: Call,
    user: UserId,
    id: ExecutionId,
    stream: OutputStream,
}

impl Stored {
    async fn read(&self, offset: u64, length: u64) -> Result<StoredPiece, Error> {
        let Self { worker, call, user, id, stream } = self;
        let read = worker.client().read_output(call, id, user, *stream, (offset, length));
        match read.await {
            Err(execution_client::Error::OutputNotFound) => Err(Error::OutputNotKept),
            found => Ok(found?),
        }
    }

    async fn output(self, range: Option<ByteRange>) -> Result<Output, Error> {
        // A range may count from the end, and whether it is there at all is the answer's status.
        let wanted = if range.is_some() { 0 } else { u64::MAX };
        let StoredPiece { stored: available, total, data } = self.read(0, wanted).await?;
        let part = match range {
            None => None,
            Some(range) if range.is_end_of_nothing(available) => None,
            Some(range) => Some(range.of(available).ok_or(Error::NoSuchRange(available))?),
        };
        let Part { first, length } = part.unwrap_or(Part { first: 0, length: available });
        let rest = Rest { stored: self, at_hand: data, next: first, left: length };
        Ok(Output { available, total, part, bytes: OutputBytes::Stored(Box::new(rest)) })
    }
}

/// Where a stream is to be looked for.
enum Source {
    /// It is all here.
    History(String),
    /// The worker said that it stores it, or may, although there was nobody to tell.
    Worker(Option<StoredOutput>),
}

impl Executions {
    /// What a user's run wrote to `stream`, or the part of it that `range` names.
    ///
    /// # Errors
    /// [`Error::ExecutionNotFound`], [`Error::ExecutionStillRunning`], [`Error::OutputNotKept`],
    /// [`Error::OutputGone`] or [`Error::NoSuchRange`].
    pub async fn output(
        &self,
        user: &UserId,
        id: &ExecutionId,
        stream: OutputStream,
        range: Option<ByteRange>,
        request_id: &str,
    ) -> Result<Output, Error> {
        let source = match self.get(user, id).await?.state {
            ExecutionState::Running => return Err(Error::ExecutionStillRunning),
            ExecutionState::Cancelled | ExecutionState::Unknown => Source::Worker(None),
            ExecutionState::Finished(run) => {
                let report = run.report.ok_or(Error::OutputNotKept)?;
                source(*report, stream)?
            }
        };
        match source {
            Source::History(text) => remembered(text.into_bytes(), range),
            Source::Worker(promised) => {
                let call = Call { request_id: request_id.to_owned(), deadline: DEADLINE };
                let (worker, user, id) = (self.worker.clone(), user.clone(), id.clone());
                let stored = Stored { worker, call, user, id, stream };
                match stored.output(range).await {
                    Err(Error::OutputNotKept) => Err(why_it_is_gone(promised)),
                    found => found,
                }
            }
        }
    }
}

fn source(report: Report, stream: OutputStream) -> Result<Source, Error> {
    let Report { outcome, stdout, stderr, results: _, isolation: _ } = report;
    let (totals, captured) = match stream {
        OutputStream::Stdout => (outcome.stdout, stdout),
        OutputStream::Stderr => (outcome.stderr, stderr),
    };
    let StreamTotals { bytes: _, truncated, stored } = totals;
    let CapturedText { text, replaced } = captured;
    if let Some(stored) = stored {
        return Ok(Source::Worker(Some(stored)));
    }
    if truncated || replaced { Err(Error::OutputNotKept) } else { Ok(Source::History(text)) }
}

fn remembered(mut bytes: Vec<u8>, range: Option<ByteRange>) -> Result<Output, Error> {
    let total = bytes.len() as u64;
    let part = match range {
        None => None,
        Some(range) if range.is_end_of_nothing(total) => None,
        Some(range) => Some(range.of(total).ok_or(Error::NoSuchRange(total))?),
    };
    if let Some(Part { first, length }) = part {
        // Both are at most `total`, which is the length of what is in memory.
        let first = usize::try_from(first).unwrap_or(usize::MAX);
        bytes.drain(..first);
        bytes.truncate(usize::try_from(length).unwrap_or(usize::MAX));
    }
    Ok(Output { available: total, total, part, bytes: OutputBytes::Here(bytes) })
}

/// The worker has it no more, or never had.
fn why_it_is_gone(promised: Option<StoredOutput>) -> Error {
    match promised {
        None => Error::OutputNotKept,
        Some(StoredOutput { bytes: _, until }) => {
            Error::OutputGone { expired: until <= Timestamp::now() }
        }
    }
}
