//! The worker's side of the spawner's socket.

mod listener;
mod requests;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::pending::{Packets, Pending, Running};
use crate::sandbox::backend::{ProcessEnd, SandboxError};
use crate::sandbox::linux::wire::failure::Failure;
use crate::sandbox::linux::wire::init_link::InitEnds;
use crate::sandbox::linux::wire::pipes::Pipes;
use crate::sandbox::linux::wire::spawner::{
    Counted, SandboxId, SpawnerReply, SpawnerRequest, ZygoteId,
};
use crate::sandbox::spec::{Command, SandboxLimits, TerminalSize};
use listener::Listener;
pub use requests::Claim;
use requests::{Reply, Requests};

/// How long the spawner, which does one thing after the other in a millisecond each, may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// A sandbox that is not ready yet.
pub struct Created {
    /// To be kept by whoever ends it.
    pub claim: Claim,
    /// Its name.
    pub sandbox: SandboxId,
    /// The way to its init.
    pub link: InitEnds,
    /// The pipes of a first process.
    pub pipes: Pipes,
    /// The file of its memory peak.
    pub peak: Option<OwnedFd>,
    /// The file of its weight, for writing.
    pub weight: Option<OwnedFd>,
}

/// A process that a zygote has forked.
pub struct Forked {
    /// Its number in the sandbox.
    pub inside: i32,
    /// Completes when it has ended.
    pub exit: oneshot::Receiver<ProcessEnd>,
}

/// A connection to the spawner, the only process that can make sandboxes.
pub struct SpawnerClient {
    requests: Requests,
    zygotes: Arc<Mutex<HashMap<ZygoteId, CancellationToken>>>,
    failed: CancellationToken,
    spoken: Arc<AtomicBool>,
}

impl SpawnerClient {
    /// Takes over the socket; must be called inside a runtime.
    pub fn new(socket: OwnedFd) -> std::io::Result<Self> {
        let requests =
            Requests { socket: Arc::new(Packets::new(socket)?), pending: Pending::new() };
        let failed = CancellationToken::new();
        let zygotes = Arc::default();
        let client = Self { requests, zygotes, failed, spoken: Arc::default() };
        tokio::spawn(client.listener().listen());
        Ok(client)
    }

    /// Makes a sandbox.
    pub async fn create(&self, limits: SandboxLimits) -> Result<Created, SandboxError> {
        let Reply { said, fds, claim, exit: _ } =
            self.ask(SpawnerRequest::Create { limits }).await?;
        match (said, claim) {
            (SpawnerReply::Created { sandbox }, Some(claim)) => {
                let mut fds = fds.into_iter();
                let (Some(socket), Some(replies)) = (fds.next(), fds.next()) else {
                    return Err(no_room());
                };
                let link = InitEnds { socket, replies };
                let pipes = Pipes::received(&mut fds, false).ok_or_else(no_room)?;
                let (peak, weight) = (fds.next(), fds.next());
                Ok(Created { claim, sandbox, link, pipes, peak, weight })
            }
            (SpawnerReply::Failed(failure), _) => Err(not_made(failure)),
            _ => Err(SandboxError::BackendGone),
        }
    }

    /// Makes the pipes of one more process, with one for descriptor 0 if `stdin`.
    pub async fn pipes(&self, sandbox: SandboxId, stdin: bool) -> Result<Pipes, SandboxError> {
        let Reply { said, fds, .. } = self.ask(SpawnerRequest::Pipes { sandbox, stdin }).await?;
        match said {
            SpawnerReply::Pipes => Pipes::received(&mut fds.into_iter(), stdin).ok_or_else(no_room),
            SpawnerReply::Failed(failure) => Err(not_made(failure)),
            _ => Err(SandboxError::BackendGone),
        }
    }

    /// Makes a terminal for a process: the worker's end and the process's.
    pub async fn terminal(
        &self,
        sandbox: SandboxId,
        size: TerminalSize,
    ) -> Result<[OwnedFd; 2], SandboxError> {
        let Reply { said, fds, .. } = self.ask(SpawnerRequest::Terminal { sandbox, size }).await?;
        match said {
            SpawnerReply::Terminal => fds.try_into().map_err(|_| no_room()),
            SpawnerReply::Failed(failure) => Err(not_made(failure)),
            _ => Err(SandboxError::BackendGone),
        }
    }

    /// Puts other limits in force.
    pub async fn set_limits(
        &self,
        sandbox: SandboxId,
        limits: SandboxLimits,
    ) -> Result<(), SandboxError> {
        match self.ask(SpawnerRequest::SetLimits { sandbox, limits }).await?.said {
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
        let _ = self.ask(SpawnerRequest::End { sandbox }).await;
    }

    /// Starts a zygote; gives its name and what it says of itself when it is ready.
    pub async fn start_zygote(
        &self,
        command: Command,
    ) -> Result<(ZygoteId, String, Claim), SandboxError> {
        let request = SpawnerRequest::StartZygote { command };
        let Reply { said, claim, .. } = self.requests.ask(request, Vec::new()).await?;
        match (said, claim) {
            (SpawnerReply::ZygoteReady { zygote, report }, Some(claim)) => {
                Ok((zygote, report, claim))
            }
            (SpawnerReply::Failed(failure), _) => Err(no_fork(failure)),
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

    /// Has a zygote fork into a sandbox, with `fds` as the descriptors 1 to 4 of the new process.
    pub async fn fork(
        &self,
        zygote: ZygoteId,
        sandbox: SandboxId,
        fds: Vec<OwnedFd>,
    ) -> Result<Forked, SandboxError> {
        let request = SpawnerRequest::Fork { zygote, sandbox };
        let Reply { said, exit, .. } = self.requests.ask(request, fds).await?;
        match (said, exit) {
            (SpawnerReply::Forked { inside, .. }, Some(exit)) => Ok(Forked { inside, exit }),
            (SpawnerReply::Failed(failure), _) => Err(no_fork(failure)),
            _ => Err(SandboxError::BackendGone),
        }
    }

    /// Has it count what there is.
    pub async fn count(&self) -> Result<Counted, SandboxError> {
        match self.requests.ask(SpawnerRequest::Count, Vec::new()).await?.said {
            SpawnerReply::Counted(counted) => Ok(counted),
            _ => Err(SandboxError::BackendGone),
        }
    }

    /// Whether it has said anything since this was last asked.
    pub fn has_spoken(&self) -> bool {
        self.spoken.swap(false, Ordering::Relaxed)
    }

    /// Hangs up. Here that is as if the spawner had died; the spawner, if it wakes up, sees a worker that has.
    pub fn give_up(&self) {
        // Fails only if the other end has hung up already.
        let _ = rustix::net::shutdown(self.requests.socket.as_fd(), rustix::net::Shutdown::Both);
    }

    /// Completes when the spawner is gone.
    pub async fn failed(&self) {
        self.failed.cancelled().await;
    }

    async fn ask(&self, request: SpawnerRequest) -> Result<Reply, SandboxError> {
        let asked = timeout(PATIENCE, self.requests.ask(request, Vec::new())).await;
        asked.unwrap_or(Err(SandboxError::Silent))
    }

    fn listener(&self) -> Listener {
        Listener {
            requests: self.requests.clone(),
            zygotes: Arc::clone(&self.zygotes),
            failed: self.failed.clone(),
            spoken: Arc::clone(&self.spoken),
            running: Running::default(),
        }
    }
}

/// The descriptors of an answer did not arrive: this process has too many.
fn no_room() -> SandboxError {
    let source = std::io::Error::from_raw_os_error(libc::EMFILE);
    SandboxError::Create { stage: String::from("open files"), source }
}

fn not_made(failure: Failure) -> SandboxError {
    let source = failure.error();
    SandboxError::Create { stage: failure.stage, source }
}

fn no_fork(failure: Failure) -> SandboxError {
    let source = failure.error();
    SandboxError::Zygote { stage: failure.stage, source }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
