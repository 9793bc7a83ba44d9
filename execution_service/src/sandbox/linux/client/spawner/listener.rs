//! Hears what the spawner says.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::lock;
use super::requests::{Claim, Reply, Requests};
use crate::sandbox::backend::ProcessEnd;
use crate::sandbox::linux::client::pending::Running;
use crate::sandbox::linux::wire::spawner::{FromSpawner, SpawnerReply, SpawnerRequest, ZygoteId};

/// Hands on what the spawner says.
pub(super) struct Listener {
    pub(super) requests: Requests,
    pub(super) zygotes: Arc<Mutex<HashMap<ZygoteId, CancellationToken>>>,
    pub(super) failed: CancellationToken,
    pub(super) spoken: Arc<AtomicBool>,
    /// Forked processes that have not ended.
    pub(super) running: Running,
}

impl Listener {
    pub(super) async fn listen(mut self) {
        while let Ok(Some((message, fds))) = self.requests.socket.receive().await {
            self.spoken.store(true, Ordering::Relaxed);
            match message {
                FromSpawner::Reply { sequence, reply } => {
                    let (exit, claim) = self.note(&reply);
                    self.requests
                        .pending
                        .resolve(sequence, Reply { said: reply, fds, exit, claim });
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
        self.requests.pending.close();
        self.failed.cancel();
    }

    /// What a reply has brought to life, noted before the next message can say that it has ended.
    fn note(
        &mut self,
        reply: &SpawnerReply,
    ) -> (Option<oneshot::Receiver<ProcessEnd>>, Option<Claim>) {
        let claim = |end| Some(Claim { requests: self.requests.clone(), end: Some(end) });
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
            | SpawnerReply::Terminal
            | SpawnerReply::Failed(_) => (None, None),
        }
    }
}
