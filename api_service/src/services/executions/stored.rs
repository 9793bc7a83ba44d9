//! What the worker stores of a run, piece by piece.

use std::time::Duration;

use crate::domain::byte_range::{ByteRange, Part};
use crate::domain::ids::{ExecutionId, UserId};
use crate::services::Error;
use crate::workers::Worker;
use crate::workers::client::{self, Call, StoredPiece};

/// How long the worker may take for a piece.
pub(super) const DEADLINE: Duration = Duration::from_secs(10);

/// Something stored, or a part of it.
pub struct Output {
    /// How many bytes of it can be had.
    pub available: u64,
    /// How many there were when it was written.
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

/// Something that the worker stores.
pub(super) struct Stored {
    pub(super) worker: Worker,
    pub(super) call: Call,
    pub(super) user: UserId,
    pub(super) id: ExecutionId,
    pub(super) stored: client::Stored,
}

impl Stored {
    async fn read(&self, offset: u64, length: u64) -> Result<StoredPiece, Error> {
        let Self { worker, call, user, id, stored } = self;
        let read = worker.client().read_output(call, id, user, stored, (offset, length));
        match read.await {
            Err(client::Error::OutputNotFound) => Err(Error::OutputNotKept),
            found => Ok(found?),
        }
    }

    pub(super) async fn output(self, range: Option<ByteRange>) -> Result<Output, Error> {
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
