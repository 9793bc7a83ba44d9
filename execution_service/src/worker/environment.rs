//! Going over to a virtual environment that was not complete when the worker began.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::Worker;
use crate::language::discovery::Awaited;
use crate::pool::{Pool, PoolSize};
use crate::sandbox::spec::SandboxLimits;

/// Between two looks whether it is complete.
const LOOK: Duration = Duration::from_secs(1);
/// Before another look at one that would not do.
const AGAIN: Duration = Duration::from_secs(30);

impl Worker {
    /// Waits until `awaited` is complete, and has everything that begins from then on find it, with warm sandboxes of
    /// `limits`. Nothing that has begun is touched: a session keeps what it found until it ends.
    pub async fn go_over_to(
        self: Arc<Self>,
        awaited: Awaited,
        (limits, size): (SandboxLimits, PoolSize),
    ) {
        let toolchains = loop {
            if !awaited.is_complete() {
                sleep(LOOK).await;
                continue;
            }
            let examined = awaited.clone();
            match tokio::task::spawn_blocking(move || examined.examine()).await {
                Ok(Ok(toolchains)) => break toolchains,
                Ok(Err(unsuitable)) => {
                    tracing::warn!(%unsuitable, "the new packages cannot be used");
                    sleep(AGAIN).await;
                }
                // The runtime ends.
                Err(_) => return,
            }
        };
        let packages: usize = toolchains.found.iter().map(|it| it.toolchain.packages.len()).sum();
        let pool = Pool::new(Arc::clone(&self.backend), Arc::new(toolchains), limits, size);
        self.pools.follow(pool, &self.tasks, &self.shutdown).await;
        tracing::info!(packages, "what begins from now on has the new packages");
    }
}
