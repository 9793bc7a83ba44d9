//! Mutual TLS, for a worker that gateways on other machines reach.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use tonic::transport::{Certificate, Identity, ServerTlsConfig};

use crate::config::Tls;

/// The three files, opened while the process still has the rights that it was started with. What is in
/// them is read only by the process that serves: the one that makes sandboxes never holds the key.
pub(super) struct TlsFiles {
    cert: Opened,
    key: Opened,
    client_ca: Opened,
}

struct Opened {
    name: &'static str,
    path: PathBuf,
    file: File,
}

/// A file that is not what it has to be. Never with anything of what is in it.
#[derive(Debug, thiserror::Error)]
#[error("{name}: {} cannot be read", .path.display())]
pub(super) struct TlsFileError {
    name: &'static str,
    path: PathBuf,
    source: io::Error,
}

impl TlsFiles {
    /// Opens them.
    ///
    /// # Errors
    /// The first that cannot be opened.
    pub(super) fn open(tls: Tls<'_>) -> Result<Self, TlsFileError> {
        Ok(Self {
            cert: Opened::open("TLS_CERT", tls.cert)?,
            key: Opened::open("TLS_KEY", tls.key)?,
            client_ca: Opened::open("TLS_CLIENT_CA", tls.client_ca)?,
        })
    }

    /// What the server has to be told: only who shows a certificate of that authority is served.
    ///
    /// # Errors
    /// The first that cannot be read.
    pub(super) fn read(self) -> Result<ServerTlsConfig, TlsFileError> {
        let identity = Identity::from_pem(self.cert.read()?, self.key.read()?);
        let authority = Certificate::from_pem(self.client_ca.read()?);
        Ok(ServerTlsConfig::new().identity(identity).client_ca_root(authority))
    }
}

impl Opened {
    fn open(name: &'static str, path: &Path) -> Result<Self, TlsFileError> {
        match File::open(path) {
            Ok(file) => Ok(Self { name, path: path.to_owned(), file }),
            Err(source) => Err(TlsFileError { name, path: path.to_owned(), source }),
        }
    }

    fn read(mut self) -> Result<Vec<u8>, TlsFileError> {
        let mut bytes = Vec::new();
        match self.file.read_to_end(&mut bytes) {
            Ok(_) => Ok(bytes),
            Err(source) => Err(TlsFileError { name: self.name, path: self.path, source }),
        }
    }
}
