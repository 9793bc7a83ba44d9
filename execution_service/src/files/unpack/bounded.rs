//! How much may be read of an archive before something comes of it. Long names come as contents of entries of their
//! own, which are gathered in memory: as many bytes as whoever has made the archive likes.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, ReadBuf};

/// Bytes of headers that one entry may have: a name, a target, and what else some writers note.
const HEADER: u64 = 64 << 10;

/// What may be read.
#[derive(Clone, Debug, Default)]
pub struct Allowance(Arc<AtomicU64>);

impl Allowance {
    /// A header, and no more.
    pub fn for_a_header(&self) {
        self.0.store(HEADER, Ordering::Relaxed);
    }

    /// So much content more, with what fills its last block up.
    pub fn for_content(&self, bytes: u64) {
        self.0.store(bytes.saturating_add(512), Ordering::Relaxed);
    }
}

/// A source that ends in an error when more is read than is allowed.
pub struct Bounded<R> {
    source: R,
    allowance: Allowance,
}

impl<R> Bounded<R> {
    /// Of `source`.
    pub fn new(source: R, allowance: Allowance) -> Self {
        Self { source, allowance }
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for Bounded<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        std::task::ready!(Pin::new(&mut self.source).poll_read(context, buffer))?;
        let read = (buffer.filled().len() - before) as u64;
        let left = &self.allowance.0;
        let taken =
            left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(read));
        Poll::Ready(match taken {
            Ok(_) => Ok(()),
            Err(_) => Err(io::Error::other("its headers are longer than any name")),
        })
    }
}
