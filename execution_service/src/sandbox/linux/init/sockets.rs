//! What the buffers of this sandbox's sockets hold: asked of the kernel, since they are in no process's
//! account.
//!
//! The kernel shows each socket that is bound, connected or listening. Others can hold bytes as well: one
//! that was closed while its peer had not read, or one that was cut off. Of those it only tells how many
//! there are, and each is taken for as full as it can be.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;

use nix::sys::socket::{AddressFamily, SockFlag, SockType, getsockopt, socket, sockopt};

use super::sock_diag::{Buffers, TABLES};
use crate::sandbox::linux::confine::TCP_BUFFER_BYTES;

/// What a socket costs with empty buffers: itself, its inode and its file. A TCP one, the largest, is 2.3 KiB
/// without the other two.
const SOCKET_BYTES: u64 = 4 << 10;
/// Filters and options of one socket: `net.core.optmem_max` of Linux 6.8 and later.
const OPTION_BYTES: u64 = 128 << 10;

/// A socket for connections, that is not bound yet.
pub fn unbound() -> io::Result<OwnedFd> {
    Ok(socket(AddressFamily::Inet, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?)
}

/// What buffers hold, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Buffered {
    /// Those of all sockets.
    pub bytes: u64,
    /// Those of the connections that the kernel shows, accepted or not.
    pub of_tcp: u64,
}

/// The account of a sandbox's socket buffers, in bytes.
pub struct Sockets {
    /// Whom to ask; absent where the kernel has no such thing: then all sockets are only counted.
    diag: Option<OwnedFd>,
    /// How many there are that no process here has: the one that is asked, and the one that the worker has.
    of_others: u64,
    /// Which of [`TABLES`] the kernel has, as far as is known. Asking for another would have it look for a module
    /// each time.
    known: [bool; TABLES.len()],
    sequence: u32,
    /// The most that one socket can hold, as nobody can enlarge its buffers.
    most_bytes_each: u64,
}

impl Sockets {
    /// Those that `diag` tells of; the worker has one of them if `way_out`.
    pub fn new(diag: Option<OwnedFd>, way_out: bool) -> io::Result<Self> {
        let flags = SockFlag::SOCK_CLOEXEC;
        let unix = socket(AddressFamily::Unix, SockType::Datagram, flags, None)?;
        let udp = socket(AddressFamily::Inet, SockType::Datagram, flags, None)?;
        let sizes = [getsockopt(&unix, sockopt::SndBuf)?, getsockopt(&udp, sockopt::RcvBuf)?];
        let sizes = sizes.into_iter().map(|size| u64::try_from(size).unwrap_or(u64::MAX));
        let buffer = sizes.fold(TCP_BUFFER_BYTES, u64::max);
        // A buffer takes what is sent while it is not full: one message more, which may be as large.
        let most_bytes_each = buffer.saturating_mul(2).saturating_add(OPTION_BYTES);
        let of_others = u64::from(diag.is_some()) + u64::from(way_out);
        Ok(Self { diag, of_others, known: [true; TABLES.len()], sequence: 0, most_bytes_each })
    }

    /// How many there are, those of others not counted.
    pub fn count(&self) -> u64 {
        let text = fs::read_to_string("/proc/self/net/sockstat").unwrap_or_default();
        used(&text).saturating_sub(self.of_others)
    }

    /// What `count` of them cost with empty buffers.
    pub fn empty(count: u64) -> u64 {
        count.saturating_mul(SOCKET_BYTES)
    }

    /// What the buffers of `count` of them hold at most.
    pub fn most(&self, count: u64) -> u64 {
        count.saturating_mul(self.most_bytes_each)
    }

    /// What their buffers hold. Dearer: the kernel walks its tables of connections, which all namespaces share.
    pub fn buffered(&mut self) -> Buffered {
        let before = self.count();
        let (mut seen, mut shown) = (0, Buffered { bytes: 0, of_tcp: 0 });
        if let Some(diag) = &self.diag {
            for (table, known) in TABLES.iter().zip(&mut self.known).filter(|(_, known)| **known) {
                self.sequence = self.sequence.wrapping_add(1);
                match table.ask(diag, self.sequence) {
                    Ok(found) => {
                        seen += u64::try_from(found.len()).unwrap_or(u64::MAX);
                        let held = found.iter().map(Buffers::held).fold(0, u64::saturating_add);
                        shown.bytes = shown.bytes.saturating_add(held);
                        if table.is_of_tcp() {
                            shown.of_tcp = shown.of_tcp.saturating_add(held);
                        }
                    }
                    Err(_) => *known = false,
                }
            }
        }
        // One that was made or closed meanwhile is not hidden.
        let hidden = self.count().min(before).saturating_sub(seen);
        Buffered { bytes: shown.bytes.saturating_add(self.most(hidden)), ..shown }
    }
}

/// The number of `/proc/net/sockstat`: of every socket of this network namespace whose memory is still taken.
fn used(sockstat: &str) -> u64 {
    let first = sockstat.lines().next().and_then(|line| line.strip_prefix("sockets: used "));
    first.and_then(|number| number.trim().parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::net::UnixStream;

    use super::super::sock_diag;
    use super::*;

    #[test]
    fn the_kernel_tells_what_a_socket_holds() {
        let diag = sock_diag::open().expect("netlink");
        let (mut sender, _receiver) = UnixStream::pair().expect("a pair");
        sender.set_nonblocking(true).expect("non-blocking");
        let mut sent = 0;
        while let Ok(count) = sender.write(&[1; 65_536]) {
            sent += u64::try_from(count).expect("a number");
        }
        match TABLES[0].ask(&diag, 1) {
            Ok(found) => assert!(found.iter().any(|one| one.held() >= sent), "{sent}: {found:?}"),
            Err(_) => println!("skipped: the_kernel_tells_what_a_socket_holds (no unix_diag)"),
        }
        let sockets = Sockets::new(Some(diag), false).expect("sockets");
        assert!(sockets.most(1) > sent, "{} of {sent}", sockets.most(1));
        assert!(sockets.count() >= 2);
    }

    #[test]
    fn sockets_are_counted() {
        assert_eq!(used("sockets: used 17\nTCP: inuse 3 orphan 0\n"), 17);
        assert_eq!(used("TCP: inuse 3\n"), 0);
    }
}
