//! The worker's side of the spawner's socket.

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
    Counted, FromSpawner, SandboxId, SpawnerReply, SpawnerRequest, ToSpawner, ZygoteId,
};
use crate::sandbox::spec::{Command, SandboxLimits};

/// How long the spawner, which does one thing after the other in a millisecond each, may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the spawner has answered, and what came to be by it.
struct Reply {
    said: SpawnerReply,
    fds: Vec<OwnedFd>,
    exit: Option<oneshot::Receiver<ProcessEnd>>,
    claim: Option<Claim>,
}

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
    line: Line,
    zygotes: Arc<Mutex<HashMap<ZygoteId, CancellationToken>>>,
    failed: CancellationToken,
    spoken: Arc<AtomicBool>,
}

impl SpawnerClient {
    /// Takes over the socket; must be called inside a runtime.
    pub fn new(socket: OwnedFd) -> std::io::Result<Self> {
        let line = Line { socket: Arc::new(Packets::new(socket)?), pending: Pending::new() };
        let failed = CancellationToken::new();
        let zygotes = Arc::default();
        let client = Self { line, zygotes, failed, spoken: Arc::default() };
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
                    return Err(SandboxError::BackendGone);
                };
                let link = InitEnds { socket, replies };
                let pipes = Pipes::received(&mut fds, false).ok_or(SandboxError::BackendGone)?;
                Ok(Created { claim, sandbox, link, pipes, peak: fds.next() })
            }
            (SpawnerReply::Failed(failure), _) => {
                let source = failure.error();
                Err(SandboxError::Create { stage: failure.stage, source })
            }
            _ => Err(SandboxError::BackendGone),
        }
    }

    /// Makes the pipes of one more process, with one for descriptor 0 if `stdin`.
    pub async fn pipes(&self, sandbox: SandboxId, stdin: bool) -> Result<Pipes, SandboxError> {
        let Reply { said, fds, .. } = self.ask(SpawnerRequest::Pipes { sandbox, stdin }).await?;
        match said {
            SpawnerReply::Pipes => {
                Pipes::received(&mut fds.into_iter(), stdin).ok_or(SandboxError::BackendGone)
            }
            SpawnerReply::Failed(failure) => {
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
        let Reply { said, claim, .. } = self.line.ask(request, Vec::new()).await?;
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
        let Reply { said, exit, .. } = self.line.ask(request, fds).await?;
        match (said, exit) {
            (SpawnerReply::Forked { inside, .. }, Some(exit)) => Ok(Forked { inside, exit }),
            (SpawnerReply::Failed(failure), _) => Err(no_fork(failure)),
            _ => Err(SandboxError::BackendGone),
        }
    }

    /// Has it count what there is.
    pub async fn count(&self) -> Result<Counted, SandboxError> {
        match self.line.ask(SpawnerRequest::Count, Vec::new()).await?.said {
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
        let _ = rustix::net::shutdown(self.line.socket.as_fd(), rustix::net::Shutdown::Both);
    }

    /// Completes when the spawner is gone.
    pub async fn failed(&self) {
        self.failed.cancelled().await;
    }

    async fn ask(&self, request: SpawnerRequest) -> Result<Reply, SandboxError> {
        let asked = timeout(PATIENCE, self.line.ask(request, Vec::new())).await;
        asked.unwrap_or(Err(SandboxError::Silent))
    }

    fn listener(&self) -> Listener {
        Listener {
            line: self.line.clone(),
            zygotes: Arc::clone(&self.zygotes),
            failed: self.failed.clone(),
            spoken: Arc::clone(&self.spoken),
            running: Running::default(),
        }
    }
}

fn no_fork(failure: Failure) -> SandboxError {
    let source = failure.error();
    SandboxError::Zygote { stage: failure.stage, source }
}

/// The way to ask.
#[derive(Clone)]
struct Line {
    socket: Arc<Packets>,
    pending: Arc<Pending<Reply>>,
}

impl Line {
    async fn ask(&self, request: SpawnerRequest, fds: Vec<OwnedFd>) -> Result<Reply, SandboxError> {
        let expected = self.pending.expect();
        let message = ToSpawner { sequence: expected.sequence(), request };
        self.socket.send(&message, &fds).await.map_err(|_| SandboxError::BackendGone)?;
        expected.reply().await.ok_or(SandboxError::BackendGone)
    }
}

/// To something that the spawner has made. Whoever asked for it may be gone when it comes, as a caller who
/// hangs up: dropped, this ends it.
pub struct Claim {
    line: Line,
    end: Option<SpawnerRequest>,
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
            let line = self.line.clone();
            runtime.spawn(async move { line.ask(end, Vec::new()).await.map(drop) });
        }
    }
}

/// Hands on what the spawner says.
struct Listener {
    line: Line,
    zygotes: Arc<Mutex<HashMap<ZygoteId, CancellationToken>>>,
    failed: CancellationToken,
    spoken: Arc<AtomicBool>,
    /// Forked processes that have not ended.
    running: Running,
}

impl Listener {
    async fn listen(mut self) {
        while let Ok(Some((message, fds))) = self.line.socket.receive().await {
            self.spoken.store(true, Ordering::Relaxed);
            match message {
                FromSpawner::Reply { sequence, reply } => {
                    let (exit, claim) = self.note(&reply);
                    self.line.pending.resolve(sequence, Reply { said: reply, fds, exit, claim });
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
        self.line.pending.close();
        self.failed.cancel();
    }

    /// What a reply has brought to life, noted before the next message can say that it has ended.
    fn note(
        &mut self,
        reply: &SpawnerReply,
    ) -> (Option<oneshot::Receiver<ProcessEnd>>, Option<Claim>) {
        let claim = |end| Some(Claim { line: self.line.clone(), end: Some(end) });
        match reply {
            SpawnerReply::Forked { pid, .. } => (Some(self.running.begin(*pid)), None),
            SpawnerReply::ZygoteReady { zygote, .. } => {
                lock(&self.zygotes).insert(*zygote, CancellationToken::new());
                (None, claim(SpawnerRequest::EndZygote { zygote: *zygote }))
            }
            SpawnerReply::Created { sandbox } => {
                (None, claim(SpawnerRequest::End { sandbox: *sandbox }))
            }
            SpawnerReply::Counted(_)
            | SpawnerReply::Done
            | SpawnerReply::Ended
            | SpawnerReply::Pipes
            | SpawnerReply::Failed(_) => (None, None),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::linux::wire::channel;

    #[tokio::test]
    async fn a_spawner_that_is_given_up_is_as_good_as_dead() {
        let (ours, theirs) = channel::pair(true).expect("a pair");
        let client = Arc::new(SpawnerClient::new(ours).expect("a socket"));
        let asking = tokio::spawn({
            let client = Arc::clone(&client);
            async move { client.count().await.map(drop) }
        });
        tokio::task::yield_now().await;
        assert!(!client.has_spoken());

        client.give_up();

        client.failed().await;
        let gone = |asked| matches!(asked, Err(SandboxError::BackendGone));
        assert!(gone(asking.await.expect("no panic")), "whoever waits");
        assert!(gone(client.count().await.map(drop)), "whoever comes");
        let spawner = Packets::new(theirs).expect("a socket");
        while let Ok(Some(_)) = spawner.receive::<ToSpawner>().await {}
    }

    #[tokio::test]
    async fn what_comes_for_somebody_who_has_left_is_ended() {
        let (ours, theirs) = channel::pair(true).expect("a pair");
        let client = Arc::new(SpawnerClient::new(ours).expect("a socket"));
        let spawner = Packets::new(theirs).expect("a socket");
        let hear = async || match spawner.receive::<ToSpawner>().await {
            Ok(Some((message, _))) => message,
            Ok(None) | Err(_) => panic!("a request"),
        };
        let asking = Arc::clone(&client);
        let limits = SandboxLimits {
            memory_bytes: 1,
            processes: 1,
            disk_bytes: 1,
            inodes: 1,
            open_files: 1,
            milli_cpus: 1,
        };
        let caller = tokio::spawn(async move { asking.create(limits).await.map(drop) });
        let ToSpawner { sequence, .. } = hear().await;
        caller.abort();
        assert!(caller.await.is_err());

        let reply = SpawnerReply::Created { sandbox: 7 };
        let reply = FromSpawner::Reply { sequence, reply };
        spawner.send(&reply, &[]).await.expect("somebody listens");

        assert!(matches!(hear().await.request, SpawnerRequest::End { sandbox: 7 }));
    }
}
