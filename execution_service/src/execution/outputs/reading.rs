//! A stored stream that is read.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use super::blocking;

/// An open file, which can be read even if it has to make way meanwhile.
#[derive(Debug)]
pub struct Reading {
    file: Arc<File>,
    bytes: u64,
    total: u64,
}

impl Reading {
    pub(super) fn new(file: File, bytes: u64, total: u64) -> Self {
        Self { file: Arc::new(file), bytes, total }
    }

    /// How many bytes are stored.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How many the program wrote.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The bytes from `offset` on, `length` of them where there are so many.
    ///
    /// # Errors
    /// When the disk does not give them.
    pub async fn piece(&self, offset: u64, length: u64) -> io::Result<Vec<u8>> {
        let length = length.min(self.bytes.saturating_sub(offset));
        if length == 0 {
            return Ok(Vec::new());
        }
        let file = Arc::clone(&self.file);
        let mut piece = vec![0; usize::try_from(length).unwrap_or_default()];
        blocking(move || {
            file.read_exact_at(&mut piece, offset)?;
            Ok(piece)
        })
        .await
    }
}
