//! A worker that runs nothing: its script says what each run does.

use std::collections::HashMap;
use std::net::{SocketAddr, TcpListener};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use proto::execution_v1 as wire;
use proto::execution_v1::execution_event::Event;
use proto::execution_v1::executions_server::{Executions, ExecutionsServer};
use proto::execution_v1::files_server::FilesServer;
use proto::execution_v1::network_server::NetworkServer;
use proto::execution_v1::processes_server::ProcessesServer;
use proto::execution_v1::sessions_server::SessionsServer;
use proto::execution_v1::workers_server::{Workers, WorkersServer};
use proto::wire::{AUTHORIZATION, REQUEST_ID, reason};
use tokio::runtime::Builder;
use tokio::sync::{Notify, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::ServerTlsConfig;
use tonic::transport::server::TcpIncoming;
use tonic::{Code, Request, Response, Status};

use super::capabilities::capabilities;
use super::fake_files::FakeFiles;
use super::fake_processes::FakeProcesses;
use super::life::Life;
use super::script::{self, Signs, event, failed};
use super::{artifacts, fake_network, fake_sessions};

pub const TOKEN: &str = "internal-nobody-logs-this-0123456789abcdef";

type Events =
    Pin<Box<dyn tokio_stream::Stream<Item = Result<wire::ExecutionEvent, Status>> + Send>>;

#[derive(Default)]
pub struct Seen {
    pub executes: Vec<wire::ExecuteRequest>,
    pub request_ids: Vec<String>,
    pub deadlines: Vec<String>,
    /// Runs whose caller went away.
    pub abandoned: Vec<String>,
    pub sessions: HashMap<String, (String, wire::Session)>,
    /// What sessions were made with.
    pub session_files: Vec<wire::File>,
    pub running: HashMap<String, (String, Arc<Notify>)>,
    /// By execution: where its standard input goes, while it is open.
    pub inputs: HashMap<String, mpsc::UnboundedSender<wire::WriteInputRequest>>,
    /// By execution: its owner, and what it wrote to standard output.
    outputs: HashMap<String, (String, Vec<u8>)>,
    /// Languages beside those that it always has; also ones that it would lack.
    pub learnt: Vec<wire::LanguageInfo>,
    lives: u32,
}

#[derive(Clone)]
pub struct FakeWorker {
    seen: Arc<Mutex<Seen>>,
    address: SocketAddr,
    life: Arc<Mutex<Option<Life>>>,
    tls: Option<ServerTlsConfig>,
    /// Of a run that waits.
    turn: Arc<Notify>,
    pub files: FakeFiles,
    /// Its processes.
    pub processes: FakeProcesses,
}

impl FakeWorker {
    pub fn start() -> Self {
        Self::start_with(None)
    }

    /// One on another machine, as far as the gateway can tell.
    pub fn start_with(tls: Option<ServerTlsConfig>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let worker = Self {
            seen: Arc::default(),
            address,
            life: Arc::default(),
            turn: Arc::default(),
            processes: FakeProcesses::default(),
            tls,
            files: FakeFiles::default(),
        };
        worker.serve(listener);
        worker
    }

    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    pub fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As `kill -9` does: connections break, sessions are gone.
    pub fn kill(&self) {
        drop(self.life.lock().unwrap().take());
        let mut seen = self.seen();
        seen.sessions.clear();
        seen.running.clear();
        seen.outputs.clear();
    }

    /// On the same port, with nothing of its earlier life.
    pub async fn revive(&self) {
        let listener = loop {
            match TcpListener::bind(self.address) {
                Ok(listener) => break listener,
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        };
        self.serve(listener);
    }

    /// The run that waits gets its turn.
    pub fn let_begin(&self) {
        self.turn.notify_one();
    }

    /// The worker has one language more, as the gateway will see when it asks next.
    pub fn learn(&self, name: &str, aliases: &[&str]) {
        self.seen().learnt.push(wire::LanguageInfo {
            name: name.to_owned(),
            aliases: aliases.iter().map(ToString::to_string).collect(),
            version: "1".to_owned(),
            ..wire::LanguageInfo::default()
        });
    }

    /// The worker forgets all sessions.
    pub fn end_sessions(&self) {
        self.seen().sessions.clear();
    }

    fn serve(&self, listener: TcpListener) {
        self.seen().lives += 1;
        let executions = ExecutionsServer::new(self.clone())
            .max_decoding_message_size(proto::wire::MAX_MESSAGE_BYTES);
        let (sessions, workers) =
            (SessionsServer::new(self.clone()), WorkersServer::new(self.clone()));
        let (files, processes) =
            (FilesServer::new(self.clone()), ProcessesServer::new(self.clone()));
        let network = NetworkServer::new(self.clone());
        let tls = self.tls.clone();
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.spawn(async move {
            listener.set_nonblocking(true).unwrap();
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
            let mut server = tonic::transport::Server::builder();
            if let Some(tls) = tls {
                server = server.tls_config(tls).unwrap();
            }
            let server = server.add_service(executions).add_service(sessions);
            let server = server.add_service(network);
            let server = server.add_service(workers).add_service(processes).add_service(files);
            let _ = server.serve_with_incoming(incoming).await;
        });
        *self.life.lock().unwrap() = Some(Life(Some(runtime)));
    }

    pub(super) fn admit<T>(&self, request: &Request<T>) -> Result<(), Status> {
        let sent = request.metadata().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        if sent == Some(&format!("Bearer {TOKEN}")) {
            Ok(())
        } else {
            Err(failed(Code::Unauthenticated, reason::UNAUTHENTICATED, "no"))
        }
    }

    pub(super) fn session(&self, id: &str, owner: &str) -> Result<wire::Session, Status> {
        let seen = self.seen();
        let found = seen.sessions.get(id).filter(|(of, _)| of == owner);
        found
            .map(|(_, session)| session.clone())
            .ok_or_else(|| failed(Code::NotFound, reason::SESSION_NOT_FOUND, "no such session"))
    }
}

/// Notes that its caller went away, unless it was told otherwise.
struct Caller {
    worker: FakeWorker,
    id: String,
    answered: bool,
}

impl Drop for Caller {
    fn drop(&mut self) {
        if !self.answered {
            self.worker.seen().abandoned.push(self.id.clone());
        }
    }
}

#[tonic::async_trait]
impl Executions for FakeWorker {
    type ExecuteStream = Events;

    async fn read_output(
        &self,
        request: Request<wire::ReadOutputRequest>,
    ) -> Result<Response<wire::OutputPiece>, Status> {
        self.admit(&request)?;
        let wire::ReadOutputRequest { execution_id, owner, stream, offset, length, artifact } =
            request.into_inner();
        if let Some(path) = artifact {
            let owned = self.seen().executes.iter().any(|run| {
                run.execution_id == execution_id && run.owner == owner && !run.collect.is_empty()
            });
            let content = artifacts::content(&path).filter(|_| owned);
            let none = || failed(Code::NotFound, reason::OUTPUT_NOT_FOUND, "no such artifact");
            let content = content.ok_or_else(none)?;
            return Ok(Response::new(script::piece(&content, offset, length)));
        }
        let stored = self.seen().outputs.get(&execution_id).cloned();
        let stdout = i32::from(wire::Stream::Stdout);
        match stored.filter(|(of, _)| *of == owner && stream == stdout) {
            Some((_, bytes)) => Ok(Response::new(script::piece(&bytes, offset, length))),
            None => Err(failed(Code::NotFound, reason::OUTPUT_NOT_FOUND, "no such output")),
        }
    }

    async fn execute(
        &self,
        request: Request<wire::ExecuteRequest>,
    ) -> Result<Response<Events>, Status> {
        self.admit(&request)?;
        let metadata = |name| {
            let value = request.metadata().get(name).and_then(|value| value.to_str().ok());
            value.unwrap_or_default().to_owned()
        };
        let (id, deadline) = (metadata(REQUEST_ID), metadata("grpc-timeout"));
        let run = request.into_inner();
        {
            let mut seen = self.seen();
            seen.request_ids.push(id);
            seen.deadlines.push(deadline);
            seen.executes.push(run.clone());
            if run.code.starts_with("big ") {
                let stored = (run.owner.clone(), script::big());
                seen.outputs.insert(run.execution_id.clone(), stored);
            }
        }
        if !run.session_id.is_empty() {
            let session = self.session(&run.session_id, &run.owner)?;
            fake_sessions::admit_run(&session, &run)?;
        }
        fake_network::admit(run.network.as_ref())?;
        if let Some(refusal) = script::refusal(&run.code) {
            return Err(refusal);
        }
        let stop = Arc::new(Notify::new());
        let running = (run.owner.clone(), stop.clone());
        self.seen().running.insert(run.execution_id.clone(), running);
        let (written, input) = mpsc::unbounded_channel();
        if run.open_stdin {
            self.seen().inputs.insert(run.execution_id.clone(), written);
        }
        let (events, stream) = mpsc::channel(16);
        let worker = self.clone();
        tokio::spawn(async move {
            let id = run.execution_id.clone();
            let mut caller = Caller { worker: worker.clone(), id: id.clone(), answered: false };
            let begun = wire::Started { execution_id: id.clone() };
            if run.code == "wait" {
                worker.turn.notified().await;
            }
            let _ = events.send(event(Event::Started(begun))).await;
            let signs = Signs { stop: &stop, turn: &worker.turn };
            let mut last = script::play(&run.code, &events, signs, input).await;
            if let Some(Ok(wire::ExecutionEvent { event: Some(Event::Outcome(outcome)) })) =
                &mut last
            {
                artifacts::tell(&run, outcome);
            }
            worker.seen().inputs.remove(&id);
            worker.seen().running.remove(&id);
            caller.answered = match last {
                Some(last) => events.send(last).await.is_ok(),
                None => false,
            };
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(stream))))
    }

    async fn write_input(
        &self,
        request: Request<wire::WriteInputRequest>,
    ) -> Result<Response<wire::WriteInputResponse>, Status> {
        self.admit(&request)?;
        let message = request.into_inner();
        let mut seen = self.seen();
        let id = message.execution_id.clone();
        match seen.running.get(&id) {
            Some((of, _)) if *of == message.owner => {}
            _ => return Err(failed(Code::NotFound, reason::EXECUTION_NOT_FOUND, "no such run")),
        }
        if &*message.data == b"too much" {
            return Err(failed(Code::ResourceExhausted, reason::STDIN_FULL, "it does not read"));
        }
        let end = message.end;
        let closed = || failed(Code::FailedPrecondition, reason::STDIN_CLOSED, "it is not open");
        let input = seen.inputs.get(&id).ok_or_else(closed)?;
        input.send(message).map_err(|_| closed())?;
        if end {
            seen.inputs.remove(&id);
        }
        Ok(Response::new(wire::WriteInputResponse {}))
    }

    async fn cancel(
        &self,
        request: Request<wire::CancelRequest>,
    ) -> Result<Response<wire::CancelResponse>, Status> {
        self.admit(&request)?;
        let wire::CancelRequest { execution_id, owner } = request.into_inner();
        match self.seen().running.get(&execution_id) {
            Some((of, stop)) if *of == owner => {
                stop.notify_one();
                Ok(Response::new(wire::CancelResponse {}))
            }
            _ => Err(failed(Code::NotFound, reason::EXECUTION_NOT_FOUND, "no such execution")),
        }
    }
}

#[tonic::async_trait]
impl Workers for FakeWorker {
    async fn get_capabilities(
        &self,
        request: Request<wire::GetCapabilitiesRequest>,
    ) -> Result<Response<wire::Capabilities>, Status> {
        self.admit(&request)?;
        let seen = self.seen();
        Ok(Response::new(capabilities(seen.learnt.clone(), seen.lives)))
    }

    async fn get_inventory(
        &self,
        request: Request<wire::GetInventoryRequest>,
    ) -> Result<Response<wire::Inventory>, Status> {
        self.admit(&request)?;
        let item = wire::InventoryItem { kind: "sandboxes".to_owned(), worker: 8, kernel: Some(9) };
        Ok(Response::new(wire::Inventory { items: vec![item], ..wire::Inventory::default() }))
    }
}
