//! What a run wrote, all of it, byte by byte: from the worker while it stores it, or from the history
//! where that remembers everything.

use std::time::Duration;

use super::Error;
use super::executions::Executions;
use crate::domain::byte_range::{ByteRange, Part};
use crate::domain::capture::CapturedText;
use crate::domain::event::OutputStream;
use crate::domain::execution::ExecutionState;
use crate::domain::ids::{ExecutionId, UserId};
use crate::domain::report::{Report, StoredOutput, StreamTotals};
use crate::domain::timestamp::Timestamp;
use crate::execution_client::{self, Call, StoredBytes};

/// How long the worker may take to begin.
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
    /// From the worker.
    Stored(Box<StoredBytes>),
}

impl OutputBytes {
    /// The next of them; `None` after the last.
    ///
    /// # Errors
    /// When the worker is lost.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, Error> {
        match self {
            Self::Here(bytes) if bytes.is_empty() => Ok(None),
            Self::Here(bytes) => Ok(Some(std::mem::take(bytes))),
            Self::Stored(parts) => Ok(parts.next().await?),
        }
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
                match self.stored(&call, user, id, stream, range).await {
                    Err(Error::OutputNotKept) => Err(why_it_is_gone(promised)),
                    found => found,
                }
            }
        }
    }

    async fn stored(
        &self,
        call: &Call,
        user: &UserId,
        id: &ExecutionId,
        stream: OutputStream,
        range: Option<ByteRange>,
    ) -> Result<Output, Error> {
        let read = async |first, length| {
            let read = self.worker.client().read_output(call, id, user, stream, first, length);
            match read.await {
                Err(execution_client::Error::OutputNotFound) => Err(Error::OutputNotKept),
                found => Ok(found?),
            }
        };
        let Some(range) = range else {
            return Ok(output(read(0, None).await?, None));
        };
        // A range may count from the end, and whether it is there at all is the answer's status.
        let about = read(0, Some(0)).await?;
        let part = range.of(about.stored).ok_or(Error::NoSuchRange(about.stored))?;
        Ok(output(read(part.first, Some(part.length)).await?, Some(part)))
    }
}

fn output(bytes: StoredBytes, part: Option<Part>) -> Output {
    let (available, total) = (bytes.stored, bytes.total);
    Output { available, total, part, bytes: OutputBytes::Stored(Box::new(bytes)) }
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
