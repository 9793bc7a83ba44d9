//! The worker, as the gateway sees it.
//!
//! This is the only place that knows `tonic`. Domain values go in and come out; what the wire says
//! is turned into meanings by the reason that a failed call carries, never by its text.

mod account;
mod artifacts_from_wire;
mod call;
mod channel;
mod contexts;
mod error;
mod executions;
mod files;
mod from_wire;
mod inventory_from_wire;
mod network;
mod processes;
#[cfg(test)]
mod properties;
mod sessions;
mod sessions_from_wire;
mod terminals;
mod tls;
mod to_wire;

use std::time::Duration;

use proto::execution_v1::executions_client::ExecutionsClient;
use proto::execution_v1::files_client::FilesClient;
use proto::execution_v1::network_client::NetworkClient;
use proto::execution_v1::processes_client::ProcessesClient;
use proto::execution_v1::sessions_client::SessionsClient;
use proto::execution_v1::workers_client::WorkersClient;
use tonic::transport::{Channel, Endpoint};

pub use self::call::Call;
use self::call::Token;
pub use self::error::Error;
pub use self::executions::{Events, Stored, StoredPiece};
pub use self::files::{Changes, Download, FoundFile, Sent, Upload, Wanted, Watch};
pub use self::processes::{EventsWanted, InSession};
pub use self::terminals::{Terminal, TerminalKeyboard, TerminalView};
pub use self::tls::{TlsError, TlsFiles, TlsIdentity};

/// A worker. Cheap to clone; all clones share one connection.
#[derive(Clone)]
pub struct WorkerClient {
    endpoint: Endpoint,
    rpc: Rpc,
    token: Token,
}

impl WorkerClient {
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

    fn processes(self) -> ProcessesClient<Channel> {
        ProcessesClient::new(self.0).max_encoding_message_size(proto::wire::MAX_MESSAGE_BYTES)
    }

    fn files(self) -> FilesClient<Channel> {
        // A listing may be long.
        FilesClient::new(self.0).max_decoding_message_size(proto::wire::MAX_MESSAGE_BYTES)
    }

    fn network(self) -> NetworkClient<Channel> {
        NetworkClient::new(self.0)
    }

    fn sessions(self) -> SessionsClient<Channel> {
        SessionsClient::new(self.0).max_encoding_message_size(proto::wire::MAX_MESSAGE_BYTES)
    }

    fn workers(self) -> WorkersClient<Channel> {
        WorkersClient::new(self.0)
    }
}

/// Between a call that could not be sent and its one retry.
const RETRY_DELAY: Duration = Duration::from_millis(50);
