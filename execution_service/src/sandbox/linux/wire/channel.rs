//! Messages with descriptors over an `AF_UNIX` `SOCK_SEQPACKET` pair: one packet, one message. Both
//! ends are ours, but init's end lives beside user code, so what is received is decoded with bounds
//! and never trusted.

#![expect(unsafe_code)]

use std::cell::RefCell;
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Largest packet. Below the default socket buffer (212,992 bytes), so that one always fits.
pub const MAX_PACKET: usize = 96 * 1024;
/// File content carried by one packet: leaves room for the message around it.
pub const MAX_CHUNK: usize = 64 * 1024;
/// Most descriptors in one packet: a new sandbox comes with both ways to its init, both ends of four pipes
/// and two files of its account. One packet with more than that is no message.
const MAX_FDS: usize = 12;

/// A connected pair, both ends close-on-exec and non-blocking where `nonblocking`.
pub fn pair(nonblocking: bool) -> io::Result<(OwnedFd, OwnedFd)> {
    let mut flags = SockFlag::SOCK_CLOEXEC;
    if nonblocking {
        flags |= SockFlag::SOCK_NONBLOCK;
    }
    Ok(socketpair(AddressFamily::Unix, SockType::SeqPacket, None, flags)?)
}

/// Has the kernel refuse descriptors to whoever sends to the other end of `socket`, where it can: before
/// Linux 6.16 they come, and are closed here.
pub fn refuse_descriptors(socket: BorrowedFd<'_>) {
    /// Of `include/uapi/asm-generic/socket.h`.
    const SO_PASSRIGHTS: libc::c_int = 83;
    let no: libc::c_int = 0;
    let length = libc::socklen_t::try_from(size_of_val(&no)).unwrap_or_default();
    // SAFETY: the kernel reads `length` bytes of `no`, which lives that long. An error means that this
    // kernel has no such option.
    unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            SO_PASSRIGHTS,
            (&raw const no).cast(),
            length,
        )
    };
}

/// Sends one message.
///
/// # Errors
/// `WouldBlock` on a full non-blocking socket; `BrokenPipe` when the other end is gone; `InvalidInput` for
/// what the other end would not take.
pub fn send<T: Serialize>(
    socket: BorrowedFd<'_>,
    message: &T,
    fds: &[BorrowedFd<'_>],
) -> io::Result<()> {
    let bytes = postcard::to_stdvec(message).map_err(io::Error::other)?;
    if bytes.len() > MAX_PACKET {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "message over the size limit"));
    }
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_FDS))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !fds.is_empty() && !control.push(SendAncillaryMessage::ScmRights(fds)) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "too many descriptors"));
    }
    loop {
        match sendmsg(socket, &[IoSlice::new(&bytes)], &mut control, SendFlags::NOSIGNAL) {
            Ok(_) => return Ok(()),
            Err(Errno::INTR) => {}
            Err(error) => return Err(io::Error::from(error)),
        }
    }
}

/// Receives one message and the descriptors that came with it; `None` when the other end is gone. A process
/// that has no room for all of the descriptors gets the message without any: only what they were for fails.
///
/// # Errors
/// `WouldBlock` on an empty non-blocking socket; `InvalidData` when the packet is no `T`.
pub fn receive<T: DeserializeOwned>(
    socket: BorrowedFd<'_>,
) -> io::Result<Option<(T, Vec<OwnedFd>)>> {
    thread_local! {
        // Made once: to zero it for every packet costs more than to receive one.
        static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; MAX_PACKET]);
    }
    BUFFER.with_borrow_mut(|buffer| receive_into(buffer, socket))
}

fn receive_into<T: DeserializeOwned>(
    buffer: &mut [u8],
    socket: BorrowedFd<'_>,
) -> io::Result<Option<(T, Vec<OwnedFd>)>> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_FDS))];
    // Closes what it still holds, on every way out of here: also of a packet that is refused.
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let received = loop {
        let mut slices = [IoSliceMut::new(buffer)];
        match recvmsg(socket, &mut slices, &mut control, RecvFlags::CMSG_CLOEXEC) {
            Ok(received) => break received,
            Err(Errno::INTR) => {}
            Err(Errno::CONNRESET) => return Ok(None),
            Err(error) => return Err(io::Error::from(error)),
        }
    };
    if received.bytes == 0 {
        return Ok(None);
    }
    if received.flags.contains(ReturnFlags::TRUNC) {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "packet over the size limit"));
    }
    let message = postcard::from_bytes(&buffer[..received.bytes])
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
    let mut fds = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(rights) = message {
            fds.extend(rights);
        }
    }
    // The kernel rounds the space for them up.
    let lost = received.flags.contains(ReturnFlags::CTRUNC);
    if fds.len() > MAX_FDS || (lost && fds.len() == MAX_FDS) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "more descriptors than in any message",
        ));
    }
    if lost {
        fds.clear();
    }
    Ok(Some((message, fds)))
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use super::*;

    /// How many descriptors of `file`, which is no other test's, this process has.
    fn copies_of(file: &OwnedFd) -> usize {
        let wanted =
            std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).expect("open");
        let all = std::fs::read_dir("/proc/self/fd").expect("our own");
        let named = all.flatten().filter_map(|entry| std::fs::read_link(entry.path()).ok());
        named.filter(|name| *name == wanted).count()
    }

    #[test]
    fn a_message_comes_with_its_descriptors() {
        let (ours, theirs) = pair(true).expect("a pair");
        let file = OwnedFd::from(tempfile::tempfile().expect("a file"));
        send(theirs.as_fd(), &(7_u8, "x"), &[file.as_fd(), file.as_fd()]).expect("room");
        let (message, fds) =
            receive::<(u8, String)>(ours.as_fd()).expect("a packet").expect("a message");
        assert_eq!((message, fds.len()), ((7, String::from("x")), 2));
        assert_eq!(copies_of(&file), 3);
    }

    #[test]
    fn descriptors_can_be_refused() {
        let (ours, theirs) = pair(true).expect("a pair");
        refuse_descriptors(ours.as_fd());
        match send(theirs.as_fd(), &1_u8, &[theirs.as_fd()]) {
            Err(error) => assert_eq!(error.raw_os_error(), Some(libc::EPERM)),
            Ok(()) => eprintln!("skipped: descriptors_can_be_refused (not by this kernel)"),
        }
        send(ours.as_fd(), &1_u8, &[theirs.as_fd()]).expect("the other way nothing is refused");
    }

    #[test]
    fn what_comes_with_a_refused_packet_is_closed() {
        let (ours, theirs) = pair(true).expect("a pair");
        let file = OwnedFd::from(tempfile::tempfile().expect("a file"));
        let give = |bytes: &[u8], count: usize| {
            use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};
            let rights = vec![file.as_raw_fd(); count];
            let control = [ControlMessage::ScmRights(&rights)];
            let slices = [IoSlice::new(bytes)];
            let none = MsgFlags::empty();
            sendmsg::<()>(theirs.as_raw_fd(), &slices, &control, none, None).expect("room");
            receive::<(u8, String)>(ours.as_fd())
        };
        // A message, but with more than anybody asked for; and no message.
        for (bytes, count) in [(&[7, 1, b'x'][..], MAX_FDS + 1), (&[7, 1, b'x'], 253), (&[7], 2)] {
            assert!(give(bytes, count).is_err(), "{bytes:?} with {count}");
            assert_eq!(copies_of(&file), 1, "{bytes:?} with {count}");
        }
        assert!(give(&[7, 1, b'x'], 1).is_ok(), "and the next one is heard");
    }
}
