//! A stored output on its way to its caller, read as fast as that takes it.

use futures::{Stream, StreamExt, stream};
use proto::execution_v1 as wire;
use proto::execution_v1::output_part::Part;
use tonic::Status;

use crate::error::status;
use crate::execution::outputs::Reading;
use crate::worker::WorkerError;

/// How much there is, and then the bytes from `offset` on, of at most `length`.
pub fn parts(
    reading: Reading,
    offset: u64,
    length: Option<u64>,
) -> impl Stream<Item = Result<wire::OutputPart, Status>> + Send + use<> {
    let about = wire::StoredOutput { bytes: reading.bytes(), total: reading.total() };
    let end = length.map_or(u64::MAX, |length| offset.saturating_add(length));
    let pieces = stream::try_unfold((reading, offset), move |(reading, position)| async move {
        let piece = reading.piece(position, end - position).await;
        let data = piece.map_err(|error| status(&WorkerError::Output(error)))?;
        let next = position.saturating_add(u64::try_from(data.len()).unwrap_or_default());
        Ok((!data.is_empty()).then_some((part(Part::Data(data)), (reading, next))))
    });
    stream::iter([Ok(part(Part::About(about)))]).chain(pieces)
}

fn part(part: Part) -> wire::OutputPart {
    wire::OutputPart { part: Some(part) }
}
