//! The worker's side of a socket on which requests are numbered and replies find their way back.

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::unix::AsyncFd;
use tokio::sync::oneshot;

use crate::sandbox::backend::ProcessEnd;
use crate::sandbox::linux::syscall;
use crate::sandbox::linux::wire::Sequence;
use crate::sandbox::linux::wire::channel;

/// Sends packets, receives packets: the socket itself.
pub struct Packets(AsyncFd<OwnedFd>);

impl Packets {
    /// Takes over a socket.
    pub fn new(socket: OwnedFd) -> io::Result<Self> {
        set_nonblocking(&socket)?;
        Ok(Self(syscall::register(socket)?))
    }

    /// The socket.
    pub fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    /// Sends one message with descriptors, waiting for room.
    pub async fn send<T: Serialize>(&self, message: &T, fds: &[OwnedFd]) -> io::Result<()> {
        loop {
            let fds: Vec<_> = fds.iter().map(AsFd::as_fd).collect();
            match channel::send(self.0.as_fd(), message, &fds) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => return result,
            }
            self.0.writable().await?.clear_ready();
        }
    }

    /// Waits for one message; `None` when the other end is gone.
    pub async fn receive<T: DeserializeOwned>(&self) -> io::Result<Option<(T, Vec<OwnedFd>)>> {
        // Whoever sends as fast as we read must not keep this thread from everybody else's work. Before and
        // not after: this future may be dropped here, and a message must not be lost with it.
        tokio::task::consume_budget().await;
        loop {
            let mut ready = self.0.readable().await?;
            match channel::receive(self.0.as_fd()) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => ready.clear_ready(),
                result => return result,
            }
        }
    }
}

/// Makes the open file behind `fd` non-blocking.
fn set_nonblocking(fd: &OwnedFd) -> io::Result<()> {
    use nix::fcntl::{FcntlArg, OFlag, fcntl};
    let flags = OFlag::from_bits_truncate(fcntl(fd, FcntlArg::F_GETFL)?);
    fcntl(fd, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
    Ok(())
}

/// The processes that run, and who is to hear of the end of each.
#[derive(Default)]
pub struct Running(HashMap<i32, oneshot::Sender<ProcessEnd>>);

impl Running {
    /// Notes that `pid` runs. To be called by whoever reads the messages: its end may be the next one.
    pub fn begin(&mut self, pid: i32) -> oneshot::Receiver<ProcessEnd> {
        let (sender, receiver) = oneshot::channel();
        self.0.insert(pid, sender);
        receiver
    }

    /// Tells of an end. A number that is not running is ignored: the other end made it up.
    pub fn end(&mut self, pid: i32, end: ProcessEnd) {
        if let Some(sender) = self.0.remove(&pid) {
            let _ = sender.send(end);
        }
    }
}

/// The callers that wait for a reply of type `R`.
pub struct Pending<R> {
    last: AtomicU64,
    /// `None` once the other end is gone: nobody may wait any more.
    waiting: Mutex<Option<HashMap<Sequence, oneshot::Sender<R>>>>,
}

impl<R> Pending<R> {
    /// Nobody waits yet.
    pub fn new() -> Arc<Self> {
        Arc::new(Self { last: AtomicU64::new(0), waiting: Mutex::new(Some(HashMap::new())) })
    }

    /// A number for a request and the place where its reply will come.
    pub fn expect(self: &Arc<Self>) -> Expected<R> {
        let sequence = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        let (sender, receiver) = oneshot::channel();
        if let Some(waiting) = self.lock().as_mut() {
            waiting.insert(sequence, sender);
        }
        Expected { sequence, receiver, pending: Arc::clone(self) }
    }

    /// Whether somebody waits for the reply to `sequence`. A number that nobody waits for is to be ignored:
    /// its caller has given up, or the other end made it up.
    pub fn is_expected(&self, sequence: Sequence) -> bool {
        self.lock().as_ref().is_some_and(|waiting| waiting.contains_key(&sequence))
    }

    /// Hands over a reply, if somebody waits for it.
    pub fn resolve(&self, sequence: Sequence, reply: R) {
        let waiting = self.lock().as_mut().and_then(|waiting| waiting.remove(&sequence));
        if let Some(sender) = waiting {
            let _ = sender.send(reply);
        }
    }

    /// Nobody will be answered any more.
    pub fn close(&self) {
        *self.lock() = None;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<HashMap<Sequence, oneshot::Sender<R>>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A reply that somebody waits for. Dropping it gives up: an end that never answers would otherwise be
/// remembered for every question.
pub struct Expected<R> {
    sequence: Sequence,
    receiver: oneshot::Receiver<R>,
    pending: Arc<Pending<R>>,
}

impl<R> Expected<R> {
    /// The number of the request.
    pub fn sequence(&self) -> Sequence {
        self.sequence
    }

    /// Waits for the reply; `None` when the other end is gone.
    pub async fn reply(mut self) -> Option<R> {
        (&mut self.receiver).await.ok()
    }
}

impl<R> Drop for Expected<R> {
    fn drop(&mut self) {
        if let Some(waiting) = self.pending.lock().as_mut() {
            waiting.remove(&self.sequence);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_that_was_given_up_is_forgotten() {
        let pending = Pending::<()>::new();
        let given_up = pending.expect();
        let sequence = given_up.sequence();
        assert!(pending.is_expected(sequence));
        drop(given_up);
        assert!(!pending.is_expected(sequence));
        assert_eq!(pending.lock().as_ref().map(HashMap::len), Some(0));
    }

    #[tokio::test]
    async fn a_flood_of_messages_leaves_others_their_turn() {
        let (ours, theirs) = channel::pair(true).expect("a pair");
        let packets = Packets::new(ours).expect("a socket");
        while channel::send(theirs.as_fd(), &1_u8, &[]).is_ok() {}
        let reader = tokio::spawn(async move {
            let mut heard = 0;
            while let Ok(Some((1_u8, _))) = packets.receive().await {
                heard += 1;
            }
            heard
        });
        // There is one thread: we go on when the reader lets go of it.
        while channel::send(theirs.as_fd(), &1_u8, &[]).is_err() {
            tokio::task::yield_now().await;
        }
        let room = (0..).take_while(|_| channel::send(theirs.as_fd(), &1_u8, &[]).is_ok()).count();
        // Tokio lets a task do 128 things in one turn; the socket holds 277 packets.
        assert!(room < 200, "everything was read at once: there is room for {room}");
        drop(theirs);
        assert!(reader.await.expect("no panic") > 0);
    }
}
