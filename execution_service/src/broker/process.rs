//! The broker's process.

use std::collections::HashMap;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc};

use super::accept;
use super::gate::{Gate, Opened, Shared};
use super::limits::CONNECTIONS;
use super::wire::{FromBroker, GateId, ToBroker};
use crate::network::Operator;
use crate::sandbox::linux::Packets;

/// Threads that wait for the resolver.
const RESOLVERS: usize = 64;
/// What the worker has not yet taken of what happened; more is not told.
const UNTOLD: usize = 4096;

/// Serves until the worker is gone. To be called by a process that has given up what it does not need.
///
/// # Errors
/// When the worker speaks otherwise than agreed, or the system has nothing left.
pub fn main(worker: OwnedFd, operator: Operator) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(RESOLVERS)
        .enable_all()
        .build()?;
    let served = runtime.block_on(async { serve(Packets::new(worker)?, operator).await });
    // A thread may wait for the resolver.
    runtime.shutdown_background();
    served
}

/// Serves until the worker is gone.
///
/// # Errors
/// As [`main`].
pub async fn serve(worker: Packets, operator: Operator) -> io::Result<()> {
    let worker = Arc::new(worker);
    worker.send(&FromBroker::Ready { pid: std::process::id() }, &[]).await?;
    let (reports, mut untold) = mpsc::channel(UNTOLD);
    let telling = tokio::spawn({
        let worker = Arc::clone(&worker);
        async move {
            while let Some(report) = untold.recv().await {
                if worker.send::<FromBroker>(&report, &[]).await.is_err() {
                    return;
                }
            }
        }
    });
    let shared = Arc::new(Shared {
        operator,
        connections: Arc::new(Semaphore::new(room_for_connections())),
        reports,
    });
    let mut gates = HashMap::<GateId, Opened>::new();
    while let Some((message, fds)) = worker.receive().await? {
        match message {
            ToBroker::Open { gate: id, policy } => {
                // The worker did not know yet whether we had been told.
                if let Some(Opened(gate)) = gates.get(&id) {
                    gate.change(policy);
                    continue;
                }
                // Without its socket (there were too many open files) there is nobody to be served.
                let Some(listener) = fds.into_iter().next().and_then(|fd| listener(fd).ok()) else {
                    continue;
                };
                let gate = Gate::new(id, policy, Arc::clone(&shared));
                tokio::spawn(accept::serve(listener, Arc::clone(&gate)));
                gates.insert(id, Opened(gate));
            }
            ToBroker::Change { gate, policy } => {
                if let Some(Opened(gate)) = gates.get(&gate) {
                    gate.change(policy);
                }
            }
            ToBroker::Close { gate } => drop(gates.remove(&gate)),
        }
    }
    telling.abort();
    Ok(())
}

fn listener(fd: OwnedFd) -> io::Result<TcpListener> {
    let listener = std::net::TcpListener::from(fd);
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}

/// Each takes two open files, and others are needed.
fn room_for_connections() -> usize {
    let most = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    let most = most.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
    (most / 4).clamp(16, CONNECTIONS)
}
