//! The kernel's lists of sockets, by `sock_diag(7)`.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, send, socket,
};

/// A part of an answer is never larger (`netlink_recvmsg` of the kernel).
const PART_BYTES: usize = 32 << 10;
/// `struct nlmsghdr`.
const HEADER: usize = 16;

/// By linux/sock_diag.h, linux/unix_diag.h and linux/inet_diag.h.
const SOCK_DIAG_BY_FAMILY: u16 = 20;
const UDIAG_SHOW_MEMINFO: u32 = 0x20;
const UNIX_DIAG_MEMINFO: u16 = 5;
const INET_DIAG_SKMEMINFO: u16 = 7;

/// Whom to ask about the network namespace that this process is in.
pub fn open() -> io::Result<OwnedFd> {
    let (flags, protocol) = (SockFlag::SOCK_CLOEXEC, SockProtocol::NetlinkSockDiag);
    Ok(socket(AddressFamily::Netlink, SockType::Raw, flags, protocol)?)
}

/// One list of sockets that the kernel keeps.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    family: AddressFamily,
    /// By IANA; 0 for Unix sockets.
    protocol: u8,
}

/// All whose sockets a program can have.
pub const TABLES: [Table; 5] = [
    Table { family: AddressFamily::Unix, protocol: 0 },
    Table { family: AddressFamily::Inet, protocol: 6 },
    Table { family: AddressFamily::Inet6, protocol: 6 },
    Table { family: AddressFamily::Inet, protocol: 17 },
    Table { family: AddressFamily::Inet6, protocol: 17 },
];

impl Table {
    /// Whether it is one of connections.
    pub fn is_of_tcp(self) -> bool {
        self.family != AddressFamily::Unix && self.protocol == 6
    }

    /// Its sockets, in every state. `sequence` is another one each time.
    ///
    /// # Errors
    /// Where the kernel has no such list, or does not show it.
    pub fn ask(self, diag: &OwnedFd, sequence: u32) -> io::Result<Vec<Buffers>> {
        let socket = diag.as_fd().as_raw_fd();
        // Never waited for: the kernel has answered when `send` returns.
        let flags = MsgFlags::MSG_DONTWAIT;
        send(socket, &self.request(sequence), flags)?;
        let (mut found, mut part) = (Vec::new(), vec![0; PART_BYTES]);
        loop {
            let length = recv(socket, &mut part, flags)?;
            let mut rest = part.get(..length).unwrap_or_default();
            while let Some((message, next)) = Message::first_of(rest) {
                rest = next;
                if message.sequence != sequence {
                    continue;
                }
                match i32::from(message.kind) {
                    libc::NLMSG_DONE => return Ok(found),
                    libc::NLMSG_ERROR => return Err(io::Error::from(io::ErrorKind::Unsupported)),
                    _ => found.extend(self.buffers(message.body)),
                }
            }
        }
    }

    /// `struct nlmsghdr`, and `struct unix_diag_req` or `struct inet_diag_req_v2`.
    fn request(self, sequence: u32) -> Vec<u8> {
        let family = u8::try_from(self.family as i32).unwrap_or_default();
        let mut body = Vec::new();
        if self.family == AddressFamily::Unix {
            body.extend([family, self.protocol, 0, 0]);
            // States, inode, what to show, and a cookie of two words.
            for word in [u32::MAX, 0, UDIAG_SHOW_MEMINFO, 0, 0] {
                body.extend(word.to_ne_bytes());
            }
        } else {
            body.extend([family, self.protocol, 1 << (INET_DIAG_SKMEMINFO - 1), 0]);
            body.extend(u32::MAX.to_ne_bytes());
            body.extend([0; 48]);
        }
        let flags = u16::try_from(libc::NLM_F_REQUEST | libc::NLM_F_DUMP).unwrap_or_default();
        let length = u32::try_from(HEADER + body.len()).unwrap_or_default();
        let mut request = Vec::from(length.to_ne_bytes());
        request.extend(SOCK_DIAG_BY_FAMILY.to_ne_bytes());
        request.extend(flags.to_ne_bytes());
        request.extend(sequence.to_ne_bytes());
        request.extend([0; 4]);
        request.extend(body);
        request
    }

    /// Of one socket; `None` for what is none, such as a connection that is remembered after its end.
    fn buffers(self, body: &[u8]) -> Option<Buffers> {
        // Behind `struct unix_diag_msg` or `struct inet_diag_msg`.
        let (fixed, wanted) = if self.family == AddressFamily::Unix {
            (16, UNIX_DIAG_MEMINFO)
        } else {
            (72, INET_DIAG_SKMEMINFO)
        };
        let mut rest = body.get(fixed..)?;
        while let Some((length, kind)) = word16(rest, 0).zip(word16(rest, 2)) {
            let length = usize::from(length);
            if kind == wanted {
                return Buffers::of(rest.get(4..length)?);
            }
            rest = rest.get(length.max(4).next_multiple_of(4)..)?;
        }
        None
    }
}

/// One message of several in a part.
struct Message<'a> {
    kind: u16,
    sequence: u32,
    body: &'a [u8],
}

impl<'a> Message<'a> {
    fn first_of(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let length = usize::try_from(word32(bytes, 0)?).ok()?;
        let body = bytes.get(HEADER..length)?;
        let message = Self { kind: word16(bytes, 4)?, sequence: word32(bytes, 8)?, body };
        Some((message, bytes.get(length.next_multiple_of(4)..).unwrap_or_default()))
    }
}

/// Of one socket, in bytes of memory and not of payload (`SK_MEMINFO_…` of linux/sock_diag.h).
#[derive(Debug, PartialEq, Eq)]
pub struct Buffers {
    received: u32,
    /// What is on its way to somebody who has not read it.
    in_flight: u32,
    queued: u32,
    options: u32,
    backlog: u32,
}

impl Buffers {
    fn of(words: &[u8]) -> Option<Self> {
        let word = |index: usize| word32(words, 4 * index);
        Some(Self {
            received: word(0)?,
            in_flight: word(2)?,
            queued: word(5)?,
            options: word(6)?,
            // Told since Linux 4.6.
            backlog: word(7)?,
        })
    }

    /// What TCP sends is queued until it is acknowledged: the same bytes.
    pub fn held(&self) -> u64 {
        let sending = self.in_flight.max(self.queued);
        [self.received, sending, self.options, self.backlog].into_iter().map(u64::from).sum()
    }
}

fn word16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn word32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_that_has_ended_is_no_socket() {
        let tcp = TABLES[1];
        assert_eq!(tcp.buffers(&[0; 72]), None);
        assert_eq!(tcp.buffers(&[0; 8]), None);
    }

    #[test]
    fn what_is_cut_off_is_no_answer() {
        let table = TABLES[0];
        let words: Vec<u8> = [1_u32, 2, 3, 4, 5, 6, 7, 8, 9].map(u32::to_ne_bytes).concat();
        let other = [8_u16, 4].map(u16::to_ne_bytes).concat();
        let head = [4 + 36_u16, UNIX_DIAG_MEMINFO].map(u16::to_ne_bytes).concat();
        let whole = [vec![0; 16], other, vec![0; 4], head, words].concat();
        let buffers = Buffers { received: 1, in_flight: 3, queued: 6, options: 7, backlog: 8 };
        assert_eq!(buffers.held(), 1 + 6 + 7 + 8);
        assert_eq!(table.buffers(&whole), Some(buffers));
        for length in 0..whole.len() {
            assert_eq!(table.buffers(&whole[..length]), None, "{length}");
            assert!(Message::first_of(&whole[..length]).is_none(), "{length}");
        }
    }
}
