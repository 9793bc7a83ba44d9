//! TLS towards a worker on another machine.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::Args;

/// The three files, all of them or none.
#[derive(Args, Clone, Debug)]
pub(super) struct WorkerTlsFiles {
    /// PEM file with the certificate of whoever signed the worker's, for https://
    #[arg(long, env = "WORKER_TLS_CA", value_name = "FILE")]
    pub worker_tls_ca: Option<PathBuf>,
    /// PEM file with the gateway's own certificate, which the worker asks for
    #[arg(long, env = "WORKER_TLS_CERT", value_name = "FILE")]
    pub worker_tls_cert: Option<PathBuf>,
    /// PEM file with the private key of WORKER_TLS_CERT
    #[arg(long, env = "WORKER_TLS_KEY", value_name = "FILE")]
    pub worker_tls_key: Option<PathBuf>,
}

/// How the gateway and a worker behind https:// know each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerTls {
    /// `WORKER_TLS_CA`: who signed the worker's certificate.
    pub ca: PathBuf,
    /// `WORKER_TLS_CERT`: the gateway's own certificate.
    pub cert: PathBuf,
    /// `WORKER_TLS_KEY`: and its private key.
    pub key: PathBuf,
}

impl WorkerTlsFiles {
    pub(super) fn complete(self) -> Option<WorkerTls> {
        let Self { worker_tls_ca, worker_tls_cert, worker_tls_key } = self;
        Some(WorkerTls { ca: worker_tls_ca?, cert: worker_tls_cert?, key: worker_tls_key? })
    }
}

/// What does not go together. An `https://` without certificates would show the token to whoever
/// answers; certificates without `https://` would protect nothing.
pub(super) fn conflicts(files: &WorkerTlsFiles, url: &str) -> Vec<String> {
    let set = [&files.worker_tls_ca, &files.worker_tls_cert, &files.worker_tls_key];
    let count = set.iter().filter(|file| file.is_some()).count();
    let problem = match (count, url.starts_with("https://")) {
        (0, false) | (3, true) => return Vec::new(),
        (3, false) => "EXECUTION_SERVICE_URL must begin with https:// where WORKER_TLS_… is set",
        (0, true) => {
            "EXECUTION_SERVICE_URL with https:// needs WORKER_TLS_CA, WORKER_TLS_CERT and \
             WORKER_TLS_KEY"
        }
        _ => "WORKER_TLS_CA, WORKER_TLS_CERT and WORKER_TLS_KEY must be set together",
    };
    vec![String::from(problem)]
}

/// Whether `host:port` never leaves this machine.
pub(super) fn is_this_machine(authority: &str) -> bool {
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
