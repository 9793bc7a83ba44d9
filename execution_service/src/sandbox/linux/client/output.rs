//! The worker's end of a sandbox's output pipe.

use std::io;
use std::os::fd::OwnedFd;

use async_trait::async_trait;
use tokio::io::unix::AsyncFd;

use crate::sandbox::backend::OutputStream;
use crate::sandbox::linux::syscall;

/// A pipe that user code writes to.
pub struct OutputPipe(AsyncFd<OwnedFd>);

impl OutputPipe {
    /// Takes over the reading end, which must be one that never waits.
    pub fn new(pipe: OwnedFd) -> io::Result<Self> {
        Ok(Self(syscall::register(pipe)?))
    }
}

#[async_trait]
impl OutputStream for OutputPipe {
    async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let mut ready = self.0.readable().await?;
            match nix::unistd::read(self.0.get_ref(), buffer) {
                Err(nix::errno::Errno::EAGAIN) => ready.clear_ready(),
                Err(nix::errno::Errno::EINTR) => {}
                Err(error) => return Err(io::Error::from(error)),
                Ok(count) => return Ok(count),
            }
        }
    }

    fn read_now(&mut self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        // Asks the kernel and not tokio, whose knowledge of readiness may be a moment old.
        loop {
            match nix::unistd::read(self.0.get_ref(), buffer) {
                Err(nix::errno::Errno::EAGAIN) => return Ok(None),
                Err(nix::errno::Errno::EINTR) => {}
                Err(error) => return Err(io::Error::from(error)),
                Ok(count) => return Ok(Some(count)),
            }
        }
    }
}
