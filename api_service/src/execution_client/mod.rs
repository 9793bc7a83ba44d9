//! The worker, as the gateway sees it.
//!
//! This is the only place that knows `tonic`. Domain values go in and come out; what the wire says
//! is turned into meanings by the reason that a failed call carries, never by its text.

mod call;
mod channel;
mod error;
mod from_wire;
mod inventory_from_wire;
#[cfg(test)]
mod properties;
mod tls;
mod to_wire;

use std::time::Duration;

use proto::execution_v1 as wire;
use proto::execution_v1::executions_client::ExecutionsClient;
use proto::execution_v1::sessions_client::SessionsClient;
use proto::execution_v1::workers_client::WorkersClient;
use tonic::Streaming;
use tonic::transport::{Channel, Endpoint};

pub use self::call::Call;
use self::call::Token;
pub use self::error::Error;
pub use self::tls::{TlsError, TlsFiles, TlsIdentity};
use crate::domain::capabilities::Capabilities;
use crate::domain::event::{Event, OutputStream};
use crate::domain::ids::{ExecutionId, SessionId, UserId};
use crate::domain::inventory::Inventory;
use crate::domain::run::RunRequest;
use crate::domain::session::{LiveSession, NewSession};

/// A worker. Cheap to clone; all clones share one connection.
#[derive(Clone)]
pub struct ExecutionClient {
    endpoint: Endpoint,
    rpc: Rpc,
    token: Token,
}

impl ExecutionClient {
    /// For the worker at `url` (`http://host:port`, `https://host:port` with `tls`, or `unix:/path`).
    /// Connects when it is first needed, and again whenever the connection is lost.
    ///
    /// # Errors
    /// When the URL, the certificates or the token cannot be used.
    pub fn new(url: &str, tls: Option<TlsIdentity>, internal_token: &str) -> Result<Self, Error> {
        let endpoint = channel::endpoint(url, tls)?;
        let rpc = Rpc::open(&endpoint);
        Ok(Self { endpoint, rpc, token: Token::new(internal_token)? })
    }

    /// The same worker by a connection of its own, which is kept by the runtime this is called in.
    #[must_use]
    pub fn connected_from_here(&self) -> Self {
        let Self { endpoint, rpc: _, token } = self;
        Self { endpoint: endpoint.clone(), rpc: Rpc::open(endpoint), token: token.clone() }
    }

    /// Starts a run and gives its events. Dropping them ends a stateless run.
    ///
    /// # Errors
    /// When the worker cannot be reached or does not take the run.
    pub async fn execute(
        &self,
        call: &Call,
        id: &ExecutionId,
        owner: &UserId,
        run: &RunRequest,
    ) -> Result<Events, Error> {
        let message = to_wire::execute(id, owner, run);
        let stream =
            self.call(call, message, async |rpc, request| rpc.executions().execute(request).await);
        Ok(Events { stream: stream.await? })
    }

    /// Ends a run early.
    ///
    /// # Errors
    /// [`Error::ExecutionNotFound`] when nothing by that id runs for that owner.
    pub async fn cancel(&self, call: &Call, id: &ExecutionId, owner: &UserId) -> Result<(), Error> {
        let message = wire::CancelRequest {
            execution_id: id.as_str().to_owned(),
            owner: owner.as_str().to_owned(),
        };
        let answer =
            self.call(call, message, async |rpc, request| rpc.executions().cancel(request).await);
        answer.await.map(|wire::CancelResponse {}| ())
    }

    /// Some of what a run that has ended wrote to `stream`: from byte `offset` on, at most `length`.
    ///
    /// # Errors
    /// [`Error::OutputNotFound`] when the worker does not store it for that owner.
    pub async fn read_output(
        &self,
        call: &Call,
        id: &ExecutionId,
        owner: &UserId,
        stream: OutputStream,
        (offset, length): (u64, u64),
    ) -> Result<StoredPiece, Error> {
        let message = wire::ReadOutputRequest {
            execution_id: id.as_str().to_owned(),
            owner: owner.as_str().to_owned(),
            stream: i32::from(to_wire::stream(stream)),
            offset,
            length,
        };
        let answer = self
            .call(call, message, async |rpc, request| rpc.executions().read_output(request).await);
        let wire::OutputPiece { stored, total, data } = answer.await?;
        Ok(StoredPiece { stored, total, data: data.into() })
    }

    /// Makes a session.
    ///
    /// # Errors
    /// When the worker cannot be reached or does not make it.
    pub async fn create_session(
        &self,
        call: &Call,
        id: &SessionId,
        owner: &UserId,
        new: &NewSession,
    ) -> Result<LiveSession, Error> {
        let message = to_wire::create_session(id, owner, new);
        let answer = self
            .call(call, message, async |rpc, request| rpc.sessions().create_session(request).await);
        from_wire::session(answer.await?)
    }

    /// Looks at a session.
    ///
    /// # Errors
    /// [`Error::SessionNotFound`], [`Error::SessionExpired`] or [`Error::SessionLost`].
    pub async fn session(
        &self,
        call: &Call,
        id: &SessionId,
        owner: &UserId,
    ) -> Result<LiveSession, Error> {
        let message = wire::GetSessionRequest {
            session_id: id.as_str().to_owned(),
            owner: owner.as_str().to_owned(),
        };
        let answer = self
            .call(call, message, async |rpc, request| rpc.sessions().get_session(request).await);
        from_wire::session(answer.await?)
    }

    /// All sessions of an owner that live.
    ///
    /// # Errors
    /// When the worker cannot be reached.
    pub async fn sessions(&self, call: &Call, owner: &UserId) -> Result<Vec<LiveSession>, Error> {
        let message = wire::ListSessionsRequest { owner: owner.as_str().to_owned() };
        let answer = self
            .call(call, message, async |rpc, request| rpc.sessions().list_sessions(request).await);
        answer.await?.sessions.into_iter().map(from_wire::session).collect()
    }

    /// Ends a session.
    ///
    /// # Errors
    /// [`Error::SessionNotFound`], [`Error::SessionExpired`] or [`Error::SessionLost`].
    pub async fn end_session(
        &self,
        call: &Call,
        id: &SessionId,
        owner: &UserId,
    ) -> Result<(), Error> {
        let message = wire::EndSessionRequest {
            session_id: id.as_str().to_owned(),
            owner: owner.as_str().to_owned(),
        };
        let answer = self
            .call(call, message, async |rpc, request| rpc.sessions().end_session(request).await);
        answer.await.map(|wire::EndSessionResponse {}| ())
    }

    /// Asks the worker what it is.
    ///
    /// # Errors
    /// When the worker cannot be reached.
    pub async fn capabilities(&self, call: &Call) -> Result<Capabilities, Error> {
        let message = wire::GetCapabilitiesRequest {};
        let answer = self.call(call, message, async |rpc, request| {
            rpc.workers().get_capabilities(request).await
        });
        from_wire::capabilities(answer.await?)
    }

    /// Asks the worker what it holds.
    ///
    /// # Errors
    /// When the worker cannot be reached.
    pub async fn inventory(&self, call: &Call) -> Result<Inventory, Error> {
        let message = wire::GetInventoryRequest {};
        let answer = self
            .call(call, message, async |rpc, request| rpc.workers().get_inventory(request).await);
        answer.await.map(inventory_from_wire::inventory)
    }

    /// One call, and a second try when the first provably never left this machine: the worker's
    /// restart closes an idle connection, and that alone must not fail a request.
    async fn call<Message: Clone, Answer>(
        &self,
        call: &Call,
        message: Message,
        send: impl AsyncFn(
            Rpc,
            tonic::Request<Message>,
        ) -> Result<tonic::Response<Answer>, tonic::Status>,
    ) -> Result<Answer, Error> {
        let request = call.request(&self.token, message.clone())?;
        let first = send(self.rpc.clone(), request).await;
        let answer = match first {
            Err(status) if error::was_never_sent(&status) => {
                tokio::time::sleep(RETRY_DELAY).await;
                let request = call.request(&self.token, message)?;
                send(self.rpc.clone(), request).await
            }
            answer => answer,
        };
        answer.map(tonic::Response::into_inner).map_err(Error::from)
    }
}

/// One connection, for the calls of every service.
#[derive(Clone)]
struct Rpc(Channel);

impl Rpc {
    /// Connects when it is first needed, and again whenever the connection is lost.
    fn open(endpoint: &Endpoint) -> Self {
        Self(endpoint.connect_lazy())
    }

    fn executions(self) -> ExecutionsClient<Channel> {
        ExecutionsClient::new(self.0)
            .max_decoding_message_size(proto::wire::MAX_MESSAGE_BYTES)
            .max_encoding_message_size(proto::wire::MAX_MESSAGE_BYTES)
    }

    fn sessions(self) -> SessionsClient<Channel> {
        SessionsClient::new(self.0)
    }

    fn workers(self) -> WorkersClient<Channel> {
        WorkersClient::new(self.0)
    }
}

/// Between a call that could not be sent and its one retry.
const RETRY_DELAY: Duration = Duration::from_millis(50);

/// Some of a stored output.
#[derive(Debug)]
pub struct StoredPiece {
    /// How many bytes are stored in all.
    pub stored: u64,
    /// How many the program wrote.
    pub total: u64,
    /// Those that were asked for, or the first of them.
    pub data: Vec<u8>,
}

/// The events of a run. Must be read to the end; dropping them ends a stateless run.
pub struct Events {
    stream: Streaming<wire::ExecutionEvent>,
}

impl Events {
    /// The next event; `None` after the last.
    ///
    /// # Errors
    /// When the worker gives the run up or is lost.
    pub async fn next(&mut self) -> Result<Option<Event>, Error> {
        match self.stream.message().await? {
            Some(event) => from_wire::event(event).map(Some),
            None => Ok(None),
        }
    }
}
