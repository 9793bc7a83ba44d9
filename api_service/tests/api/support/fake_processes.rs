//! Processes of the fake worker: what a command does is said by its last word.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use proto::execution_v1 as wire;
use proto::execution_v1::process_event::Event;
use proto::execution_v1::processes_server::Processes;
use proto::wire::reason;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::{Code, Request, Response, Status, Streaming};
use wire::from_terminal::Message as From;
use wire::to_terminal::Message as To;

use super::fake_worker::FakeWorker;
use super::script::failed;

/// All processes of a fake worker, and what it was asked about them.
#[derive(Clone, Default)]
pub struct FakeProcesses(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    all: BTreeMap<u32, Process>,
    started: Vec<wire::StartProcessRequest>,
    signals: Vec<(u32, String)>,
    sizes: Vec<(u32, u32)>,
    changed: watch::Sender<()>,
}

struct Process {
    session: String,
    about: wire::Process,
    events: Vec<wire::ProcessEvent>,
    offset: u64,
}

impl FakeProcesses {
    /// What was to be started, in order.
    pub fn started(&self) -> Vec<wire::StartProcessRequest> {
        self.lock().started.clone()
    }

    /// Signals that were sent, in order.
    pub fn signals(&self) -> Vec<(u32, String)> {
        self.lock().signals.clone()
    }

    /// Columns and rows that terminals were given, in order.
    pub fn sizes(&self) -> Vec<(u32, u32)> {
        self.lock().sizes.clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(&self, new: &wire::StartProcessRequest) -> Result<u32, Status> {
        let mut state = self.lock();
        state.started.push(new.clone());
        let word = new.command.last().cloned().unwrap_or_default();
        match word.as_str() {
            "missing" => {
                let text = "cannot be executed: No such file or directory";
                return Err(failed(Code::FailedPrecondition, reason::NOT_EXECUTABLE, text));
            }
            "full" => {
                return Err(failed(
                    Code::ResourceExhausted,
                    reason::TOO_MANY_PROCESSES,
                    "64 of them",
                ));
            }
            _ => {}
        }
        let id = 10 + state.all.len() as u32;
        let about = wire::Process {
            process_id: id,
            command: new.command.clone(),
            started_at_ms: 1_700_000_000_000,
            tag: new.tag.clone(),
            has_terminal: new.terminal.is_some(),
            stdin_open: new.open_stdin || new.terminal.is_some(),
            ..wire::Process::default()
        };
        let session = new.session_id.clone();
        state.all.insert(id, Process { session, about, events: Vec::new(), offset: 0 });
        state.tell(id, Event::Started(wire::ProcessStarted { process_id: id }));
        if let Some(text) = word.strip_prefix("say ") {
            state.print(id, text.as_bytes());
            state.end(id, Some(0), None);
        } else if word == "fail" {
            state.end(id, Some(3), None);
        } else if word == "loud" {
            for _ in 0..40 {
                state.print(id, &[b'x'; 100_000]);
            }
            state.end(id, Some(0), None);
        } else if word == "gap" {
            state.print(id, b"gone");
            state.print(id, b"there");
            state.all.get_mut(&id).unwrap().events.remove(1);
            state.end(id, Some(0), None);
        }
        Ok(id)
    }

    fn of(&self, session: &str, id: u32) -> Result<wire::Process, Status> {
        let state = self.lock();
        let found = state.all.get(&id).filter(|process| process.session == session);
        let unknown = || failed(Code::NotFound, reason::PROCESS_NOT_FOUND, "no such process");
        found.map(|process| process.about.clone()).ok_or_else(unknown)
    }

    async fn read(&self, id: u32, wanted: wire::EventsWanted) -> wire::ProcessEvents {
        let mut changed = self.lock().changed.subscribe();
        let waiting = async {
            loop {
                let found = self.now(id, &wanted);
                let ready = if wanted.until_end { found.over } else { !found.events.is_empty() };
                if ready || found.over {
                    return found;
                }
                changed.changed().await.unwrap();
            }
        };
        let patience = Duration::from_millis(wanted.wait_ms.into());
        timeout(patience, waiting).await.unwrap_or_else(|_| self.now(id, &wanted))
    }

    fn now(&self, id: u32, wanted: &wire::EventsWanted) -> wire::ProcessEvents {
        let state = self.lock();
        let process = &state.all[&id];
        let later = process.events.iter().filter(|event| event.number > wanted.after);
        // One at a time, so that who reads has to ask again.
        let events: Vec<_> = later.take(if wanted.until_end { 99 } else { 1 }).cloned().collect();
        let last = process.events.last().map_or(0, |event| event.number);
        let read = events.last().map_or(wanted.after, |event| event.number);
        wire::ProcessEvents { events, over: process.about.ended.is_some() && read >= last }
    }
}

impl State {
    fn tell(&mut self, id: u32, event: Event) {
        let process = self.all.get_mut(&id).unwrap();
        let number = process.events.last().map_or(0, |event| event.number) + 1;
        process.events.push(wire::ProcessEvent { event: Some(event), number });
        self.changed.send_replace(());
    }

    fn print(&mut self, id: u32, data: &[u8]) {
        let process = self.all.get_mut(&id).unwrap();
        let offset = process.offset;
        process.offset += data.len() as u64;
        process.about.stdout_bytes = process.offset;
        let (stream, data) = (i32::from(wire::Stream::Stdout), data.to_vec().into());
        self.tell(id, Event::Output(wire::Output { stream, offset, data }));
    }

    fn end(&mut self, id: u32, exit_code: Option<i32>, signal: Option<&str>) {
        let ended = wire::ProcessEnded {
            exit_code,
            signal: signal.map(str::to_owned),
            ended_at_ms: 1_700_000_000_250,
            ..wire::ProcessEnded::default()
        };
        let about = &mut self.all.get_mut(&id).unwrap().about;
        about.ended = Some(ended.clone());
        about.stdin_open = false;
        self.tell(id, Event::Ended(ended));
    }
}

type Frames = Pin<Box<dyn tokio_stream::Stream<Item = Result<wire::FromTerminal, Status>> + Send>>;

#[tonic::async_trait]
impl Processes for FakeWorker {
    type AttachTerminalStream = Frames;

    async fn start_process(
        &self,
        request: Request<wire::StartProcessRequest>,
    ) -> Result<Response<wire::StartProcessResponse>, Status> {
        self.admit(&request)?;
        let new = request.into_inner();
        self.session(&new.session_id, &new.owner)?;
        let id = self.processes.start(&new)?;
        let events = match new.events {
            Some(wanted) => Some(self.processes.read(id, wanted).await),
            None => None,
        };
        let process = Some(self.processes.of(&new.session_id, id)?);
        Ok(Response::new(wire::StartProcessResponse { process, events }))
    }

    async fn read_process(
        &self,
        request: Request<wire::ReadProcessRequest>,
    ) -> Result<Response<wire::ProcessEvents>, Status> {
        self.admit(&request)?;
        let wire::ReadProcessRequest { session_id, owner, process_id, wanted } =
            request.into_inner();
        self.session(&session_id, &owner)?;
        self.processes.of(&session_id, process_id)?;
        Ok(Response::new(self.processes.read(process_id, wanted.unwrap_or_default()).await))
    }

    async fn get_process(
        &self,
        request: Request<wire::GetProcessRequest>,
    ) -> Result<Response<wire::Process>, Status> {
        self.admit(&request)?;
        let wire::GetProcessRequest { session_id, owner, process_id } = request.into_inner();
        self.session(&session_id, &owner)?;
        self.processes.of(&session_id, process_id).map(Response::new)
    }

    async fn list_processes(
        &self,
        request: Request<wire::ListProcessesRequest>,
    ) -> Result<Response<wire::ListProcessesResponse>, Status> {
        self.admit(&request)?;
        let wire::ListProcessesRequest { session_id, owner } = request.into_inner();
        self.session(&session_id, &owner)?;
        let state = self.processes.lock();
        let of_session = state.all.values().filter(|process| process.session == session_id);
        let processes = of_session.map(|process| process.about.clone()).collect();
        Ok(Response::new(wire::ListProcessesResponse { processes }))
    }

    async fn write_stdin(
        &self,
        request: Request<wire::WriteStdinRequest>,
    ) -> Result<Response<wire::WriteStdinResponse>, Status> {
        self.admit(&request)?;
        let wire::WriteStdinRequest { session_id, owner, process_id, data, end } =
            request.into_inner();
        self.session(&session_id, &owner)?;
        let process = self.processes.of(&session_id, process_id)?;
        if !process.stdin_open {
            return Err(failed(Code::FailedPrecondition, reason::STDIN_CLOSED, "it is not open"));
        }
        let mut state = self.processes.lock();
        state.print(process_id, &data);
        if end {
            state.end(process_id, Some(0), None);
        }
        Ok(Response::new(wire::WriteStdinResponse {}))
    }

    async fn signal_process(
        &self,
        request: Request<wire::SignalProcessRequest>,
    ) -> Result<Response<wire::SignalProcessResponse>, Status> {
        self.admit(&request)?;
        let wire::SignalProcessRequest { session_id, owner, process_id, signal } =
            request.into_inner();
        self.session(&session_id, &owner)?;
        if self.processes.of(&session_id, process_id)?.ended.is_some() {
            return Err(failed(Code::FailedPrecondition, reason::PROCESS_ENDED, "it has ended"));
        }
        self.processes.lock().signals.push((process_id, signal));
        Ok(Response::new(wire::SignalProcessResponse {}))
    }

    async fn kill_process(
        &self,
        request: Request<wire::KillProcessRequest>,
    ) -> Result<Response<wire::Process>, Status> {
        self.admit(&request)?;
        let wire::KillProcessRequest { session_id, owner, process_id } = request.into_inner();
        self.session(&session_id, &owner)?;
        if self.processes.of(&session_id, process_id)?.ended.is_none() {
            self.processes.lock().end(process_id, None, Some("SIGKILL"));
        }
        self.processes.of(&session_id, process_id).map(Response::new)
    }

    async fn resize_terminal(
        &self,
        request: Request<wire::ResizeTerminalRequest>,
    ) -> Result<Response<wire::ResizeTerminalResponse>, Status> {
        self.admit(&request)?;
        let wire::ResizeTerminalRequest { session_id, owner, process_id, size } =
            request.into_inner();
        self.session(&session_id, &owner)?;
        if !self.processes.of(&session_id, process_id)?.has_terminal {
            return Err(failed(Code::FailedPrecondition, reason::NO_TERMINAL, "it has none"));
        }
        let wire::TerminalSize { columns, rows } = size.unwrap_or_default();
        self.processes.lock().sizes.push((columns, rows));
        Ok(Response::new(wire::ResizeTerminalResponse {}))
    }

    /// An echo of what is typed, which ends at the word "exit".
    async fn attach_terminal(
        &self,
        request: Request<Streaming<wire::ToTerminal>>,
    ) -> Result<Response<Frames>, Status> {
        self.admit(&request)?;
        let mut said = request.into_inner();
        let first = said.message().await?.and_then(|first| first.message);
        let Some(To::Attach(wire::AttachTerminal { session_id, owner, process_id, since })) = first
        else {
            return Err(Status::invalid_argument("that comes first"));
        };
        self.session(&session_id, &owner)?;
        if !self.processes.of(&session_id, process_id)?.has_terminal {
            return Err(failed(Code::FailedPrecondition, reason::NO_TERMINAL, "it has none"));
        }
        let (shows, shown) = mpsc::unbounded_channel();
        let show = move |message| {
            let _ = shows.send(Ok(wire::FromTerminal { message: Some(message) }));
        };
        let begins = since.max(5);
        show(From::Attached(wire::TerminalAttached { offset: begins, missing: begins - since }));
        let processes = self.processes.clone();
        tokio::spawn(async move {
            let mut offset = begins;
            while let Some(Ok(wire::ToTerminal { message: Some(message) })) = said.next().await {
                match message {
                    To::Input(data) if &data[..] == b"exit" => {
                        let code = Some(7);
                        show(From::Ended(wire::ProcessEnded {
                            exit_code: code,
                            ..wire::ProcessEnded::default()
                        }));
                    }
                    To::Input(data) if &data[..] == b"take over" => {
                        show(From::TakenOver(wire::TakenOver {}));
                    }
                    To::Input(data) => {
                        let length = data.len() as u64;
                        show(From::Output(wire::TerminalOutput { offset, data }));
                        offset += length;
                    }
                    To::Resize(wire::TerminalSize { columns, rows }) => {
                        processes.lock().sizes.push((columns, rows));
                    }
                    To::Acknowledged(bytes) => processes.lock().sizes.push((bytes as u32, 0)),
                    To::Attach(_) => return,
                }
            }
        });
        Ok(Response::new(Box::pin(UnboundedReceiverStream::new(shown))))
    }
}
