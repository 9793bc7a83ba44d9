//! FIFOs in memory.

use std::io;

use async_trait::async_trait;
use tokio::io::{AsyncWrite, DuplexStream};

use crate::sandbox::backend::Fifo;

const BYTES: usize = 64 << 10;

/// The end that is written; a process finds the other one by its name.
pub(super) struct FakeFifo(DuplexStream);

/// Both ends.
pub(super) fn fifo() -> (FakeFifo, DuplexStream) {
    let (written, read) = tokio::io::duplex(BYTES);
    (FakeFifo(written), read)
}

#[async_trait]
impl Fifo for FakeFifo {
    async fn until_it_is_read(
        self: Box<Self>,
    ) -> io::Result<Box<dyn AsyncWrite + Send + Sync + Unpin>> {
        Ok(Box::new(self.0))
    }
}
