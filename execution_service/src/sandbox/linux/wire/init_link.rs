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

use crate::sandbox::linux::wire::channel::{self, MAX_PACKET};

/// The ends of one side.
pub struct InitEnds {
    /// For what the worker says, and for init's first word.
    pub socket: OwnedFd,
    /// For what init says afterwards.
    pub replies: OwnedFd,
}

/// The worker's side and init's.
pub fn pair() -> io::Result<(InitEnds, InitEnds)> {
    let (ours, theirs) = channel::pair(false)?;
    let (reader, writer) = pipe2(OFlag::O_CLOEXEC)?;
    Ok((InitEnds { socket: ours, replies: reader }, InitEnds { socket: theirs, replies: writer }))
}

/// From here on nothing comes by `socket` any more: whoever sends to it gets EPIPE, and what would have
/// come along stays with him. There is no way back, at neither end.
pub fn shut_down_receiving(socket: BorrowedFd<'_>) -> io::Result<()> {
    shutdown(socket, Shutdown::Read).map_err(io::Error::from)
}

/// Says one thing, in init.
pub fn send_reply<T: Serialize>(mut replies: &File, message: &T) -> io::Result<()> {
    let message = postcard::to_stdvec(message).map_err(io::Error::other)?;
    let length = u32::try_from(message.len()).map_err(io::Error::other)?;
    replies.write_all(&[&length.to_le_bytes()[..], &message].concat())
}

/// What init says, in the worker.
pub struct Replies(FramedRead<Receiver, LengthDelimitedCodec>);

impl Replies {
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

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use super::*;

    #[test]
    fn nothing_comes_by_the_socket_any_more_and_everything_goes() {
        let (worker, init) = pair().expect("a pair");
        let (worker, init) = (worker.socket.as_fd(), init.socket.as_fd());
        let gift = tempfile::tempfile().expect("a file");
        channel::send(init, &1_u8, &[gift.as_fd()]).expect("the first word");
        assert!(channel::receive::<u8>(worker).is_ok_and(|heard| heard.is_some()));

        shut_down_receiving(worker).expect("a socket");

        for fds in [&[gift.as_fd()][..], &[]] {
            let refused = channel::send(init, &1_u8, fds).expect_err("nobody listens");
            assert_eq!(refused.kind(), io::ErrorKind::BrokenPipe);
        }
        channel::send(worker, &2_u8, &[gift.as_fd()]).expect("room");
        let (said, fds) = channel::receive::<u8>(init).expect("a packet").expect("a message");
        assert_eq!((said, fds.len()), (2, 1));
    }

    #[tokio::test]
    async fn words_come_one_by_one_and_end_with_rubbish() {
        let (worker, init) = pair().expect("a pair");
        let mut replies = Replies::new(worker.replies).expect("a pipe");
        let init = File::from(init.replies);
        let long = "x".repeat(40_000);
        for text in ["", "short", &long] {
            send_reply(&init, &text).expect("room");
        }
        for text in ["", "short", &long] {
            assert_eq!(replies.next::<String>().await.expect("a word").as_deref(), Some(text));
        }
        (&init).write_all(&u32::MAX.to_le_bytes()).expect("room");
        let refused = replies.next::<String>().await.expect_err("that long is nothing");
        assert_eq!(refused.kind(), io::ErrorKind::InvalidData);
    }

    #[tokio::test]
    async fn the_end_of_init_is_the_end_of_its_words() {
        let (worker, init) = pair().expect("a pair");
        let mut replies = Replies::new(worker.replies).expect("a pipe");
        drop(init);
        assert!(replies.next::<u8>().await.is_ok_and(|said| said.is_none()));
    }

    #[tokio::test]
    async fn a_flood_of_words_leaves_others_their_turn() {
        let (worker, init) = pair().expect("a pair");
        let mut replies = Replies::new(worker.replies).expect("a pipe");
        let init = File::from(init.replies);
        let flood = std::thread::spawn(move || while send_reply(&init, &1_u8).is_ok() {});
        let reader = tokio::spawn(async move {
            while replies.next::<u8>().await.is_ok_and(|said| said.is_some()) {}
        });
        // There is one thread: we go on whenever the reader lets go of it.
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        assert!(!reader.is_finished());
        reader.abort();
        assert!(reader.await.is_err());
        flood.join().expect("it ends when nobody reads");
    }
}
