//! The worker's gRPC server.

use std::future::Future;
use std::sync::Arc;

use anyhow::Context;
use futures::TryStreamExt;
use proto::execution_v1::{
    executions_server, files_server, network_server, processes_server, sessions_server,
    workers_server,
};
use proto::wire::MAX_MESSAGE_BYTES;
use settings::Secret;
use tokio_stream::wrappers::UnixListenerStream;
use tonic::service::InterceptorLayer;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

use super::tls::TlsFiles;
use crate::grpc::{
    Authenticate, Connections, Executions, Files, Network, Processes, Sessions, Workers,
};
use crate::listener::{Listener, Socket};
use crate::worker::Worker;

/// Serves gateways that have `token`, until `stopping` and then until they have hung up.
pub async fn serve(
    worker: &Arc<Worker>,
    (listener, tls, token): (Listener, Option<TlsFiles>, Secret),
    stopping: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let executions = Executions::new(Arc::clone(worker));
    let executions = executions_server::ExecutionsServer::new(executions)
        .max_decoding_message_size(MAX_MESSAGE_BYTES)
        .max_encoding_message_size(MAX_MESSAGE_BYTES);
    // With files that a session begins with.
    let sessions = sessions_server::SessionsServer::new(Sessions::new(Arc::clone(worker)))
        .max_decoding_message_size(MAX_MESSAGE_BYTES);
    let processes = processes_server::ProcessesServer::new(Processes::new(Arc::clone(worker)));
    let files = files_server::FilesServer::new(Files::new(Arc::clone(worker)));
    let network = network_server::NetworkServer::new(Network::new(Arc::clone(worker)));
    let workers = workers_server::WorkersServer::new(Workers::new(Arc::clone(worker)));
    let router = builder(tls, &listener)?
        .layer(InterceptorLayer::new(Authenticate::new(token)))
        .add_service(executions)
        .add_service(sessions)
        .add_service(processes)
        .add_service(files)
        .add_service(network)
        .add_service(workers);
    let address = listener.address()?;
    tracing::info!(address, "serving gRPC");
    let connections = Connections::default();
    match listener.socket {
        Socket::Tcp(listener) => {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            // The option of the server's builder does not reach connections of a listener of ours.
            let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
            let incoming = incoming.map_ok(|io| connections.take(io));
            router.serve_with_incoming_shutdown(incoming, stopping).await?;
        }
        Socket::Unix(listener) => {
            let incoming = UnixListenerStream::new(tokio::net::UnixListener::from_std(listener)?);
            let incoming = incoming.map_ok(|io| connections.take(io));
            router.serve_with_incoming_shutdown(incoming, stopping).await?;
        }
    }
    Ok(())
}

fn builder(tls: Option<TlsFiles>, listener: &Listener) -> anyhow::Result<Server> {
    let server = Server::builder();
    match (tls, listener.is_reached_by_others()?) {
        (Some(tls), _) => {
            tracing::info!("gateways are served by mutual TLS");
            let server = server.tls_config(tls.read()?);
            return server.context("TLS_CERT, TLS_KEY or TLS_CLIENT_CA");
        }
        (None, true) => tracing::warn!(
            remedy = "set TLS_CERT, TLS_KEY and TLS_CLIENT_CA",
            "ALLOW_PLAINTEXT: other machines reach this worker, and everything passes in clear"
        ),
        (None, false) => {}
    }
    Ok(server)
}
