//! A gateway, as far as the worker can see.

use std::sync::LazyLock;
use std::time::Duration;

use proto::execution_v1 as wire;
use proto::execution_v1::executions_client::ExecutionsClient;
use proto::execution_v1::files_client::FilesClient;
use proto::execution_v1::processes_client::ProcessesClient;
use proto::execution_v1::sessions_client::SessionsClient;
use proto::execution_v1::workers_client::WorkersClient;
use proto::wire::{
    AUTHORIZATION, ERROR_FIELD, ERROR_REASON, MAX_MESSAGE_BYTES, QUEUE_LENGTH, QUEUE_POSITION,
    REQUEST_ID, RETRY_AFTER,
};
use tokio::runtime::{Builder, Runtime};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};

use super::request::OWNER;
use super::run::{Ran, Running};
use super::within;

/// Where connections live: a worker that ends politely waits for its callers to hang up, and must not
/// wait for a test that in turn waits for it.
static CONNECTIONS: LazyLock<Runtime> = LazyLock::new(|| {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(1).enable_all().build().unwrap()
});

/// A client of one worker.
#[derive(Clone)]
pub struct Caller {
    executions: ExecutionsClient<Channel>,
    pub(super) sessions: SessionsClient<Channel>,
    pub(super) processes: ProcessesClient<Channel>,
    pub(super) files: FilesClient<Channel>,
    workers: WorkersClient<Channel>,
    token: Option<String>,
    request_id: Option<String>,
}

/// What a refused call says.
#[derive(Debug)]
pub struct Refusal {
    pub code: Code,
    pub reason: String,
    pub message: String,
    /// The field that is wrong; empty where none is.
    pub field: String,
    /// Seconds.
    pub retry_after: Option<u64>,
    /// Position and length.
    pub queue: Option<(u64, u64)>,
}

impl Caller {
    pub async fn connect(address: &str, token: &str) -> Self {
        let uri = match address.strip_prefix("unix:") {
            Some(path) => format!("unix://{path}"),
            None => format!("http://{address}"),
        };
        let endpoint = Endpoint::from_shared(uri).unwrap();
        let connecting = CONNECTIONS.spawn(async move { endpoint.connect().await });
        let channel = within("a connection", connecting).await.unwrap().unwrap();
        let executions = ExecutionsClient::new(channel.clone())
            .max_decoding_message_size(MAX_MESSAGE_BYTES)
            .max_encoding_message_size(MAX_MESSAGE_BYTES);
        let processes = ProcessesClient::new(channel.clone());
        let (sessions, files) =
            (SessionsClient::new(channel.clone()), FilesClient::new(channel.clone()));
        let workers = WorkersClient::new(channel);
        Self {
            executions,
            sessions,
            processes,
            files,
            workers,
            token: Some(String::from(token)),
            request_id: None,
        }
    }

    /// The same, showing no token.
    pub fn anonymous(&self) -> Self {
        Self { token: None, ..self.clone() }
    }

    /// The same, with this request id on every call.
    pub fn with_request_id(&self, id: &str) -> Self {
        Self { request_id: Some(String::from(id)), ..self.clone() }
    }

    pub(super) fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        if let Some(token) = &self.token {
            let value = format!("Bearer {token}").parse().unwrap();
            request.metadata_mut().insert(AUTHORIZATION, value);
        }
        if let Some(id) = &self.request_id {
            let value = id.parse().unwrap();
            request.metadata_mut().insert(REQUEST_ID, value);
        }
        request
    }

    /// Starts a run.
    pub async fn execute(&self, message: wire::ExecuteRequest) -> Result<Running, Refusal> {
        self.execute_request(self.request(message)).await
    }

    /// As [`Caller::execute`], with this deadline on the wire.
    pub async fn execute_for(
        &self,
        patience: Duration,
        message: wire::ExecuteRequest,
    ) -> Result<Running, Refusal> {
        let mut request = self.request(message);
        request.set_timeout(patience);
        self.execute_request(request).await
    }

    async fn execute_request(
        &self,
        request: Request<wire::ExecuteRequest>,
    ) -> Result<Running, Refusal> {
        let id = request.get_ref().execution_id.clone();
        let mut client = self.executions.clone();
        let answer = within("a run is accepted or refused", client.execute(request)).await;
        match answer {
            Ok(response) => Ok(Running::new(id, response.into_inner())),
            Err(status) => Err(Refusal::from(status)),
        }
    }

    /// A whole run.
    pub async fn run(&self, message: wire::ExecuteRequest) -> Ran {
        self.execute(message).await.unwrap().finish().await
    }

    /// A run that must not be accepted.
    pub async fn refused(&self, message: wire::ExecuteRequest) -> Refusal {
        match self.execute(message).await {
            Ok(running) => panic!("accepted: {:?}", running.finish().await),
            Err(refusal) => refusal,
        }
    }

    pub async fn cancel(&self, execution_id: &str, owner: &str) -> Result<(), Refusal> {
        let message = wire::CancelRequest {
            execution_id: String::from(execution_id),
            owner: String::from(owner),
        };
        let mut client = self.executions.clone();
        let answer = within("an answer to Cancel", client.cancel(self.request(message))).await;
        answer.map(drop).map_err(Refusal::from)
    }

    /// How much is stored, how much was written, and the bytes that were asked for.
    pub async fn read_output(
        &self,
        id: &str,
        owner: &str,
        stream: wire::Stream,
        offset: u64,
        length: u64,
    ) -> Result<(u64, u64, Vec<u8>), Refusal> {
        let mut read = Vec::new();
        loop {
            let done = read.len() as u64;
            let message = wire::ReadOutputRequest {
                artifact: None,
                execution_id: String::from(id),
                owner: String::from(owner),
                stream: i32::from(stream),
                offset: offset.saturating_add(done),
                length: length - done,
            };
            let mut client = self.executions.clone();
            let answer = client.read_output(self.request(message));
            let answer = within("an answer to ReadOutput", answer).await?.into_inner();
            let wire::OutputPiece { stored, total, data } = answer;
            read.extend(&data);
            if data.is_empty() || read.len() as u64 == length {
                return Ok((stored, total, read));
            }
        }
    }

    pub async fn create_session(
        &self,
        message: wire::CreateSessionRequest,
    ) -> Result<wire::Session, Refusal> {
        let mut client = self.sessions.clone();
        let answer = client.create_session(self.request(message));
        let answer = within("an answer to CreateSession", answer).await;
        answer.map(|a| a.into_inner()).map_err(Refusal::from)
    }

    pub async fn get_session(&self, id: &str, owner: &str) -> Result<wire::Session, Refusal> {
        let message =
            wire::GetSessionRequest { session_id: String::from(id), owner: String::from(owner) };
        let mut client = self.sessions.clone();
        let answer = client.get_session(self.request(message));
        let answer = within("an answer to GetSession", answer).await;
        answer.map(|a| a.into_inner()).map_err(Refusal::from)
    }

    /// The ids of the sessions of `owner`.
    pub async fn list_sessions(&self, owner: &str) -> Vec<String> {
        let message = wire::ListSessionsRequest { owner: String::from(owner) };
        let mut client = self.sessions.clone();
        let answer = client.list_sessions(self.request(message));
        let answer = within("an answer to ListSessions", answer).await.unwrap();
        let sessions = answer.into_inner().sessions.into_iter();
        sessions.map(|session| session.session_id).collect()
    }

    pub async fn end_session(&self, id: &str, owner: &str) -> Result<(), Refusal> {
        let message =
            wire::EndSessionRequest { session_id: String::from(id), owner: String::from(owner) };
        let mut client = self.sessions.clone();
        let answer = client.end_session(self.request(message));
        let answer = within("an answer to EndSession", answer).await;
        answer.map(drop).map_err(Refusal::from)
    }

    pub async fn try_capabilities(&self) -> Result<wire::Capabilities, Refusal> {
        let mut client = self.workers.clone();
        let answer = client.get_capabilities(self.request(wire::GetCapabilitiesRequest {}));
        let answer = within("an answer to GetCapabilities", answer).await;
        answer.map(|a| a.into_inner()).map_err(Refusal::from)
    }

    pub async fn inventory(&self) -> Result<wire::Inventory, Refusal> {
        let mut client = self.workers.clone();
        let answer = client.get_inventory(self.request(wire::GetInventoryRequest {}));
        let answer = within("an answer to GetHoldings", answer).await;
        answer.map(|a| a.into_inner()).map_err(Refusal::from)
    }

    pub async fn capabilities(&self) -> wire::Capabilities {
        self.try_capabilities().await.unwrap()
    }

    /// Asks whether a session of [`OWNER`] is busy.
    pub async fn is_busy(&self, session: &wire::Session) -> bool {
        let seen = self.get_session(&session.session_id, OWNER).await;
        seen.unwrap().busy
    }
}

impl From<Status> for Refusal {
    fn from(status: Status) -> Self {
        let text = |key| {
            let value = status.metadata().get(key)?;
            Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let number = |key| text(key).map(|number| number.parse().unwrap());
        Self {
            code: status.code(),
            reason: text(ERROR_REASON).unwrap_or_default(),
            message: String::from(status.message()),
            field: text(ERROR_FIELD).unwrap_or_default(),
            retry_after: number(RETRY_AFTER),
            queue: number(QUEUE_POSITION).zip(number(QUEUE_LENGTH)),
        }
    }
}
