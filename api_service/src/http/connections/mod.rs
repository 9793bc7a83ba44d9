//! How many connections there are at once, in all and of one address, and how long one may go on
//! without a request.
//!
//! The server below us times the head of a connection's first request and the pause after an answer.
//! It does not time the head of the second, nor what comes after an answer that was given before the
//! whole body was there. Both would let a caller hold a connection for ever.

mod connection;
mod open_files;

use std::any::Any;
use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use actix_web::dev::Extensions;
use actix_web::rt::net::TcpStream;

use self::connection::Connection;
use crate::domain::peer::Peer;

/// Open files that are not for callers: the database, the journal, the worker, the log.
const RESERVED_FILES: usize = 256;
/// Open files of each connection: the server's, and ours to hang up with.
const FILES_OF_ONE: usize = 2;
/// A caller who does not take what it is sent must not hold it in our memory for ever.
const PATIENCE_MS: u32 = 30_000;
/// What is given to the kernel to send before it has been taken, in bytes; it takes as much again for itself. By itself it
/// makes room for megabytes, which are in nobody's account.
const UNSENT: usize = 256 << 10;
/// How often idle connections are looked for.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// The connections of this gateway.
#[derive(Debug)]
pub struct Connections {
    open: Mutex<Open>,
    most: usize,
    most_of_peer: usize,
    most_idle: Duration,
}

#[derive(Debug, Default)]
struct Open {
    by_number: HashMap<u64, Arc<Connection>>,
    of_peer: HashMap<Peer, usize>,
    last: u64,
}

/// One connection, as the server keeps it: its slot is free again when this is dropped.
#[derive(Debug)]
pub struct ConnectionSlot {
    connections: Arc<Connections>,
    number: u64,
    connection: Arc<Connection>,
}

impl Connections {
    /// At most `most`, or as many as this process may have open files, and at most half of them or
    /// `most_of_peer` of one address; 0 lets one address have all. `most_idle` is how long one may
    /// go on without a request.
    ///
    /// # Errors
    /// When the limit of open files cannot be raised as far as it may be.
    pub fn new(most: usize, most_of_peer: usize, most_idle: Duration) -> io::Result<Arc<Self>> {
        let files = open_files::raise()?;
        let most = most.min(files.saturating_sub(RESERVED_FILES) / FILES_OF_ONE).max(2);
        let most_of_peer = match most_of_peer {
            0 => most,
            some => some.min(most / 2),
        };
        Ok(Arc::new(Self { open: Mutex::default(), most, most_of_peer, most_idle }))
    }

    /// Most connections of all callers.
    pub fn most(&self) -> usize {
        self.most
    }

    /// Takes a new connection on, or hangs up.
    pub fn welcome(self: &Arc<Self>, connection: &dyn Any, extensions: &mut Extensions) {
        let Some(stream) = connection.downcast_ref::<TcpStream>() else {
            return;
        };
        // Refused by no Linux of the last fifteen years; without it the connection merely lasts longer.
        let _ = rustix::net::sockopt::set_tcp_user_timeout(stream, PATIENCE_MS);
        let _ = rustix::net::sockopt::set_socket_send_buffer_size(stream, UNSENT);
        let slot = stream.peer_addr().and_then(|address| self.slot(stream, address.ip()));
        if let Ok(Some(slot)) = slot {
            extensions.insert(slot);
        } else {
            metrics::counter!("crucible_http_connections_refused_total").increment(1);
            // An error means that it is over already.
            let _ = rustix::net::shutdown(stream, rustix::net::Shutdown::Both);
        }
    }

    /// Hangs up on who has been idle for too long, again and again. When there is little room left,
    /// that is whoever has been idle longest: somebody new may have something to ask.
    pub async fn watch(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(LOOK_INTERVAL);
        loop {
            ticks.tick().await;
            let open: Vec<Arc<Connection>> = self.open().by_number.values().cloned().collect();
            let mut idle: Vec<(Duration, &Connection)> =
                open.iter().filter_map(|one| Some((one.idle()?, &**one))).collect();
            idle.sort_by_key(|(time, _)| std::cmp::Reverse(*time));
            let too_many = open.len().saturating_sub(self.most / 4 * 3);
            for (rank, (time, connection)) in idle.into_iter().enumerate() {
                if time > self.most_idle || (rank < too_many && time > LOOK_INTERVAL) {
                    connection.hang_up();
                }
            }
        }
    }

    fn slot(
        self: &Arc<Self>,
        stream: &TcpStream,
        address: IpAddr,
    ) -> io::Result<Option<ConnectionSlot>> {
        let connection = Arc::new(Connection::of(stream, address)?);
        let mut open = self.open();
        let of_peer = open.of_peer.entry(connection.peer).or_default();
        if *of_peer >= self.most_of_peer {
            return Ok(None);
        }
        *of_peer += 1;
        open.last += 1;
        let number = open.last;
        open.by_number.insert(number, connection.clone());
        Ok(Some(ConnectionSlot { connections: self.clone(), number, connection }))
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that is being answered: its connection is not idle until this is dropped.
#[derive(Debug)]
pub struct Busy(Arc<Connection>);

impl ConnectionSlot {
    /// A request has arrived.
    pub fn busy(&self) -> Busy {
        self.connection.begin_request();
        Busy(self.connection.clone())
    }
}

impl Busy {
    /// The answer is sent bit by bit and takes as long as it takes: the connection is not idle before
    /// the end of its next request.
    pub fn streams_on(self) {
        let connection = self.0.clone();
        drop(self);
        connection.begin_request();
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.end_request();
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        let mut open = self.connections.open();
        open.by_number.remove(&self.number);
        if let Some(of_peer) = open.of_peer.get_mut(&self.connection.peer) {
            *of_peer -= 1;
            if *of_peer == 0 {
                open.of_peer.remove(&self.connection.peer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use actix_web::rt::net::TcpStream;
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn the_kernel_keeps_little_that_nobody_reads() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (_caller, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());
        let stream: TcpStream = accepted.unwrap().0;
        let connections = Connections::new(8, 0, Duration::from_secs(1)).unwrap();
        connections.welcome(&stream, &mut Extensions::new());
        // The kernel doubles it, and then it does not grow.
        let bytes = rustix::net::sockopt::socket_send_buffer_size(&stream).unwrap();
        assert!(bytes <= 2 * UNSENT, "{bytes}");
        let mut taken = 0;
        while let Ok(more) = stream.try_write(&[0; 64 << 10]) {
            taken += more;
        }
        assert!(taken < 8 << 20, "{taken} with what the caller's side keeps");
    }
}
