//! Who can be reached. No attempt sends a packet beyond this machine: to connect a UDP socket only asks
//! for the way.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr as UnixAddr, UnixStream};
use std::time::Duration;

use super::{Attempt, Outcome, Targets, calls};

/// What is tried to reach somebody.
pub const ATTEMPTS: &[Attempt] = &[
    ("interfaces that are up", |_| Outcome::seen(calls::interfaces_up())),
    // Where clouds tell a machine its secrets.
    ("the way to 169.254.169.254", |_| Outcome::of(way_to("0.0.0.0:0", "169.254.169.254:80"))),
    ("the way to the internet", |_| Outcome::of(way_to("0.0.0.0:0", "192.0.2.1:80"))),
    ("the way to the internet by IPv6", |_| Outcome::of(way_to("[::]:0", "[2001:db8::1]:80"))),
    ("connect to the worker's port", |targets| Outcome::of(connect(targets))),
    ("connect to the worker's abstract socket", |targets| Outcome::of(connect_abstract(targets))),
];

fn way_to(from: &str, to: &str) -> io::Result<()> {
    UdpSocket::bind(from)?.connect(to)
}

fn connect(targets: &Targets) -> io::Result<TcpStream> {
    /// The answer is due at once; a host that drops packets gives none.
    const PATIENCE: Duration = Duration::from_millis(500);
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, targets.port));
    TcpStream::connect_timeout(&address, PATIENCE)
}

fn connect_abstract(targets: &Targets) -> io::Result<UnixStream> {
    let address = UnixAddr::from_abstract_name(&targets.abstract_socket)?;
    UnixStream::connect_addr(&address)
}
