//! Commands in sessions: wire to ours, one call of the worker, ours to wire.

use std::pin::Pin;
use std::sync::Arc;

use futures::Stream;
use proto::execution_v1 as wire;
use tonic::{Request, Response, Status, Streaming};

use super::process_from_wire::{self, Wanted};
use super::process_to_wire as to_wire;
use super::status::{invalid, status};
use super::terminals;
use crate::sandbox::backend::ProcessId;
use crate::session::processes::SessionProcess;
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

/// Most bytes that are sent at once; an input begins with more.
const MAX_WRITTEN: usize = 1 << 20;

type Frames = Pin<Box<dyn Stream<Item = Result<wire::FromTerminal, Status>> + Send>>;

#[tonic::async_trait]
impl wire::processes_server::Processes for Processes {
    type AttachTerminalStream = Frames;

    async fn start_process(
        &self,
        request: Request<wire::StartProcessRequest>,
    ) -> Result<Response<wire::StartProcessResponse>, Status> {
        let mut message = request.into_inner();
        let wanted = message.events.take().map(process_from_wire::wanted);
        let new = process_from_wire::new_process(message)?;
        let process = self.worker.start_process(new).await.map_err(|error| status(&error))?;
        let events = match wanted {
            Some(wanted) => Some(events(&process, wanted).await),
            None => None,
        };
        let process = Some(to_wire::process(&process));
        Ok(Response::new(wire::StartProcessResponse { process, events }))
    }

    async fn read_process(
        &self,
        request: Request<wire::ReadProcessRequest>,
    ) -> Result<Response<wire::ProcessEvents>, Status> {
        let wire::ReadProcessRequest { session_id, owner, process_id, wanted } =
            request.into_inner();
        let wanted = process_from_wire::wanted(wanted.unwrap_or_default());
        let process = self.process(&session_id, &owner, process_id)?;
        Ok(Response::new(events(&process, wanted).await))
    }

    async fn get_process(
        &self,
        request: Request<wire::GetProcessRequest>,
    ) -> Result<Response<wire::Process>, Status> {
        let wire::GetProcessRequest { session_id, owner, process_id } = request.into_inner();
        let process = self.process(&session_id, &owner, process_id)?;
        Ok(Response::new(to_wire::process(&process)))
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
        if data.len() > MAX_WRITTEN {
            return Err(invalid("text", "has more than 1048576 bytes"));
        }
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
        let signal = process_from_wire::signal(&signal)?;
        let session = (session_id.as_str(), owner.as_str());
        let sent = self.worker.signal_process(session, ProcessId(process_id), signal).await;
        sent.map_err(|error| status(&error))?;
        Ok(Response::new(wire::SignalProcessResponse {}))
    }

    async fn kill_process(
        &self,
        request: Request<wire::KillProcessRequest>,
    ) -> Result<Response<wire::Process>, Status> {
        let wire::KillProcessRequest { session_id, owner, process_id } = request.into_inner();
        let session = (session_id.as_str(), owner.as_str());
        let killed = self.worker.kill_process(session, ProcessId(process_id)).await;
        let process = killed.map_err(|error| status(&error))?;
        Ok(Response::new(to_wire::process(&process)))
    }

    async fn resize_terminal(
        &self,
        request: Request<wire::ResizeTerminalRequest>,
    ) -> Result<Response<wire::ResizeTerminalResponse>, Status> {
        let wire::ResizeTerminalRequest { session_id, owner, process_id, size } =
            request.into_inner();
        let size = process_from_wire::size(size.unwrap_or_default())?;
        let session = (session_id.as_str(), owner.as_str());
        let resized = self.worker.resize_terminal(session, ProcessId(process_id), size);
        resized.map_err(|error| status(&error))?;
        Ok(Response::new(wire::ResizeTerminalResponse {}))
    }

    async fn attach_terminal(
        &self,
        request: Request<Streaming<wire::ToTerminal>>,
    ) -> Result<Response<Frames>, Status> {
        let frames = terminals::attach(&self.worker, request.into_inner()).await?;
        Ok(Response::new(Box::pin(frames)))
    }
}

impl Processes {
    fn process(&self, session: &str, owner: &str, id: u32) -> Result<Arc<SessionProcess>, Status> {
        let process = self.worker.process((session, owner), ProcessId(id));
        process.map_err(|error| status(&error))
    }
}

async fn events(process: &SessionProcess, wanted: Wanted) -> wire::ProcessEvents {
    let Wanted { after, most, patience, until_end } = wanted;
    to_wire::events(process.read(after, most, patience, until_end).await)
}
