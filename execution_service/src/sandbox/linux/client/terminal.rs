//! The worker's end of a terminal in a sandbox.

use std::io;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use async_trait::async_trait;
use nix::errno::Errno;
use rustix::termios::tcsetwinsize;
use tokio::io::AsyncWrite;
use tokio::io::unix::AsyncFd;

use crate::sandbox::backend::{OutputStream, Terminal};
use crate::sandbox::linux::syscall;
use crate::sandbox::spec::TerminalSize;

/// Cheap to clone; the terminal hangs up when the last is dropped.
#[derive(Clone)]
pub struct TerminalEnd(Arc<AsyncFd<OwnedFd>>);

impl TerminalEnd {
    /// Takes over the worker's end, which must be one that never waits.
    pub fn new(end: OwnedFd) -> io::Result<Self> {
        Ok(Self(Arc::new(syscall::register(end)?)))
    }
}

impl Terminal for TerminalEnd {
    fn resize(&self, size: TerminalSize) -> io::Result<()> {
        Ok(tcsetwinsize(self.0.get_ref(), size.into())?)
    }
}

/// What `read` has said, if there was no need to wait.
fn taken(result: nix::Result<usize>) -> Option<io::Result<usize>> {
    match result {
        Err(Errno::EAGAIN) => None,
        // Nobody has the other end open any more.
        Err(Errno::EIO) => Some(Ok(0)),
        other => Some(other.map_err(io::Error::from)),
    }
}

#[async_trait]
impl OutputStream for TerminalEnd {
    async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let mut ready = self.0.readable().await?;
            match taken(nix::unistd::read(self.0.get_ref(), buffer)) {
                Some(result) => return result,
                None => ready.clear_ready(),
            }
        }
    }

    fn read_now(&mut self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        taken(nix::unistd::read(self.0.get_ref(), buffer)).transpose()
    }
}

impl AsyncWrite for TerminalEnd {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        loop {
            let mut ready = ready!(self.0.poll_write_ready(context))?;
            match nix::unistd::write(self.0.get_ref(), bytes) {
                Err(Errno::EAGAIN) => ready.clear_ready(),
                other => return Poll::Ready(other.map_err(io::Error::from)),
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
