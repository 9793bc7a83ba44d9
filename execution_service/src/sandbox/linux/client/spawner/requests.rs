//! The way to ask the spawner, and the claim to what it has made.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use tokio::sync::oneshot;

use crate::sandbox::backend::{ProcessEnd, SandboxError};
use crate::sandbox::linux::client::pending::{Packets, Pending};
use crate::sandbox::linux::wire::spawner::{SpawnerReply, SpawnerRequest, ToSpawner};

/// What the spawner has answered, and what came to be by it.
pub(super) struct Reply {
    pub(super) said: SpawnerReply,
    pub(super) fds: Vec<OwnedFd>,
    pub(super) exit: Option<oneshot::Receiver<ProcessEnd>>,
    pub(super) claim: Option<Claim>,
}

/// The way to ask.
#[derive(Clone)]
pub(super) struct Requests {
    pub(super) socket: Arc<Packets>,
    pub(super) pending: Arc<Pending<Reply>>,
}

impl Requests {
    pub(super) async fn ask(
        &self,
        request: SpawnerRequest,
        fds: Vec<OwnedFd>,
    ) -> Result<Reply, SandboxError> {
        let expected = self.pending.expect();
        let message = ToSpawner { sequence: expected.sequence(), request };
        self.socket.send(&message, &fds).await.map_err(|_| SandboxError::BackendGone)?;
        expected.reply().await.ok_or(SandboxError::BackendGone)
    }
}

/// A claim to something that the spawner has made. Whoever asked for it may be gone when it comes, as a
/// caller who hangs up: dropped, this ends it.
pub struct Claim {
    pub(super) requests: Requests,
    pub(super) end: Option<SpawnerRequest>,
}

impl Claim {
    /// Somebody else sees to its end from here on.
    pub fn keep(mut self) {
        self.end = None;
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // Without a runtime the worker itself is ending, and the spawner sees that.
        if let Some(end) = self.end.take()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            let requests = self.requests.clone();
            runtime.spawn(async move { requests.ask(end, Vec::new()).await.map(drop) });
        }
    }
}
