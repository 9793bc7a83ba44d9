//! One connection.

use std::io;
use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use actix_web::rt::net::TcpStream;
use rustix::net::Shutdown;

use crate::domain::peer::Peer;

/// Stands for the moment since when a connection is idle, while it is not.
const BUSY: u64 = u64::MAX;

/// A connection that is open.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) peer: Peer,
    /// Our own descriptor of the socket: the server's is out of reach.
    socket: OwnedFd,
    opened: Instant,
    /// Milliseconds after `opened`.
    idle_since: AtomicU64,
}

impl Connection {
    pub(super) fn of(stream: &TcpStream, address: IpAddr) -> io::Result<Self> {
        let socket = rustix::io::fcntl_dupfd_cloexec(stream, 0)?;
        let (peer, opened) = (Peer::from(address), Instant::now());
        Ok(Self { peer, socket, opened, idle_since: AtomicU64::new(0) })
    }

    pub(super) fn begin_request(&self) {
        self.idle_since.store(BUSY, Ordering::Relaxed);
    }

    pub(super) fn end_request(&self) {
        let now = u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(BUSY - 1);
        self.idle_since.store(now, Ordering::Relaxed);
    }

    /// How long no request has been answered here; `None` while one is.
    pub(super) fn idle(&self) -> Option<Duration> {
        match self.idle_since.load(Ordering::Relaxed) {
            BUSY => None,
            since => Some(self.opened.elapsed().saturating_sub(Duration::from_millis(since))),
        }
    }

    pub(super) fn hang_up(&self) {
        // An error means that it is over already.
        let _ = rustix::net::shutdown(&self.socket, Shutdown::Both);
    }
}
