//! The worker's side of a socket on which requests are numbered and replies find their way back.

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::unix::AsyncFd;
use tokio::sync::oneshot;

use super::protocol::Sequence;
use super::{channel, syscall};
use crate::sandbox::backend::ProcessEnd;

/// Sends packets, receives packets: the socket itself.
pub struct Packets(AsyncFd<OwnedFd>);

impl Packets {
    /// Takes over a socket.
    pub fn new(socket: OwnedFd) -> io::Result<Self> {
        set_nonblocking(&socket)?;
        Ok(Self(syscall::register(socket)?))
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
pub fn set_nonblocking(fd: &OwnedFd) -> io::Result<()> {
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

    /// A number for a request and the place where its reply will come. The receiver fails when the
    /// other end goes away.
    pub fn expect(&self) -> (Sequence, oneshot::Receiver<R>) {
        let sequence = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        let (sender, receiver) = oneshot::channel();
        if let Some(waiting) = self.lock().as_mut() {
            waiting.insert(sequence, sender);
        }
        (sequence, receiver)
    }

    /// Hands over a reply. A number that nobody waits for is ignored: its caller was cancelled, or
    /// the other end made it up.
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
