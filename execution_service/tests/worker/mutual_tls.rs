//! Who reaches a worker that serves other machines.

use std::path::Path;

use proto::execution_v1::GetCapabilitiesRequest;
use proto::execution_v1::workers_client::WorkersClient;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};
use tonic::{Code, Request};

use crate::support::{Worker, refusal_of, within};

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// Certificate and key, as PEM.
fn signed_by(authority: &Authority) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new([String::from("127.0.0.1")]).unwrap();
    let certificate = params.signed_by(&key, authority).unwrap();
    (certificate.pem(), key.serialize_pem())
}

fn written(directory: &Path, name: &str, pem: &str) -> String {
    let path = directory.join(name);
    std::fs::write(&path, pem).unwrap();
    path.display().to_string()
}

/// A connection, and whether a call with the right token gets as far as the worker.
async fn reaches(worker: &Worker, scheme: &str, tls: Option<ClientTlsConfig>) -> bool {
    let endpoint = Endpoint::from_shared(format!("{scheme}://{}", worker.address())).unwrap();
    let endpoint = match tls {
        Some(tls) => endpoint.tls_config(tls).unwrap(),
        None => endpoint,
    };
    let Ok(channel) = within("it connects or not", endpoint.connect()).await else {
        return false;
    };
    answers(channel).await
}

/// Without the token on purpose: who is told that it is missing has been let in.
async fn answers(channel: Channel) -> bool {
    let mut client = WorkersClient::new(channel);
    let call = client.get_capabilities(Request::new(GetCapabilitiesRequest {}));
    match within("an answer or none", call).await {
        Ok(_) => true,
        Err(status) => status.code() == Code::Unauthenticated,
    }
}

#[tokio::test]
async fn only_who_shows_a_certificate_of_the_right_authority_reaches_the_worker() {
    let directory = tempfile::tempdir().unwrap();
    let (workers, gateways, foreign) = (authority(), authority(), authority());
    let (cert, key) = signed_by(&workers);
    let files = [
        ("TLS_CERT", written(directory.path(), "cert.pem", &cert)),
        ("TLS_KEY", written(directory.path(), "key.pem", &key)),
        ("TLS_CLIENT_CA", written(directory.path(), "ca.pem", &gateways.pem())),
    ];
    let settings: Vec<(&str, &str)> =
        files.iter().map(|(name, path)| (*name, path.as_str())).collect();
    let worker = Worker::bash(&settings).await;

    let trusting = |authority: &Authority| {
        ClientTlsConfig::new().ca_certificate(Certificate::from_pem(authority.pem()))
    };
    let as_signed_by = |authority: &Authority| {
        let (cert, key) = signed_by(authority);
        Identity::from_pem(cert, key)
    };
    let right = trusting(&workers).identity(as_signed_by(&gateways));
    assert!(reaches(&worker, "https", Some(right.clone())).await, "{}", worker.log());

    let anonymous = trusting(&workers);
    assert!(!reaches(&worker, "https", Some(anonymous)).await, "no certificate");
    let stranger = trusting(&workers).identity(as_signed_by(&foreign));
    assert!(!reaches(&worker, "https", Some(stranger)).await, "a foreign certificate");
    assert!(!reaches(&worker, "http", None).await, "plain text");
    let deceived = trusting(&foreign).identity(as_signed_by(&gateways));
    assert!(!reaches(&worker, "https", Some(deceived)).await, "a worker of somebody else");

    assert!(reaches(&worker, "https", Some(right)).await, "and it still serves");
    assert!(!worker.log().contains("PRIVATE KEY"));
}

#[tokio::test]
async fn a_worker_that_other_machines_reach_does_not_start_in_clear() {
    let (status, said) = refusal_of(&[("LISTEN", "0.0.0.0:0")]).await;
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains("TLS_CERT") && said.contains("ALLOW_PLAINTEXT=true"), "{said}");
}

#[tokio::test]
async fn files_that_are_no_certificates_are_refused_by_name_and_without_their_content() {
    let directory = tempfile::tempdir().unwrap();
    let nothing = written(directory.path(), "nothing.pem", "nobody-logs-this");
    let all = [("TLS_CERT", &*nothing), ("TLS_KEY", &*nothing), ("TLS_CLIENT_CA", &*nothing)];
    let (status, said) = refusal_of(&all).await;
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains("TLS_KEY") && !said.contains("nobody-logs-this"), "{said}");

    let (status, said) = refusal_of(&[all[0], all[1], ("TLS_CLIENT_CA", "/no/such/file")]).await;
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains("TLS_CLIENT_CA: /no/such/file"), "{said}");
}
