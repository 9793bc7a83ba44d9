//! Looks now and then at what only the whole host's account tells: the locks on files.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::sleep;

use crate::sandbox::linux::host::locks;

/// Between two looks. Two processors can take some 200,000 locks in this time, or 40 MB.
const PAUSE: Duration = Duration::from_millis(500);

/// Whether somebody has asked since the last look.
#[derive(Default)]
pub struct HostLook {
    asked: AtomicBool,
}

impl HostLook {
    /// To be called by whoever wants to know: while nobody does, nobody looks.
    pub fn somebody_asks(&self) {
        self.asked.store(true, Ordering::Relaxed);
    }

    /// Looks for ever.
    pub async fn keep_looking(&self) {
        loop {
            sleep(PAUSE).await;
            if self.asked.swap(false, Ordering::Relaxed) {
                // Fails only if it panics, and then the last look counts.
                let _ = tokio::task::spawn_blocking(locks::look).await;
            }
        }
    }
}
