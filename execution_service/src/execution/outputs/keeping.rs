//! Files that are stored whole or not at all.

use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::SystemTime;

use super::claim::Claim;
use super::entry::{Kept, Name};
use super::{Outputs, blocking};

/// A file that is being stored. Dropped before it is published, nothing is left of it.
pub struct Keeping {
    claim: Claim,
    file: Arc<File>,
    bytes: u64,
}

impl Outputs {
    /// Begins what is to be kept of `owner`'s run `execution`, with room for `size` bytes; `None` when there
    /// is none, or the disk gives no file.
    pub async fn keep(
        self: &Arc<Self>,
        execution: &str,
        kept: Kept,
        owner: &str,
        size: u64,
    ) -> Option<Keeping> {
        let name = Name { execution: String::from(execution), kept };
        let claim = Claim::new(self, name, owner);
        let size = usize::try_from(size).ok()?;
        if claim.grow(size) < size {
            return None;
        }
        let created = blocking(move || {
            let file = claim.create()?;
            Ok((claim, Arc::new(file)))
        });
        let (claim, file) = created.await.map_err(not_kept).ok()?;
        Some(Keeping { claim, file, bytes: 0 })
    }

    /// Stores all of `data` at once, written behind whatever its caller does next: whoever reads it before waits.
    /// Gives until when it is kept; `None` when there is no room, or too much is written behind already.
    pub fn keep_behind(
        self: &Arc<Self>,
        execution: &str,
        kept: Kept,
        owner: &str,
        data: Vec<u8>,
    ) -> Option<SystemTime> {
        let name = Name { execution: String::from(execution), kept };
        let claim = Claim::new(self, name, owner);
        let behind = claim.write_behind()?;
        if claim.grow(data.len()) < data.len() {
            return None;
        }
        let length = u64::try_from(data.len()).ok()?;
        let stored = claim.publish(length, length);
        self.tasks.spawn_blocking(move || {
            let _behind = behind;
            let written = claim.create().and_then(|mut file| file.write_all(&data));
            match written {
                Ok(()) => claim.complete(length),
                Err(error) => not_kept(error),
            }
        });
        Some(stored.until)
    }
}

impl Keeping {
    /// Takes more of it.
    ///
    /// # Errors
    /// When the disk does not take it.
    pub async fn append(&mut self, data: Vec<u8>) -> io::Result<()> {
        let length = u64::try_from(data.len()).unwrap_or(u64::MAX);
        let file = Arc::clone(&self.file);
        blocking(move || (&*file).write_all(&data)).await?;
        self.bytes += length;
        Ok(())
    }

    /// From now on it can be found. Gives until when.
    pub fn publish(self) -> SystemTime {
        let Self { claim, file: _, bytes } = self;
        let stored = claim.publish(bytes, bytes);
        claim.complete(bytes);
        stored.until
    }
}

fn not_kept(error: io::Error) {
    tracing::warn!(%error, "a file that a run has left is not stored");
}
