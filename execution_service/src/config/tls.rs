//! TLS towards gateways on other machines.

use std::path::PathBuf;

use clap::Args;

use super::values::Listen;

/// How the worker may be reached over a network: TLS with three files, all of them or none.
#[derive(Args, Clone, Debug)]
pub struct TlsFiles {
    /// PEM file with the certificate that the worker shows, for a LISTEN that other machines reach
    #[arg(long, env = "TLS_CERT", value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,
    /// PEM file with the private key of TLS_CERT; read while the worker still has the rights that it
    /// was started with
    #[arg(long, env = "TLS_KEY", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
    /// PEM file with the certificate of whoever signs the gateways': nobody else is served
    #[arg(long, env = "TLS_CLIENT_CA", value_name = "FILE")]
    pub tls_client_ca: Option<PathBuf>,
    /// true: serve other machines without TLS, as on a network that only gateway and worker are on
    #[arg(long, env = "ALLOW_PLAINTEXT", default_value_t = false,
          action = clap::ArgAction::Set)]
    pub allow_plaintext: bool,
}

/// The files of mutual TLS.
#[derive(Clone, Copy, Debug)]
pub struct Tls<'a> {
    /// `TLS_CERT`.
    pub cert: &'a PathBuf,
    /// `TLS_KEY`.
    pub key: &'a PathBuf,
    /// `TLS_CLIENT_CA`.
    pub client_ca: &'a PathBuf,
}

impl TlsFiles {
    /// All of them, or `None`.
    pub fn complete(&self) -> Option<Tls<'_>> {
        let Self { tls_cert, tls_key, tls_client_ca, allow_plaintext: _ } = self;
        Some(Tls {
            cert: tls_cert.as_ref()?,
            key: tls_key.as_ref()?,
            client_ca: tls_client_ca.as_ref()?,
        })
    }

    /// What does not go together with where the worker listens. Fails closed: whoever can see the
    /// network between gateway and worker could read the token and every program.
    pub(super) fn conflicts(&self, listen: &Listen) -> Option<&'static str> {
        let set = [&self.tls_cert, &self.tls_key, &self.tls_client_ca];
        let count = set.iter().filter(|file| file.is_some()).count();
        match (count, listen) {
            (3, Listen::Unix(_)) => {
                Some("TLS_CERT, TLS_KEY and TLS_CLIENT_CA need an address in LISTEN, not unix:")
            }
            (1 | 2, _) => Some("TLS_CERT, TLS_KEY and TLS_CLIENT_CA must be set together"),
            (0, Listen::Tcp(address)) if !address.ip().is_loopback() && !self.allow_plaintext => {
                Some(
                    "LISTEN is reached by other machines, and everything would pass in clear: set \
                     TLS_CERT, TLS_KEY and TLS_CLIENT_CA; or, on a network of gateway and worker \
                     alone, ALLOW_PLAINTEXT=true",
                )
            }
            _ => None,
        }
    }
}
