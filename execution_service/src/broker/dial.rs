//! Connecting to what a policy allows, at an address that was looked at.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs, UdpSocket};
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::gate::Gate;
use super::limits::{ADDRESSES, CONNECT, RESOLVE};
use super::line::{Line, Purpose};
use crate::network::{Destination, Host, Rule, Verdict, is_public};

/// Why there is no connection, although the policy allows it.
#[derive(Debug, thiserror::Error)]
pub enum NoConnection {
    /// A rule about addresses.
    #[error("{0}")]
    Refused(Rule),
    /// The name has no address.
    #[error("the name cannot be resolved")]
    NoName,
    /// Nobody answers in time.
    #[error("it does not answer")]
    Silent,
    /// It is not there.
    #[error("{0}")]
    Failed(io::Error),
}

/// Connects to `destination`, which the gate allows. What comes of it is told.
pub async fn dial(
    gate: &Arc<Gate>,
    destination: &Destination,
    purpose: Purpose,
) -> Result<Line, NoConnection> {
    match connect(gate, destination).await {
        Ok(stream) => Ok(Line::new(stream, Arc::clone(gate), destination.clone(), purpose)),
        Err(error) => {
            match &error {
                NoConnection::Refused(rule) => gate.refused(destination, rule),
                NoConnection::NoName => failed(gate, destination, "no_such_name"),
                NoConnection::Silent => failed(gate, destination, "no_answer"),
                NoConnection::Failed(_) => failed(gate, destination, "not_connected"),
            }
            Err(error)
        }
    }
}

fn failed(gate: &Gate, destination: &Destination, why: &str) {
    gate.tell(destination, (0, 0), Verdict::Failed(String::from(why)));
}

async fn connect(gate: &Gate, destination: &Destination) -> Result<TcpStream, NoConnection> {
    let exempt = gate.shared.operator.exempts(destination);
    let addresses = addresses(gate, destination, exempt).await?;
    let mut last = NoConnection::Refused(Rule::Private);
    let mut usable = Vec::new();
    for address in addresses {
        // What is denied by its address is not reached by a name either.
        if let Err(rule) = gate.denies(address) {
            last = NoConnection::Refused(rule);
        } else if exempt || may_be_reached(address) {
            usable.push(address);
        }
    }
    for address in usable.into_iter().take(ADDRESSES) {
        // To the address that was looked at: the name is not resolved again.
        last = match timeout(CONNECT, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                stream.set_nodelay(true).map_err(NoConnection::Failed)?;
                return Ok(stream);
            }
            Ok(Err(error)) => NoConnection::Failed(error),
            Err(_) => NoConnection::Silent,
        };
    }
    Err(last)
}

/// Where a host may be, by the operator's word, its own, or that of this machine's resolver.
async fn addresses(
    gate: &Gate,
    destination: &Destination,
    exempt: bool,
) -> Result<Vec<SocketAddr>, NoConnection> {
    let Destination { host, port } = destination;
    if let Some(address) = gate.shared.operator.address_of(destination) {
        return Ok(vec![SocketAddr::new(address, *port)]);
    }
    let name = match host {
        Host::Address(address) => return Ok(vec![SocketAddr::new(*address, *port)]),
        // The operator's own names may be short ones, which the resolver completes. A name of the internet
        // must not become one of this network by that.
        Host::Name(name) if exempt => String::from(name.as_str()),
        Host::Name(name) => format!("{name}."),
    };
    let port = *port;
    let resolving = async {
        let place = Arc::clone(&gate.resolving).acquire_owned().await;
        let found = spawn_blocking(move || {
            // The thread is this sandbox's until the resolver gives it back, also when nobody waits any more.
            let _place = place;
            (name, port).to_socket_addrs().map(Vec::from_iter).unwrap_or_default()
        });
        found.await.unwrap_or_default()
    };
    match timeout(RESOLVE, resolving).await {
        Ok(found) if found.is_empty() => Err(NoConnection::NoName),
        Ok(found) => Ok(found),
        Err(_) => Err(NoConnection::Silent),
    }
}

/// Whether an address is the internet's and not this machine's.
fn may_be_reached(address: SocketAddr) -> bool {
    is_public(address.ip()) && !is_ours(address)
}

/// Whether this machine has the address: packets to it would come from it. Asked anew each time, as a machine's
/// addresses change; nothing is sent.
fn is_ours(address: SocketAddr) -> bool {
    let any: IpAddr = match address {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let source = UdpSocket::bind((any, 0))
        .and_then(|socket| socket.connect(address).and_then(|()| socket.local_addr()));
    // Without a way there, there is none for a connection either. To a second address of this machine in one network
    // packets come from the first, but only what is ours can be bound.
    source.is_ok_and(|source| source.ip() == address.ip())
        || UdpSocket::bind((address.ip(), 0)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_known_by_its_addresses() {
        assert!(is_ours(([127, 0, 0, 1], 80).into()));
        let away = UdpSocket::bind(("0.0.0.0", 0)).expect("a socket");
        // A route to somewhere, where this machine has one.
        if away.connect(("192.0.2.1", 9)).is_ok() {
            let own = away.local_addr().expect("an address").ip();
            assert!(is_ours(SocketAddr::new(own, 80)), "{own}");
            assert!(!is_ours(([192, 0, 2, 1], 80).into()));
        } else {
            println!("skipped: the part of this_machine_is_known_by_its_addresses with a route");
        }
    }
}
