//! How many connections there are at once: in all, so that open files last, and of one address, so
//! that one caller cannot have all of them.

use std::any::Any;
use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use actix_web::dev::Extensions;
use actix_web::rt::net::TcpStream;
use rustix::net::Shutdown;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::domain::peer::Peer;

/// Open files that are not for callers: the database, the journal, the worker, the log.
const RESERVED_FILES: usize = 256;
/// A caller who does not take what it is sent must not hold it in our memory for ever.
const PATIENCE_MS: u32 = 30_000;

/// The connections of this gateway.
#[derive(Debug)]
pub struct Connections {
    of_peer: Mutex<HashMap<Peer, usize>>,
    most: usize,
    most_of_peer: usize,
}

/// The right to one connection.
#[derive(Debug)]
struct Place {
    connections: Arc<Connections>,
    peer: Peer,
}

impl Connections {
    /// At most `most`, or as many as this process may have open files, and at most half of them or
    /// `most_of_peer` of one address; 0 lets one address have all.
    ///
    /// # Errors
    /// When the limit of open files cannot be raised as far as it may be.
    pub fn new(most: usize, most_of_peer: usize) -> io::Result<Arc<Self>> {
        let files = raise_open_files()?;
        let most = most.min(files.saturating_sub(RESERVED_FILES)).max(2);
        let most_of_peer = match most_of_peer {
            0 => most,
            some => some.min(most / 2),
        };
        Ok(Arc::new(Self { of_peer: Mutex::default(), most, most_of_peer }))
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
        let Ok(address) = stream.peer_addr() else {
            // It is over already.
            return;
        };
        match self.place(address.ip()) {
            Some(place) => {
                // Given back when the connection ends.
                extensions.insert(place);
            }
            None => {
                metrics::counter!("crucible_http_connections_refused_total").increment(1);
                // An error means that it is over already.
                let _ = rustix::net::shutdown(stream, Shutdown::Both);
            }
        }
    }

    fn place(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let peer = Peer::from(address);
        let mut of_peer = self.of_peer();
        let count = of_peer.entry(peer).or_default();
        if *count >= self.most_of_peer {
            return None;
        }
        *count += 1;
        Some(Place { connections: self.clone(), peer })
    }

    fn of_peer(&self) -> MutexGuard<'_, HashMap<Peer, usize>> {
        self.of_peer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut of_peer = self.connections.of_peer();
        if let Some(count) = of_peer.get_mut(&self.peer) {
            *count -= 1;
            if *count == 0 {
                of_peer.remove(&self.peer);
            }
        }
    }
}

/// Lets this process have as many open files as it may, and says how many that are: the usual limit
/// of 1024 is for programs that use `select`.
fn raise_open_files() -> io::Result<usize> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum {
        setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?;
    }
    Ok(maximum.map_or(usize::MAX, |most| usize::try_from(most).unwrap_or(usize::MAX)))
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::Connections;

    #[test]
    fn one_address_cannot_have_all() {
        let connections = Connections::new(8, 100).unwrap();
        let (one, other) = (Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(192, 0, 2, 2));
        let mut places: Vec<_> = (0..4).map(|_| connections.place(IpAddr::V4(one))).collect();
        assert!(places.iter().all(Option::is_some));
        assert!(connections.place(IpAddr::V4(one)).is_none(), "half of all are taken");
        assert!(connections.place(IpAddr::V4(other)).is_some());
        places.pop();
        assert!(connections.place(IpAddr::V4(one)).is_some(), "a place was given back");
        places.clear();
        assert!(connections.of_peer().is_empty(), "nobody is remembered");
    }
}
