//! The worker's side of the spawner's socket.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::caller::{Packets, Pending};
use super::protocol::{
    CgroupUsage, FromSpawner, SandboxId, SpawnerReply, SpawnerRequest, ToSpawner,
};
use crate::sandbox::backend::SandboxError;
use crate::sandbox::spec::SandboxLimits;

type Reply = (SpawnerReply, Vec<OwnedFd>);

/// See the module.
pub struct SpawnerClient {
    socket: Arc<Packets>,
    pending: Arc<Pending<Reply>>,
    failed: CancellationToken,
}

impl SpawnerClient {
    /// Takes over the socket; must be called inside a runtime.
    pub fn new(socket: OwnedFd) -> std::io::Result<Self> {
        let socket = Arc::new(Packets::new(socket)?);
        let pending = Pending::new();
        let failed = CancellationToken::new();
        tokio::spawn(listen(Arc::clone(&socket), Arc::clone(&pending), failed.clone()));
        Ok(Self { socket, pending, failed })
    }

    /// Makes a sandbox; the descriptor is the socket of its init.
    pub async fn create(
        &self,
        limits: SandboxLimits,
    ) -> Result<(SandboxId, OwnedFd), SandboxError> {
        match self.ask(SpawnerRequest::Create { limits }).await? {
            (SpawnerReply::Created { sandbox }, mut fds) => {
                fds.pop().map(|socket| (sandbox, socket)).ok_or(SandboxError::BackendGone)
            }
            (SpawnerReply::Failed(failure), _) => {
                let source = failure.error();
                Err(SandboxError::Create { stage: failure.stage, source })
            }
            _ => Err(SandboxError::BackendGone),
        }
    }

    /// Changes limits, resets peaks.
    pub async fn prepare(
        &self,
        sandbox: SandboxId,
        limits: SandboxLimits,
    ) -> Result<(), SandboxError> {
        match self.ask(SpawnerRequest::Prepare { sandbox, limits }).await?.0 {
            SpawnerReply::Done => Ok(()),
            SpawnerReply::Failed(failure) => Err(SandboxError::Limits(failure.error())),
            _ => Err(SandboxError::BackendGone),
        }
    }

    /// What the cgroup says.
    pub async fn usage(&self, sandbox: SandboxId) -> Result<CgroupUsage, SandboxError> {
        match self.ask(SpawnerRequest::Usage { sandbox }).await?.0 {
            SpawnerReply::Usage(usage) => Ok(usage),
            _ => Err(SandboxError::BackendGone),
        }
    }

    /// Kills everything in a sandbox.
    pub async fn kill(&self, sandbox: SandboxId) -> Result<(), SandboxError> {
        self.ask(SpawnerRequest::Kill { sandbox }).await.map(|_| ())
    }

    /// Ends a sandbox and waits until nothing of it is left.
    pub async fn end(&self, sandbox: SandboxId) {
        // If the spawner is gone, so is every sandbox.
        let _ = self.ask(SpawnerRequest::End { sandbox }).await;
    }

    /// Completes when the spawner is gone.
    pub async fn failed(&self) {
        self.failed.cancelled().await;
    }

    async fn ask(&self, request: SpawnerRequest) -> Result<Reply, SandboxError> {
        let (sequence, reply) = self.pending.expect();
        let message = ToSpawner { sequence, request };
        self.socket.send(&message).await.map_err(|_| SandboxError::BackendGone)?;
        reply.await.map_err(|_| SandboxError::BackendGone)
    }
}

async fn listen(socket: Arc<Packets>, pending: Arc<Pending<Reply>>, failed: CancellationToken) {
    while let Ok(Some((FromSpawner { sequence, reply }, fds))) = socket.receive().await {
        pending.resolve(sequence, (reply, fds));
    }
    pending.close();
    failed.cancel();
}
