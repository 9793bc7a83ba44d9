//! Brings the packages that a first start does not wait for.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::bar::Bar;
use super::python::Coming;
use super::report;
use crate::provision::{Making, ProvisionError};

/// Before the second attempt; doubled with each one that follows.
const FIRST_PAUSE: Duration = Duration::from_secs(10);
/// A network that comes back is noticed in this time.
const LONGEST_PAUSE: Duration = Duration::from_secs(30 * 60);

/// Makes the environment while everything serves, however often it takes, and returns when it is there or when
/// everything is to stop. The worker notices by itself that it is complete.
pub(super) async fn bring(coming: &Coming, stopping: &CancellationToken) {
    let mut pause = FIRST_PAUSE;
    while !stopping.is_cancelled() {
        let name = &*coming.recipe.packages.name;
        report::packages_coming(name);
        let begun = Instant::now();
        let failed = match attempt(coming, stopping).await {
            Ok(()) => return report::packages_complete(name, begun.elapsed()),
            Err(ProvisionError::Stopped) => return,
            Err(error) => error,
        };
        report::packages_failed(name, &failed.to_string(), pause);
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stopping.cancelled() => {}
        }
        pause = LONGEST_PAUSE.min(pause * 2);
    }
}

/// One attempt, which ends soon when everything is to stop.
async fn attempt(coming: &Coming, stopping: &CancellationToken) -> Result<(), ProvisionError> {
    let stop = Arc::<AtomicBool>::default();
    let (told, Coming { recipe, place }) = (Arc::clone(&stop), coming.clone());
    let mut filling = tokio::task::spawn_blocking(move || {
        let mut bar = Bar::new(&recipe.packages.name);
        let mut progress = |step: crate::provision::Progress<'_>| bar.show(step);
        recipe.fill(&place, &mut Making { progress: &mut progress, stop: &told })
    });
    let filled = tokio::select! {
        filled = &mut filling => filled,
        () = stopping.cancelled() => {
            stop.store(true, Ordering::Relaxed);
            filling.await
        }
    };
    // A thread that is gone has stopped.
    filled.unwrap_or(Err(ProvisionError::Stopped))
}
