//! Messages with descriptors over an `AF_UNIX` `SOCK_SEQPACKET` pair: one packet, one message. Both
//! ends are ours, but init's end lives beside user code, so what is received is decoded with bounds
//! and never trusted.

use std::cell::RefCell;
use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use nix::cmsg_space;
use nix::sys::socket::{
    AddressFamily, ControlMessage, ControlMessageOwned, MsgFlags, SockFlag, SockType, recvmsg,
    sendmsg, socketpair,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Largest packet. Below the default socket buffer (212,992 bytes), so that one always fits.
pub const MAX_PACKET: usize = 96 * 1024;
/// File content carried by one packet: leaves room for the message around it.
pub const MAX_CHUNK: usize = 64 * 1024;
/// Most descriptors in one packet.
pub const MAX_FDS: usize = 8;

/// A connected pair, both ends close-on-exec and non-blocking where `nonblocking`.
pub fn pair(nonblocking: bool) -> io::Result<(OwnedFd, OwnedFd)> {
    let mut flags = SockFlag::SOCK_CLOEXEC;
    if nonblocking {
        flags |= SockFlag::SOCK_NONBLOCK;
    }
    Ok(socketpair(AddressFamily::Unix, SockType::SeqPacket, None, flags)?)
}

/// Sends one message.
///
/// # Errors
/// `WouldBlock` on a full non-blocking socket; `BrokenPipe` when the other end is gone.
pub fn send<T: Serialize>(
    socket: BorrowedFd<'_>,
    message: &T,
    fds: &[BorrowedFd<'_>],
) -> io::Result<()> {
    let bytes = postcard::to_stdvec(message).map_err(io::Error::other)?;
    let raw: Vec<RawFd> = fds.iter().map(AsRawFd::as_raw_fd).collect();
    let rights = [ControlMessage::ScmRights(&raw)];
    let control: &[ControlMessage<'_>] = if raw.is_empty() { &[] } else { &rights };
    loop {
        let sent = sendmsg::<()>(
            socket.as_raw_fd(),
            &[IoSlice::new(&bytes)],
            control,
            MsgFlags::MSG_NOSIGNAL,
            None,
        );
        match sent {
            Ok(_) => return Ok(()),
            Err(nix::errno::Errno::EINTR) => {}
            Err(error) => return Err(io::Error::from(error)),
        }
    }
}

/// Receives one message and the descriptors that came with it; `None` when the other end is gone.
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
    let mut space = cmsg_space!([RawFd; MAX_FDS]);
    let (length, fds, truncated) = loop {
        let mut slices = [IoSliceMut::new(buffer)];
        let received = recvmsg::<()>(
            socket.as_raw_fd(),
            &mut slices,
            Some(&mut space),
            MsgFlags::MSG_CMSG_CLOEXEC,
        );
        match received {
            Ok(message) => {
                let mut fds = Vec::new();
                for control in message.cmsgs()? {
                    if let ControlMessageOwned::ScmRights(raw) = control {
                        fds.extend(raw.into_iter().map(|fd| {
                            // SAFETY: the kernel has just installed these descriptors for this
                            // message; nobody else owns them.
                            unsafe { OwnedFd::from_raw_fd(fd) }
                        }));
                    }
                }
                let cut = MsgFlags::MSG_TRUNC | MsgFlags::MSG_CTRUNC;
                break (message.bytes, fds, message.flags.intersects(cut));
            }
            Err(nix::errno::Errno::EINTR) => {}
            Err(nix::errno::Errno::ECONNRESET) => return Ok(None),
            Err(error) => return Err(io::Error::from(error)),
        }
    };
    if length == 0 {
        return Ok(None);
    }
    if truncated {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "packet over the size limit"));
    }
    let message = postcard::from_bytes(&buffer[..length])
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
    Ok(Some((message, fds)))
}
