//! What a run wrote, all of it, byte by byte: from the worker while it stores it, or from the history
//! where that remembers everything.

use super::Executions;
use super::stored::{DEADLINE, Output, OutputBytes, Stored};
use crate::domain::byte_range::{ByteRange, Part};
use crate::domain::capture::CapturedText;
use crate::domain::event::OutputStream;
use crate::domain::execution::ExecutionState;
use crate::domain::ids::{ExecutionId, UserId};
use crate::domain::report::{Report, StoredOutput, StreamTotals};
use crate::domain::timestamp::Timestamp;
use crate::services::Error;
use crate::workers::client::{self, Call};

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
        let execution = self.get(user, id).await?;
        let worker = self.home(&execution)?.clone();
        let source = match execution.state {
            ExecutionState::Queued | ExecutionState::Running => {
                return Err(Error::ExecutionStillRunning);
            }
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
                let (user, id) = (user.clone(), id.clone());
                let stored = client::Stored::Output(stream);
                let stored = Stored { worker, call, user, id, stored };
                match stored.output(range).await {
                    Err(Error::OutputNotKept) => Err(why_it_is_gone(promised)),
                    found => found,
                }
            }
        }
    }
}

fn source(report: Report, stream: OutputStream) -> Result<Source, Error> {
    let Report { outcome, stdout, stderr, results: _, text: _, isolation: _ } = report;
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
