//! How many transfers and watchers there may be at once.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Transfers of one session at once. Each takes a pipe and some hundred KiB.
const TRANSFERS: usize = 8;
/// Transfers of one owner at once, in all sessions. The pipes of all owners together hold 64 MiB before the kernel
/// gives smaller ones.
pub const MOST_OF_AN_OWNER: usize = 24;
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
pub struct Place {
    _permit: OwnedSemaphorePermit,
}

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

    /// How many transfers go on.
    pub fn transfers(&self) -> usize {
        TRANSFERS - self.transfers.available_permits()
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
    let permit = Arc::clone(places).try_acquire_owned();
    permit.map(|permit| Place { _permit: permit }).map_err(|_| Busy)
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
        assert_eq!(places.transfers(), TRANSFERS);
        drop(taken);
        assert_eq!(places.transfers(), 0);
        assert!(places.of_transfer().is_ok());
    }
}
