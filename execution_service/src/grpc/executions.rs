//! Runs of code: wire to ours, one call of the worker, ours to wire.

use std::pin::Pin;
use std::sync::Arc;

use futures::Stream;
use proto::execution_v1 as wire;
use proto::wire::{OUTPUT_PIECE_BYTES, REQUEST_ID};
use tonic::metadata::MetadataMap;
use tonic::{Request, Response, Status};
use tracing::Instrument;

use super::status::{status, too_late};
use super::{artifacts, deadline, events, from_wire};
use crate::execution::outputs::Unreadable;
use crate::worker::{Worker, WorkerError};

/// Serves `execution.v1.Executions`.
pub struct Executions {
    worker: Arc<Worker>,
}

impl Executions {
    /// For `worker`.
    pub fn new(worker: Arc<Worker>) -> Self {
        Self { worker }
    }
}

type EventStream = Pin<Box<dyn Stream<Item = Result<wire::ExecutionEvent, Status>> + Send>>;

#[tonic::async_trait]
impl wire::executions_server::Executions for Executions {
    type ExecuteStream = EventStream;

    async fn execute(
        &self,
        request: Request<wire::ExecuteRequest>,
    ) -> Result<Response<EventStream>, Status> {
        let (metadata, _, message) = request.into_parts();
        let (run, target) = from_wire::request(message)?;
        let id = run.id.clone();
        let span = tracing::info_span!(
            "execute",
            request_id = request_id(&metadata),
            execution_id = %id,
            language = %run.language,
        );
        let patience = deadline::of(&metadata);
        let accepted = span
            .in_scope(|| self.worker.execute(run, target, patience))
            .map_err(|error| status(&error))?;
        let (sender, receiver) = events::channel();
        let forward = events::forward(accepted, id, sender.clone());
        let forward = async move {
            let Some(patience) = patience else { return forward.await };
            // Leaving drops the events, and that cancels the run.
            if tokio::time::timeout(patience, forward).await.is_err() {
                let _ = sender.try_send(vec![Err(too_late())]);
            }
        };
        self.worker.tasks.spawn("events", forward.instrument(span));
        Ok(Response::new(Box::pin(receiver)))
    }

    async fn cancel(
        &self,
        request: Request<wire::CancelRequest>,
    ) -> Result<Response<wire::CancelResponse>, Status> {
        let wire::CancelRequest { execution_id, owner } = request.into_inner();
        self.worker.cancel(&execution_id, &owner).map_err(|error| status(&error))?;
        Ok(Response::new(wire::CancelResponse {}))
    }

    async fn write_input(
        &self,
        request: Request<wire::WriteInputRequest>,
    ) -> Result<Response<wire::WriteInputResponse>, Status> {
        let wire::WriteInputRequest { execution_id, owner, data, end } = request.into_inner();
        let written = self.worker.write_input(&execution_id, &owner, data, end).await;
        written.map_err(|error| status(&error))?;
        Ok(Response::new(wire::WriteInputResponse {}))
    }

    async fn read_output(
        &self,
        request: Request<wire::ReadOutputRequest>,
    ) -> Result<Response<wire::OutputPiece>, Status> {
        let wire::ReadOutputRequest { execution_id, owner, stream, offset, length, artifact } =
            request.into_inner();
        let kept = artifacts::kept(stream, artifact)?;
        let found = self.worker.read_output(&execution_id, &owner, kept).await;
        let reading = found.map_err(|error| status(&error))?;
        let data = reading.piece(offset, length.min(OUTPUT_PIECE_BYTES)).await;
        let data = data.map_err(|error| status(&WorkerError::from(Unreadable::Disk(error))))?;
        let (stored, total) = (reading.bytes(), reading.total());
        Ok(Response::new(wire::OutputPiece { stored, total, data: data.into() }))
    }
}

fn request_id(metadata: &MetadataMap) -> String {
    let text = metadata.get(REQUEST_ID).and_then(|value| value.to_str().ok()).unwrap_or_default();
    // A caller's text in our log: short and plain.
    text.chars().filter(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c)).take(64).collect()
}
