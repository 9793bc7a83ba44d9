//! Where the worker serves.

use std::fs;
use std::io;
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::path::Path;

use anyhow::Context;

use crate::config::Listen;

/// A bound socket, made while the process still had the right to.
pub(super) enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Listener {
    pub(super) fn bind(listen: &Listen) -> anyhow::Result<Self> {
        let listener = match listen {
            Listen::Tcp(address) => {
                let listener = TcpListener::bind(address)
                    .with_context(|| format!("LISTEN: cannot bind {address}"))?;
                listener.set_nonblocking(true)?;
                Self::Tcp(listener)
            }
            Listen::Unix(path) => {
                // Left behind by a worker that was killed; a live one is found by connecting.
                if std::os::unix::net::UnixStream::connect(path).is_err() {
                    let _ = fs::remove_file(path);
                }
                let listener = UnixListener::bind(path)
                    .with_context(|| format!("LISTEN: cannot bind {}", path.display()))?;
                let only_us = std::os::unix::fs::PermissionsExt::from_mode(0o600);
                fs::set_permissions(path, only_us)?;
                listener.set_nonblocking(true)?;
                Self::Unix(listener)
            }
        };
        Ok(listener)
    }

    pub(super) fn address(&self) -> io::Result<String> {
        match self {
            Self::Tcp(listener) => Ok(listener.local_addr()?.to_string()),
            Self::Unix(listener) => {
                let address = listener.local_addr()?;
                let path = address.as_pathname().unwrap_or(Path::new(""));
                Ok(format!("unix:{}", path.display()))
            }
        }
    }
}

/// A reader sees nothing or all of it.
pub(super) fn write_atomically(path: &Path, text: &str) -> io::Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".new");
    fs::write(&temporary, text)?;
    fs::rename(&temporary, path)
}
