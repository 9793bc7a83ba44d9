//! Commands in sessions: wire to ours, one call of the worker, ours to wire.

use std::pin::Pin;
use std::sync::Arc;

use futures::{Stream, StreamExt};
use proto::execution_v1 as wire;
use tonic::{Request, Response, Status};

use super::status::status;
use super::{from_wire, to_wire};
use crate::sandbox::backend::ProcessId;
use crate::worker::Worker;

/// Serves `execution.v1.Processes`.
pub struct Processes {
    worker: Arc<Worker>,
}

impl Processes {
    /// For `worker`.
    pub fn new(worker: Arc<Worker>) -> Self {
        Self { worker }
    }
}

type EventStream = Pin<Box<dyn Stream<Item = Result<wire::ProcessEvent, Status>> + Send>>;

#[tonic::async_trait]
impl wire::processes_server::Processes for Processes {
    type StartProcessStream = EventStream;

    async fn start_process(
        &self,
        request: Request<wire::StartProcessRequest>,
    ) -> Result<Response<EventStream>, Status> {
        let new = from_wire::new_process(request.into_inner())?;
        let events = self.worker.start_process(new).await.map_err(|error| status(&error))?;
        let events = events.map(|event| Ok(to_wire::process_event(event)));
        Ok(Response::new(Box::pin(events)))
    }

    async fn list_processes(
        &self,
        request: Request<wire::ListProcessesRequest>,
    ) -> Result<Response<wire::ListProcessesResponse>, Status> {
        let wire::ListProcessesRequest { session_id, owner } = request.into_inner();
        let session = self.worker.sessions.get(&session_id, &owner);
        let session = session.map_err(|error| status(&error.into()))?;
        let processes = session.processes.all().iter().map(|one| to_wire::process(one)).collect();
        Ok(Response::new(wire::ListProcessesResponse { processes }))
    }

    async fn write_stdin(
        &self,
        request: Request<wire::WriteStdinRequest>,
    ) -> Result<Response<wire::WriteStdinResponse>, Status> {
        let message = request.into_inner();
        let wire::WriteStdinRequest { session_id, owner, process_id, data, end } = message;
        let session = (session_id.as_str(), owner.as_str());
        let written = self.worker.write_stdin(session, ProcessId(process_id), &data, end).await;
        written.map_err(|error| status(&error))?;
        Ok(Response::new(wire::WriteStdinResponse {}))
    }

    async fn signal_process(
        &self,
        request: Request<wire::SignalProcessRequest>,
    ) -> Result<Response<wire::SignalProcessResponse>, Status> {
        let message = request.into_inner();
        let wire::SignalProcessRequest { session_id, owner, process_id, signal } = message;
        let signal = from_wire::signal(signal)?;
        let session = (session_id.as_str(), owner.as_str());
        let sent = self.worker.signal_process(session, ProcessId(process_id), signal).await;
        sent.map_err(|error| status(&error))?;
        Ok(Response::new(wire::SignalProcessResponse {}))
    }
}
