//! The way between the worker and an init. What the worker says goes through a socket, as it carries
//! descriptors. What init says goes through a pipe, which cannot: init lives beside user code, and whoever
//! receives a descriptor has to close it, which may take an hour (a connection with SO_LINGER). To refuse
//! or to close it unseen is no way out, because the kernel does that in the receiver's name, too.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{BorrowedFd, OwnedFd};

use futures::StreamExt;
use nix::fcntl::OFlag;
use nix::unistd::pipe2;
use rustix::net::{Shutdown, shutdown};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::unix::pipe::Receiver;
use tokio_util::codec::{FramedRead, LengthDelimitedCodec};

use super::channel::{self, MAX_PACKET};

/// The ends of one side.
pub struct Side {
    /// For what the worker says, and for init's first word.
    pub socket: OwnedFd,
    /// For what init says afterwards.
    pub words: OwnedFd,
}

/// The worker's side and init's.
pub fn pair() -> io::Result<(Side, Side)> {
    let (ours, theirs) = channel::pair(false)?;
    let (reader, writer) = pipe2(OFlag::O_CLOEXEC)?;
    Ok((Side { socket: ours, words: reader }, Side { socket: theirs, words: writer }))
}

/// From here on nothing comes by `socket` any more: whoever sends to it gets EPIPE, and what would have
/// come along stays with him. There is no way back, at neither end.
pub fn stop_listening(socket: BorrowedFd<'_>) -> io::Result<()> {
    shutdown(socket, Shutdown::Read).map_err(io::Error::from)
}

/// Says one thing, in init.
pub fn say<T: Serialize>(mut words: &File, message: &T) -> io::Result<()> {
    let message = postcard::to_stdvec(message).map_err(io::Error::other)?;
    let length = u32::try_from(message.len()).map_err(io::Error::other)?;
    words.write_all(&[&length.to_le_bytes()[..], &message].concat())
}

/// What init says, in the worker.
pub struct Words(FramedRead<Receiver, LengthDelimitedCodec>);

impl Words {
    /// Takes over the pipe; must be called inside a runtime.
    pub fn new(pipe: OwnedFd) -> io::Result<Self> {
        let frames = LengthDelimitedCodec::builder()
            .little_endian()
            .max_frame_length(MAX_PACKET)
            .new_read(Receiver::from_owned_fd(pipe)?);
        Ok(Self(frames))
    }

    /// Waits for one message; `None` when init is gone.
    ///
    /// # Errors
    /// `InvalidData` when it is no `T`, or too long for one.
    pub async fn next<T: DeserializeOwned>(&mut self) -> io::Result<Option<T>> {
        // Whoever speaks as fast as we read must not keep this thread from everybody else's work.
        tokio::task::consume_budget().await;
        let Some(frame) = self.0.next().await.transpose()? else {
            return Ok(None);
        };
        let message = postcard::from_bytes(&frame);
        message.map(Some).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }
}
