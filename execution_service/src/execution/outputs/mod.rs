//! Whole output streams and files that runs have left, in files, for a while.
//!
//! ```text
//! drive ──▶ Recorder   keeps the start in memory; what grows longer, is no text or was cut in the
//!    │         │       answer gets a file
//!    │       Writer    writes it, beside the program when there is much of it, and the rest when the
//!    │         │       answer is out
//!    │       Catalogue     says whether there is room: an owner's oldest files make way for the owner's
//!    │                 newer ones, and everybody's oldest for anybody's
//! artifacts ─▶ Keeping  a file of a workspace, or a large result, beside those
//! grpc ◀── Reading     a file, from any byte on; waits for one that is still being written
//! ```
//! Bytes are kept as they were written. A program whose output nobody can store runs as well as any
//! other: what is missing is said with its outcome.

mod catalogue;
mod claim;
mod directory;
mod entry;
mod keeping;
mod reading;
mod recorder;
mod recording;
mod writer;

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, Semaphore};
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use catalogue::Catalogue;
use directory::Directory;
pub use directory::{DirectoryError, OutputDirectory};
pub use entry::Kept;
use entry::{Found, Name, Number};
pub use keeping::Keeping;
pub use reading::Reading;
pub use recording::Recording;

/// How long anybody waits for a disk that takes nothing: an answer for its file, which is then given up,
/// when too many are written behind answers already; a reader; the end of the worker.
const PATIENCE: Duration = Duration::from_secs(5);
/// Files that are written behind answers at once. Each holds up to 3.5 MiB of memory, beside what running
/// programs hold. When there are so many, the disk is slower than the programs, and answers wait for it.
const BEHIND: usize = 16;

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

/// The kept output streams of a worker.
#[derive(Debug)]
pub struct Outputs {
    directory: Directory,
    bounds: Bounds,
    catalogue: Mutex<Catalogue>,
    /// Some file is complete, or will never be.
    settled: Notify,
    /// Files that may be written behind the answers.
    behind: Arc<Semaphore>,
    /// Whatever touches the disk and is not waited for.
    tasks: TaskTracker,
}

/// Why a file that is kept cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// The disk has not taken it yet.
    #[error("the output is still being written")]
    Behind,
    /// The disk does not give it.
    #[error(transparent)]
    Disk(#[from] io::Error),
}

impl Outputs {
    /// An empty store in `place`: what a killed worker left there is removed.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub fn open_in(place: OutputDirectory, bounds: Bounds) -> Result<Arc<Self>, DirectoryError> {
        let (directory, count, bytes) = place.take()?;
        if count > 0 {
            tracing::warn!(count, bytes, "outputs that a killed worker left behind were removed");
        }
        Ok(Arc::new(Self {
            directory,
            bounds,
            catalogue: Mutex::new(Catalogue::new(bounds)),
            settled: Notify::new(),
            behind: Arc::new(Semaphore::new(BEHIND)),
            tasks: TaskTracker::new(),
        }))
    }

    /// What is `kept` of `owner`'s run `execution`; `None` when it is not kept, not any more, or
    /// somebody else's. Waits for a file that is still being written.
    ///
    /// # Errors
    /// When the disk is too slow, or the file cannot be opened.
    pub async fn open(
        self: &Arc<Self>,
        execution: &str,
        owner: &str,
        kept: Kept,
    ) -> Result<Option<Reading>, Unreadable> {
        let name = Name { execution: String::from(execution), kept };
        let found = timeout(PATIENCE, self.complete(&name, owner)).await;
        let Some(found) = found.map_err(|_| Unreadable::Behind)? else {
            return Ok(None);
        };
        let store = Arc::clone(self);
        match blocking(move || store.directory.open(found.number)).await {
            Ok(file) => Ok(Some(Reading::new(file, found.bytes, found.total))),
            // It had to make way between our look and this.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Unreadable::Disk(error)),
        }
    }

    /// `owner`'s file of that name, when all of it is written.
    async fn complete(&self, name: &Name, owner: &str) -> Option<Found> {
        loop {
            // Made before the look: what is settled between the two is not missed.
            let settled = self.settled.notified();
            match self.catalogue().find(name, owner, Instant::now()) {
                Some(Found { complete: false, .. }) => {}
                found => return found,
            }
            settled.await;
        }
    }

    /// Removes what has been kept long enough; never returns.
    pub async fn expire(self: Arc<Self>) {
        const PAUSE: Duration = Duration::from_secs(5);
        loop {
            tokio::time::sleep(PAUSE.min(self.bounds.retention)).await;
            let expired = self.catalogue().expire(Instant::now());
            self.remove(expired);
        }
    }

    /// Removes everything, nobody will know what it was; when what is still being written is.
    pub async fn close(&self) {
        self.tasks.close();
        if timeout(PATIENCE, self.tasks.wait()).await.is_err() {
            tracing::warn!("the disk of OUTPUT_DIR takes nothing: the next start removes the rest");
        }
        let numbers = self.catalogue().clear();
        self.remove_now(&numbers);
    }

    /// Removes files, some time soon: file systems may take long for it.
    fn remove(self: &Arc<Self>, numbers: Vec<Number>) {
        if numbers.is_empty() {
            return;
        }
        let store = Arc::clone(self);
        match tokio::runtime::Handle::try_current() {
            Ok(_) => drop(self.tasks.spawn_blocking(move || store.remove_now(&numbers))),
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

    fn catalogue(&self) -> MutexGuard<'_, Catalogue> {
        self.catalogue.lock().unwrap_or_else(PoisonError::into_inner)
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
