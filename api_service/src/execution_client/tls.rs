//! How a worker on another machine and this gateway know each other.

use std::fs;
use std::io;
use std::path::PathBuf;

use thiserror::Error;
use tonic::transport::{self, Certificate, ClientTlsConfig, Endpoint, Identity};

/// Mutual TLS with a worker: the gateway's own certificate, and who must have signed the worker's.
#[derive(Clone)]
pub struct TlsIdentity(ClientTlsConfig);

/// Where its parts are, each a PEM file.
#[derive(Clone, Copy, Debug)]
pub struct TlsFiles<'a> {
    /// Who signed the worker's certificate; nobody else is believed.
    pub ca: &'a PathBuf,
    /// The gateway's certificate.
    pub cert: &'a PathBuf,
    /// Its private key.
    pub key: &'a PathBuf,
}

/// Files that are not what they have to be. Never with anything of what is in them.
#[derive(Debug, Error)]
pub enum TlsError {
    /// One cannot be read.
    #[error("{name}: {} cannot be read", .path.display())]
    File {
        /// Its variable.
        name: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// What is in them is no certificate, or no key for it.
    #[error(
        "WORKER_TLS_CA, WORKER_TLS_CERT or WORKER_TLS_KEY does not hold what it has to, as PEM"
    )]
    Content(#[source] transport::Error),
}

impl TlsIdentity {
    /// Reads the files, and tries them.
    ///
    /// # Errors
    /// When one cannot be read or used.
    pub fn read(files: TlsFiles<'_>) -> Result<Self, TlsError> {
        let read = |name, path: &PathBuf| {
            fs::read(path).map_err(|source| TlsError::File { name, path: path.clone(), source })
        };
        let ca = Certificate::from_pem(read("WORKER_TLS_CA", files.ca)?);
        let cert = read("WORKER_TLS_CERT", files.cert)?;
        let identity = Identity::from_pem(cert, read("WORKER_TLS_KEY", files.key)?);
        let config = ClientTlsConfig::new().ca_certificate(ca).identity(identity);
        let endpoint = Endpoint::from_static("https://worker");
        endpoint.tls_config(config.clone()).map_err(TlsError::Content)?;
        Ok(Self(config))
    }

    pub(super) fn config(self) -> ClientTlsConfig {
        self.0
    }
}
