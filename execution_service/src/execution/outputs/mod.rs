//! Whole output streams, in files, for a while.
//!
//! ```text
//! drive ──▶ Recorder   keeps the start in memory; what grows longer, is no text or was cut in the
//!    │                 answer goes on to a file, written by a task of its own
//!    │       Shelf     says whether there is room: an owner's oldest files make way for the owner's
//!    │                 newer ones, and everybody's oldest for anybody's
//! grpc ◀── Reading     a file, from any byte on
//! ```
//! Bytes are kept as they were written. A program whose output nobody can store runs as well as any
//! other: what is missing is said with its outcome.

mod directory;
mod reading;
mod recorder;
mod recording;
mod shelf;

use std::fs::File;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use directory::Directory;
pub use directory::{DirectoryError, Place};
pub use reading::Reading;
pub use recording::Recording;
use shelf::{Name, Number, Shelf};

use super::event::Stream;

/// How much is kept, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Bytes of one stream; what comes after is counted only.
    pub stream: u64,
    /// Bytes of all streams; one owner has at most half.
    pub total: u64,
    /// From the end of the run on.
    pub retention: Duration,
    /// Text that is no longer than this, in bytes, and stands in the answer as a whole is not kept:
    /// whoever asked for the run has it.
    pub known_to_caller: usize,
}

/// A stream that is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    /// How many of its bytes, from the first one on.
    pub bytes: u64,
    /// Until when, unless room is needed before.
    pub until: SystemTime,
}

/// See the module.
#[derive(Debug)]
pub struct Outputs {
    directory: Directory,
    bounds: Bounds,
    shelf: Mutex<Shelf>,
}

impl Outputs {
    /// An empty store in `place`: what a killed worker left there is removed.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub fn open_in(place: Place, bounds: Bounds) -> Result<Arc<Self>, DirectoryError> {
        let (directory, count, bytes) = place.take()?;
        if count > 0 {
            tracing::warn!(count, bytes, "outputs that a killed worker left behind were removed");
        }
        Ok(Arc::new(Self { directory, bounds, shelf: Mutex::new(Shelf::new(bounds)) }))
    }

    /// What `owner`'s run `execution` wrote to `stream`; `None` when it is not kept, not any more, or
    /// somebody else's.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub async fn open(
        self: &Arc<Self>,
        execution: &str,
        owner: &str,
        stream: Stream,
    ) -> io::Result<Option<Reading>> {
        let name = Name { execution: String::from(execution), stream };
        let Some(found) = self.shelf().find(&name, owner, Instant::now()) else {
            return Ok(None);
        };
        let store = Arc::clone(self);
        match blocking(move || store.directory.open(found.number)).await {
            Ok(file) => Ok(Some(Reading::new(file, found.bytes, found.total))),
            // It had to make way between our look and this.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Removes what has been kept long enough; never returns.
    pub async fn expire(self: Arc<Self>) {
        const PAUSE: Duration = Duration::from_secs(5);
        loop {
            tokio::time::sleep(PAUSE.min(self.bounds.retention)).await;
            let expired = self.shelf().expire(Instant::now());
            self.remove(expired);
        }
    }

    /// Removes everything: nobody will know what it was.
    pub fn clear(&self) {
        let numbers = self.shelf().clear();
        self.remove_now(&numbers);
    }

    /// A place for what `name` writes.
    fn claim(self: &Arc<Self>, name: Name, owner: &str) -> Claim {
        let number = self.shelf().begin(name, owner);
        Claim { store: Arc::clone(self), number, kept: false }
    }

    /// Removes files, some time soon: file systems may take long for it.
    fn remove(self: &Arc<Self>, numbers: Vec<Number>) {
        if numbers.is_empty() {
            return;
        }
        let store = Arc::clone(self);
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(move || store.remove_now(&numbers))),
            Err(_) => store.remove_now(&numbers),
        }
    }

    fn remove_now(&self, numbers: &[Number]) {
        for number in numbers {
            match self.directory.remove(*number) {
                Ok(()) => {}
                // It was never made.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => tracing::warn!(%error, "a stored output cannot be removed"),
            }
        }
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to one file, which is removed with it unless it is kept.
#[derive(Debug)]
struct Claim {
    store: Arc<Outputs>,
    number: Number,
    kept: bool,
}

impl Claim {
    async fn create(&self) -> io::Result<File> {
        let (store, number) = (Arc::clone(&self.store), self.number);
        blocking(move || store.directory.create(number)).await
    }

    /// For how many of so many bytes more there is room. What has to make way for them goes.
    fn grow(&self, bytes: usize) -> usize {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let (evicted, granted) = self.store.shelf().grow(self.number, bytes);
        self.store.remove(evicted);
        usize::try_from(granted).unwrap_or(usize::MAX)
    }

    /// From now on it can be read: `bytes` of a stream that had `total`.
    fn keep(mut self, bytes: u64, total: u64) -> Stored {
        self.kept = true;
        let retention = self.store.bounds.retention;
        let replaced =
            self.store.shelf().finish(self.number, bytes, total, Instant::now() + retention);
        self.store.remove(replaced);
        Stored { bytes, until: SystemTime::now() + retention }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if !self.kept {
            self.store.shelf().drop_file(self.number);
            self.store.remove(vec![self.number]);
        }
    }
}

/// Disks are slow: what touches one has a thread of its own.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(io::Error::other(error)),
    }
}
