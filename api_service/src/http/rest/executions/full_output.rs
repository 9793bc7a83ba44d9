//! Where all of a run's output is, when an answer has not all of it.

use serde::Serialize;
use utoipa::ToSchema;

use super::artifact_json::address;
use crate::domain::event::OutputStream;
use crate::domain::ids::ExecutionId;
use crate::domain::model_text::Kept;
use crate::domain::report::{StoredOutput, StreamTotals};
use crate::http::rest::fields::timestamp;

/// Where the streams can be had as they were written. Null for one that stands in the answer as it
/// was written, and for one that could not be kept; `truncated` and `encoding` tell them apart.
#[derive(Debug, Serialize, ToSchema)]
pub struct FullOutputBody {
    /// All of stdout.
    #[schema(required)]
    pub stdout: Option<StoredOutputBody>,
    /// All of stderr.
    #[schema(required)]
    pub stderr: Option<StoredOutputBody>,
}

/// A stream that is kept for a while.
#[derive(Debug, Serialize, ToSchema)]
pub struct StoredOutputBody {
    /// Path of the raw bytes, also in ranges.
    #[schema(example = "/v1/code_interpreter/executions/exe_…/output/stdout")]
    pub path: String,
    /// How many bytes are kept. They are written behind this answer; whoever asks for them at once waits for
    /// that. Should the disk fail meanwhile, there are fewer, and `Output-Complete` says false.
    pub bytes: u64,
    /// False when that is not all that was written: there was more than is kept of one stream, or no
    /// room.
    pub complete: bool,
    /// Until when it is kept at most. It goes before when room is needed, or the worker ends.
    #[schema(example = "2026-01-31T12:00:00Z")]
    #[schema(format = DateTime)]
    pub available_until: String,
}

impl FullOutputBody {
    /// From the domain.
    pub fn of(id: &ExecutionId, stdout: StreamTotals, stderr: StreamTotals) -> Self {
        Self {
            stdout: stored(id, OutputStream::Stdout, stdout),
            stderr: stored(id, OutputStream::Stderr, stderr),
        }
    }
}

fn stored(
    id: &ExecutionId,
    stream: OutputStream,
    totals: StreamTotals,
) -> Option<StoredOutputBody> {
    let StreamTotals { bytes: total, truncated: _, stored } = totals;
    let StoredOutput { bytes, until } = stored?;
    Some(StoredOutputBody {
        path: address(id, Kept::Output(stream)),
        bytes,
        complete: bytes == total,
        available_until: timestamp::write(until),
    })
}
