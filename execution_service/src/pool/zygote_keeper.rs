//! Keeps the zygote of one language: started in the background, replaced when it is old, dead or deaf.
//!
//! Nothing waits for a zygote. While there is none, interpreters are started the slow way.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use tokio::sync::{Notify, watch};

use crate::sandbox::backend::{SandboxBackend, SandboxError, Zygote};
use crate::sandbox::spec::Command;

/// Importing every library may take long on a slow disk; more than this is no use to anybody.
const PATIENCE: Duration = Duration::from_secs(60);
/// After a failure; doubled with each one that follows, up to the second number.
const PAUSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// Children of one zygote share what it drew at its start, such as the secret in the hash of a str. To
/// start another one costs half a second of processor time, which 10,000 children do not notice.
const MOST_CHILDREN: u32 = 10_000;

/// One language's zygote, if it has one now, and the task that renews it.
pub struct ZygoteKeeper {
    backend: Arc<dyn SandboxBackend>,
    command: Command,
    current: Mutex<Option<Arc<Zygote>>>,
    children: AtomicU32,
    /// The current one is to be replaced.
    replace: Notify,
    /// The first attempt has succeeded or failed.
    settled: watch::Sender<bool>,
}

impl ZygoteKeeper {
    /// Will start zygotes by `command`.
    pub fn new(backend: Arc<dyn SandboxBackend>, command: Command) -> Self {
        Self {
            backend,
            command,
            current: Mutex::new(None),
            children: AtomicU32::new(0),
            replace: Notify::new(),
            settled: watch::Sender::new(false),
        }
    }

    /// Keeps a zygote, for ever.
    pub async fn keep(&self) {
        let mut pause = PAUSE.0;
        loop {
            match self.start().await {
                Ok(zygote) => {
                    pause = PAUSE.0;
                    let ended = zygote.ended().clone();
                    // That the one before was to be replaced is done, whoever noticed first.
                    let _ = self.replace.notified().now_or_never();
                    self.children.store(0, Ordering::Relaxed);
                    // The old one ends here; its children live on.
                    *self.lock() = Some(Arc::new(zygote));
                    self.settled.send_replace(true);
                    tokio::select! {
                        () = ended.cancelled() => {
                            tracing::warn!("a zygote has died and is replaced");
                            *self.lock() = None;
                        }
                        () = self.replace.notified() => {}
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "no zygote: interpreters are started the slow way");
                    self.settled.send_replace(true);
                    tokio::time::sleep(pause).await;
                    pause = PAUSE.1.min(pause * 2);
                }
            }
        }
    }

    /// Waits until the first zygote is there, or could not be had.
    pub async fn settled(&self) {
        // Fails only if the sender is dropped, which is ours.
        let _ = self.settled.subscribe().wait_for(|settled| *settled).await;
    }

    /// Whether there is a zygote now.
    pub fn has_one(&self) -> bool {
        self.lock().is_some()
    }

    /// The zygote, for one more child.
    pub fn zygote(&self) -> Option<Arc<Zygote>> {
        let zygote = self.lock().clone()?;
        if self.children.fetch_add(1, Ordering::Relaxed) + 1 == MOST_CHILDREN {
            self.replace.notify_one();
        }
        Some(zygote)
    }

    /// This one did not do what it should: nobody gets it any more.
    pub fn distrust(&self, zygote: &Arc<Zygote>) {
        let mut current = self.lock();
        if current.as_ref().is_some_and(|current| Arc::ptr_eq(current, zygote)) {
            *current = None;
            self.replace.notify_one();
        }
    }

    async fn start(&self) -> Result<Zygote, SandboxError> {
        let starting = self.backend.preload(self.command.clone());
        tokio::time::timeout(PATIENCE, starting).await.unwrap_or_else(|elapsed| {
            let stage = format!("nothing heard in {PATIENCE:?}");
            Err(SandboxError::Zygote { stage, source: std::io::Error::from(elapsed) })
        })
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<Zygote>>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
