//! The socket that callers connect to, bound before anything else is done.

use std::fs;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::config::Listen;

/// How long a worker before us may hold the address. One whose supervisor was killed is still ending when
/// the next is started: it gives itself five seconds.
const PREDECESSOR: Duration = Duration::from_secs(7);
const RETRY: Duration = Duration::from_millis(20);

/// A bound socket, made while the process still had the right to.
pub struct Listener {
    /// The socket.
    pub socket: Socket,
    /// The file of a killed worker's socket had to make room.
    pub replaces: bool,
}

/// Of either kind.
pub enum Socket {
    /// Of this port.
    Tcp(TcpListener),
    /// Of this file.
    Unix(UnixListener),
}

/// Why there is none.
#[derive(Debug, thiserror::Error)]
#[error("LISTEN: cannot bind {address}")]
pub struct BindError {
    address: String,
    source: io::Error,
}

impl Listener {
    /// Binds it, when whoever has the address gives it up within seven seconds.
    ///
    /// # Errors
    /// When that cannot be.
    pub fn bind(listen: &Listen) -> Result<Self, BindError> {
        let begun = Instant::now();
        loop {
            let (address, bound) = match listen {
                Listen::Tcp(address) => (address.to_string(), tcp(*address)),
                Listen::Unix(path) => (path.display().to_string(), unix(path)),
            };
            match bound {
                Ok(listener) => return Ok(listener),
                Err(error)
                    if error.kind() == io::ErrorKind::AddrInUse
                        && begun.elapsed() < PREDECESSOR =>
                {
                    std::thread::sleep(RETRY);
                }
                Err(source) => return Err(BindError { address, source }),
            }
        }
    }

    /// As `127.0.0.1:50051` or `unix:/path`.
    ///
    /// # Errors
    /// When the kernel does not say.
    pub fn address(&self) -> io::Result<String> {
        match &self.socket {
            Socket::Tcp(listener) => Ok(listener.local_addr()?.to_string()),
            Socket::Unix(listener) => {
                let address = listener.local_addr()?;
                let path = address.as_pathname().unwrap_or(Path::new(""));
                Ok(format!("unix:{}", path.display()))
            }
        }
    }

    /// Whether other machines can connect, as far as the address says.
    ///
    /// # Errors
    /// When the kernel does not say.
    pub fn is_reached_by_others(&self) -> io::Result<bool> {
        match &self.socket {
            Socket::Tcp(listener) => Ok(!listener.local_addr()?.ip().is_loopback()),
            Socket::Unix(_) => Ok(false),
        }
    }

    /// Writes the address into a file. A reader sees nothing or all of it.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn announce(&self, file: &Path) -> io::Result<()> {
        let mut temporary = file.as_os_str().to_owned();
        temporary.push(".new");
        fs::write(&temporary, self.address()?)?;
        fs::rename(&temporary, file)
    }
}

fn tcp(address: SocketAddr) -> io::Result<Listener> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(Listener { socket: Socket::Tcp(listener), replaces: false })
}

fn unix(path: &Path) -> io::Result<Listener> {
    // Left behind by a worker that was killed; a live one is found by connecting. Anything but a socket is
    // somebody's file, and an error.
    let mut replaces = false;
    if let Ok(file) = fs::symlink_metadata(path) {
        if !file.file_type().is_socket() {
            return Err(io::Error::new(
                io::ErrorKind::AlreadyExists,
                "there is a file that is no socket",
            ));
        }
        match UnixStream::connect(path) {
            Ok(_) => return Err(io::Error::from(io::ErrorKind::AddrInUse)),
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                match fs::remove_file(path) {
                    // Its own end was faster.
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    removed => replaces = removed.is_ok(),
                }
            }
            // Removed meanwhile, or not ours to look at, which binding will show.
            Err(_) => {}
        }
    }
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    listener.set_nonblocking(true)?;
    Ok(Listener { socket: Socket::Unix(listener), replaces })
}
