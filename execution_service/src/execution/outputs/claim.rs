//! The right to one file.

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use tokio::sync::OwnedSemaphorePermit;

use super::Outputs;
use super::entry::{Name, Number};
use crate::execution::stream::Stored;

/// The right to one file, shared by the run that it is of and the task that writes it. When both are
/// done with it and it is not both published and complete, the file is removed.
#[derive(Debug)]
pub(super) struct Claim {
    store: Arc<Outputs>,
    number: Number,
}

impl Claim {
    /// A place for what `name` writes.
    pub(super) fn new(store: &Arc<Outputs>, name: Name, owner: &str) -> Self {
        Self { store: Arc::clone(store), number: store.catalogue().begin(name, owner) }
    }

    /// Makes the file; blocks.
    pub(super) fn create(&self) -> io::Result<File> {
        self.store.directory.create(self.number)
    }

    /// For how many of so many bytes more there is room. What has to make way for them goes.
    pub(super) fn grow(&self, bytes: usize) -> usize {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let (evicted, granted) = self.store.catalogue().grow(self.number, bytes);
        self.store.remove(evicted);
        usize::try_from(granted).unwrap_or(usize::MAX)
    }

    /// The right to have it written behind the answer, while not too many are already.
    pub(super) fn write_behind(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.store.behind).try_acquire_owned().ok()
    }

    /// From now on it can be found, as `bytes` of a stream that had `total`; whoever reads it before it
    /// is complete waits for that.
    pub(super) fn publish(&self, bytes: u64, total: u64) -> Stored {
        let retention = self.store.bounds.retention;
        let replaced =
            self.store.catalogue().publish(self.number, total, Instant::now() + retention);
        self.store.remove(replaced);
        Stored { bytes, until: SystemTime::now() + retention }
    }

    /// All of it that there will ever be is in the file: `bytes`.
    pub(super) fn complete(&self, bytes: u64) {
        self.store.catalogue().complete(self.number, bytes);
        self.store.settled.notify_waiters();
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if self.store.catalogue().abandon(self.number) {
            self.store.remove(vec![self.number]);
        }
        self.store.settled.notify_waiters();
    }
}
