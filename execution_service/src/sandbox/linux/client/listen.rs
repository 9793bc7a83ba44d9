//! The listening socket of a sandbox's way out. Its init has made the socket when nobody else was there; that it is of
//! the sandbox's network namespace is a property of the socket, whoever binds it.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::os::fd::OwnedFd;
use std::sync::PoisonError;

use rustix::io::Errno;
use rustix::net::{bind, getsockname, listen};

use super::sandbox::LinuxSandbox;
use crate::sandbox::backend::SandboxError;

/// Connections that wait to be served, beside those that are: all that a sandbox lets any socket have.
const BACKLOG: i32 = 128;

impl LinuxSandbox {
    /// See [`Sandbox::listen`](crate::sandbox::backend::Sandbox::listen).
    pub(super) fn listen_inside(&self, port: u16) -> Result<(OwnedFd, u16), SandboxError> {
        let socket = self.take_socket_out().ok_or_else(|| {
            SandboxError::Unsupported(String::from("it has no socket left for a way out"))
        })?;
        let bound = listen_at(&socket, port);
        bound.map(|port| (socket, port)).map_err(SandboxError::Listen)
    }

    pub(super) fn take_socket_out(&self) -> Option<OwnedFd> {
        self.socket_out.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Has `socket` listen on loopback, at `port` or, if a program has that, at any other; gives which.
fn listen_at(socket: &OwnedFd, port: u16) -> io::Result<u16> {
    let at = |port| SocketAddrV4::new(Ipv4Addr::LOCALHOST, port);
    match bind(socket, &at(port)) {
        Err(Errno::ADDRINUSE) => bind(socket, &at(0))?,
        bound => bound?,
    }
    listen(socket, BACKLOG)?;
    SocketAddr::try_from(getsockname(socket)?)
        .map(|address| address.port())
        .map_err(io::Error::from)
}
