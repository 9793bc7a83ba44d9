//! How many transfers and watchers there may be at once.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Transfers of one session at once. Each takes a pipe and some hundred KiB.
const TRANSFERS: usize = 8;
/// Watchers of one session at once. Each looks at the same directories by itself.
const WATCHERS: usize = 4;

/// The places for those of one session.
#[derive(Debug)]
pub struct Places {
    transfers: Arc<Semaphore>,
    watchers: Arc<Semaphore>,
}

/// All of them are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("as many transfers or watchers of files go on in this session as may at once")]
pub struct Busy;

/// A place that was taken. Dropping it gives it back.
#[derive(Debug)]
pub struct Place(#[expect(dead_code, reason = "held for what its end does")] OwnedSemaphorePermit);

impl Default for Places {
    fn default() -> Self {
        let places = |count| Arc::new(Semaphore::new(count));
        Self { transfers: places(TRANSFERS), watchers: places(WATCHERS) }
    }
}

impl Places {
    /// Takes one for a transfer.
    ///
    /// # Errors
    /// [`Busy`].
    pub fn of_transfer(&self) -> Result<Place, Busy> {
        take(&self.transfers)
    }

    /// Takes one for a watcher.
    ///
    /// # Errors
    /// [`Busy`].
    pub fn of_watcher(&self) -> Result<Place, Busy> {
        take(&self.watchers)
    }
}

fn take(places: &Arc<Semaphore>) -> Result<Place, Busy> {
    Arc::clone(places).try_acquire_owned().map(Place).map_err(|_| Busy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_given_back() {
        let places = Places::default();
        let taken: Vec<_> = std::iter::from_fn(|| places.of_transfer().ok()).take(100).collect();
        assert_eq!(taken.len(), TRANSFERS);
        assert!(places.of_watcher().is_ok(), "they are counted apart");
        drop(taken);
        assert!(places.of_transfer().is_ok());
    }
}
