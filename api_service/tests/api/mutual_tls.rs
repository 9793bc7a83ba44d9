//! A worker on another machine: the gateway shows its certificate, and believes nobody else's.

use std::path::{Path, PathBuf};

use api_service::execution_client::{Call, ExecutionClient, TlsFiles, TlsIdentity};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tonic::transport::{Certificate, Identity, ServerTlsConfig};

use crate::support::{App, FakeWorker, NEVER, TOKEN};

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
    (params.signed_by(&key, authority).unwrap().pem(), key.serialize_pem())
}

fn written(directory: &Path, name: &str, pem: &str) -> PathBuf {
    let path = directory.join(name);
    std::fs::write(&path, pem).unwrap();
    path
}

#[tokio::test]
async fn gateway_and_worker_know_each_other_by_their_certificates() {
    let directory = tempfile::tempdir().unwrap();
    let (workers, gateways, foreign) = (authority(), authority(), authority());
    let (cert, key) = signed_by(&workers);
    let tls = ServerTlsConfig::new()
        .identity(Identity::from_pem(cert, key))
        .client_ca_root(Certificate::from_pem(gateways.pem()));
    let worker = FakeWorker::start_with(Some(tls));

    let at = |name: &str, pem: &str| written(directory.path(), name, pem);
    let (cert, key) = signed_by(&gateways);
    let (ca, cert, key) = (at("ca", &workers.pem()), at("cert", &cert), at("key", &key));
    let text = |path: &PathBuf| path.display().to_string();
    let app = App::start_with(&[
        ("EXECUTION_SERVICE_URL", &worker.url()),
        ("WORKER_TLS_CA", &text(&ca)),
        ("WORKER_TLS_CERT", &text(&cert)),
        ("WORKER_TLS_KEY", &text(&key)),
    ])
    .await;
    let token = app.admin().await;
    app.run(&token, "say hello").await;
    assert_eq!(worker.seen().executes.len(), 1, "by the worker behind TLS");

    let (other_cert, other_key) = signed_by(&foreign);
    let (other_ca, other_cert, other_key) =
        (at("ca2", &foreign.pem()), at("cert2", &other_cert), at("key2", &other_key));
    for files in [
        TlsFiles { ca: &other_ca, cert: &cert, key: &key },
        TlsFiles { ca: &ca, cert: &other_cert, key: &other_key },
    ] {
        let identity = TlsIdentity::read(files).unwrap();
        let client = ExecutionClient::new(&worker.url(), Some(identity), TOKEN).unwrap();
        let call = Call { request_id: String::from("1"), deadline: NEVER };
        assert!(client.capabilities(&call).await.is_err(), "{files:?}");
    }
    assert!(TlsIdentity::read(TlsFiles { ca: &ca, cert: &cert, key: &other_key }).is_err());
}
