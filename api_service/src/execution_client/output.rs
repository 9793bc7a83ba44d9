//! What a run wrote, as the worker stores it.

use proto::execution_v1 as wire;
use proto::execution_v1::output_part::Part;
use tonic::Streaming;

use super::Error;

/// Stored bytes of one stream, on their way here. They come as fast as they are asked for.
pub struct StoredBytes {
    /// How many are stored.
    pub stored: u64,
    /// How many the program wrote.
    pub total: u64,
    parts: Streaming<wire::OutputPart>,
}

impl StoredBytes {
    pub(super) async fn open(mut parts: Streaming<wire::OutputPart>) -> Result<Self, Error> {
        match parts.message().await?.and_then(|part| part.part) {
            Some(Part::About(wire::StoredOutput { bytes, total })) => {
                Ok(Self { stored: bytes, total, parts })
            }
            Some(Part::Data(_)) | None => {
                Err(Error::Malformed("output that does not say its size"))
            }
        }
    }

    /// The next of them; `None` after the last.
    ///
    /// # Errors
    /// When the worker is lost, or its disk gives no more.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, Error> {
        match self.parts.message().await? {
            Some(wire::OutputPart { part: Some(Part::Data(data)) }) => Ok(Some(data)),
            Some(wire::OutputPart { part: Some(Part::About(_)) | None }) => {
                Err(Error::Malformed("output that is no bytes"))
            }
            None => Ok(None),
        }
    }
}
