//! The way to ask the spawner.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use tokio::sync::oneshot;

use super::claim::Claim;
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
