//! The worker's side of the spawner's socket.

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::caller::{Packets, Pending, Running};
use super::protocol::{
    Counted, Failure, FromSpawner, SandboxId, SpawnerReply, SpawnerRequest, ToSpawner, ZygoteId,
};
use crate::sandbox::backend::{ProcessEnd, SandboxError};
use crate::sandbox::spec::{Command, SandboxLimits};

/// How long the spawner, which does one thing after the other in a millisecond each, may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

type Reply = (SpawnerReply, Vec<OwnedFd>, Option<Given>);

/// What a reply brings to life beside descriptors.
enum Given {
    /// A sandbox, or a zygote.
    Unclaimed(Unclaimed),
    /// The end of a process.
    Exit(oneshot::Receiver<ProcessEnd>),
}

/// Something that the spawner has made and nobody has taken over. Dropped as such (whoever asked for it
/// has gone away meanwhile), it is given back.
pub struct Unclaimed {
    request: Option<SpawnerRequest>,
    spawner: (Arc<Packets>, Arc<Pending<Reply>>),
}

impl Unclaimed {
    /// Somebody else ends it from now on.
    pub fn claim(mut self) {
        self.request = None;
    }
}

impl Drop for Unclaimed {
    fn drop(&mut self) {
        // Without a runtime the worker itself is ending, and the spawner sees that.
        if let Some(request) = self.request.take()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            let (socket, pending) = self.spawner.clone();
            let (sequence, _) = pending.expect();
            // If the spawner is gone, so is everything of its making.
            runtime.spawn(async move {
                let _ = socket.send(&ToSpawner { sequence, request }, &[]).await;
            });
        }
    }
}

/// A sandbox that is not ready yet.
pub struct Created {
    /// Its name.
    pub sandbox: SandboxId,
    /// Of its init.
    pub socket: OwnedFd,
    /// The file of its memory peak.
    pub peak: Option<OwnedFd>,
    /// Ends it, until it is claimed.
    pub unclaimed: Unclaimed,
}

/// A process that a zygote has forked.
pub struct Forked {
    /// Its number in the sandbox.
    pub inside: i32,
    /// Completes when it has ended.
    pub exit: oneshot::Receiver<ProcessEnd>,
}

/// See the module.
pub struct SpawnerClient {
    socket: Arc<Packets>,
    pending: Arc<Pending<Reply>>,
    zygotes: Arc<Mutex<HashMap<ZygoteId, CancellationToken>>>,
    failed: CancellationToken,
}

impl SpawnerClient {
    /// Takes over the socket; must be called inside a runtime.
    pub fn new(socket: OwnedFd) -> std::io::Result<Self> {
        let socket = Arc::new(Packets::new(socket)?);
        let pending = Pending::new();
        let failed = CancellationToken::new();
        let zygotes = Arc::default();
        let client = Self { socket, pending, zygotes, failed };
        tokio::spawn(client.listener().listen());
        Ok(client)
    }

    /// Makes a sandbox.
    pub async fn create(&self, limits: SandboxLimits) -> Result<Created, SandboxError> {
        match self.ask(SpawnerRequest::Create { limits }).await? {
            (SpawnerReply::Created { sandbox }, fds, Some(Given::Unclaimed(unclaimed))) => {
                let mut fds = fds.into_iter();
                let socket = fds.next().ok_or(SandboxError::BackendGone)?;
                Ok(Created { sandbox, socket, peak: fds.next(), unclaimed })
            }
            (SpawnerReply::Failed(failure), ..) => {
                let source = failure.error();
                Err(SandboxError::Create { stage: failure.stage, source })
            }
            _ => Err(SandboxError::BackendGone),
        }
    }

    /// Puts other limits in force.
    pub async fn set_limits(
        &self,
        sandbox: SandboxId,
        limits: SandboxLimits,
    ) -> Result<(), SandboxError> {
        match self.ask(SpawnerRequest::SetLimits { sandbox, limits }).await?.0 {
            SpawnerReply::Done => Ok(()),
            SpawnerReply::Failed(failure) => Err(SandboxError::Limits(failure.error())),
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
        let _ = self.ask_with(SpawnerRequest::End { sandbox }, Vec::new()).await;
    }

    /// Starts a zygote; gives its name and what it says of itself when it is ready.
    pub async fn start_zygote(&self, command: Command) -> Result<(ZygoteId, String), SandboxError> {
        let begin = SpawnerRequest::StartZygote { command };
        match self.ask_with(begin, Vec::new()).await? {
            (SpawnerReply::ZygoteReady { zygote, report }, _, Some(Given::Unclaimed(ready))) => {
                ready.claim();
                Ok((zygote, report))
            }
            (SpawnerReply::Failed(failure), ..) => Err(no_fork(failure)),
            _ => Err(SandboxError::BackendGone),
        }
    }

    /// Fires when the zygote is gone.
    pub fn zygote_ended(&self, zygote: ZygoteId) -> CancellationToken {
        lock(&self.zygotes).get(&zygote).cloned().unwrap_or_else(|| {
            let ended = CancellationToken::new();
            ended.cancel();
            ended
        })
    }

    /// Ends a zygote.
    pub async fn end_zygote(&self, zygote: ZygoteId) {
        // If the spawner is gone, so is every zygote.
        let _ = self.ask(SpawnerRequest::EndZygote { zygote }).await;
    }

    /// Has a zygote fork into a sandbox, with `fds` as the descriptors 1, 2 and 3 of the new process.
    pub async fn fork(
        &self,
        zygote: ZygoteId,
        sandbox: SandboxId,
        fds: Vec<OwnedFd>,
    ) -> Result<Forked, SandboxError> {
        match self.ask_with(SpawnerRequest::Fork { zygote, sandbox }, fds).await? {
            (SpawnerReply::Forked { inside, .. }, _, Some(Given::Exit(exit))) => {
                Ok(Forked { inside, exit })
            }
            (SpawnerReply::Failed(failure), ..) => Err(no_fork(failure)),
            _ => Err(SandboxError::BackendGone),
        }
    }

    /// Has it count what there is.
    pub async fn count(&self) -> Result<Counted, SandboxError> {
        match self.ask_with(SpawnerRequest::Count, Vec::new()).await?.0 {
            SpawnerReply::Counted(counted) => Ok(counted),
            _ => Err(SandboxError::BackendGone),
        }
    }

    /// Completes when the spawner is gone.
    pub async fn failed(&self) {
        self.failed.cancelled().await;
    }

    async fn ask(&self, request: SpawnerRequest) -> Result<Reply, SandboxError> {
        let asked = timeout(PATIENCE, self.ask_with(request, Vec::new())).await;
        asked.unwrap_or(Err(SandboxError::Silent))
    }

    async fn ask_with(
        &self,
        request: SpawnerRequest,
        fds: Vec<OwnedFd>,
    ) -> Result<Reply, SandboxError> {
        let (sequence, reply) = self.pending.expect();
        let message = ToSpawner { sequence, request };
        self.socket.send(&message, &fds).await.map_err(|_| SandboxError::BackendGone)?;
        reply.await.map_err(|_| SandboxError::BackendGone)
    }

    fn listener(&self) -> Listener {
        Listener {
            socket: Arc::clone(&self.socket),
            pending: Arc::clone(&self.pending),
            zygotes: Arc::clone(&self.zygotes),
            failed: self.failed.clone(),
            running: Running::default(),
        }
    }
}

fn no_fork(failure: Failure) -> SandboxError {
    let source = failure.error();
    SandboxError::Zygote { stage: failure.stage, source }
}

/// Hands on what the spawner says.
struct Listener {
    socket: Arc<Packets>,
    pending: Arc<Pending<Reply>>,
    zygotes: Arc<Mutex<HashMap<ZygoteId, CancellationToken>>>,
    failed: CancellationToken,
    /// Forked processes that have not ended.
    running: Running,
}

impl Listener {
    async fn listen(mut self) {
        while let Ok(Some((message, fds))) = self.socket.receive().await {
            match message {
                FromSpawner::Reply { sequence, reply } => {
                    let given = self.note(&reply);
                    self.pending.resolve(sequence, (reply, fds, given));
                }
                FromSpawner::ProcessEnded { pid, end } => self.running.end(pid, end),
                FromSpawner::ZygoteEnded { zygote } => {
                    if let Some(ended) = lock(&self.zygotes).remove(&zygote) {
                        ended.cancel();
                    }
                }
                // Said before this listener began.
                FromSpawner::Ready { .. } | FromSpawner::Unable(_) => {}
            }
        }
        self.pending.close();
        self.failed.cancel();
    }

    fn unclaimed(&self, request: SpawnerRequest) -> Given {
        let spawner = (Arc::clone(&self.socket), Arc::clone(&self.pending));
        Given::Unclaimed(Unclaimed { request: Some(request), spawner })
    }

    /// What a reply has brought to life, noted before the next message can say that it has ended.
    fn note(&mut self, reply: &SpawnerReply) -> Option<Given> {
        match reply {
            SpawnerReply::Forked { pid, .. } => Some(Given::Exit(self.running.begin(*pid))),
            SpawnerReply::ZygoteReady { zygote, .. } => {
                lock(&self.zygotes).insert(*zygote, CancellationToken::new());
                Some(self.unclaimed(SpawnerRequest::EndZygote { zygote: *zygote }))
            }
            SpawnerReply::Created { sandbox } => {
                Some(self.unclaimed(SpawnerRequest::End { sandbox: *sandbox }))
            }
            SpawnerReply::Counted(_)
            | SpawnerReply::Done
            | SpawnerReply::Ended
            | SpawnerReply::Failed(_) => None,
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
