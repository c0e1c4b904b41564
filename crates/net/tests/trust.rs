//! Which servers are trusted, and what is said about certificate files that cannot be used.

#![expect(clippy::unwrap_used, reason = "a failed expectation ends the test")]

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use guichet_net::{BodyLimit, HttpRequest, NetConfig, ReqwestTransport, Transport, TransportErrorKind};
use http::{HeaderMap, Method};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls_pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use url::Url;

/// A TLS server for `localhost` whose certificate was issued by a fresh authority.
async fn tls_server() -> (SocketAddr, String, JoinSet<()>) {
    guichet_net::install_tls_provider();
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec!["localhost".to_owned()])
        .unwrap()
        .signed_by(&key, &issuer)
        .unwrap();
    let config = tokio_rustls::rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(
            vec![leaf.der().clone()],
            PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        )
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(socket).await else {
                continue;
            };
            let mut buffer = [0; 1024];
            let _ = stream.read(&mut buffer).await;
            let _ = stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
                .await;
            let _ = stream.shutdown().await;
        }
    });
    (address, issuer.pem(), tasks)
}

fn get(address: SocketAddr) -> HttpRequest {
    let url = Url::parse(&format!("https://localhost:{}/", address.port())).unwrap();
    HttpRequest {
        method: Method::GET,
        url,
        headers: HeaderMap::new(),
        body: Bytes::new(),
    }
}

fn with_ca(path: PathBuf) -> NetConfig {
    NetConfig {
        extra_ca_files: vec![path],
        ..NetConfig::default()
    }
}

#[tokio::test]
async fn server_of_an_added_authority_is_trusted() {
    let (address, authority, _server) = tls_server().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.pem");
    std::fs::write(&path, authority).unwrap();
    let client = ReqwestTransport::new(&with_ca(path)).unwrap();
    let answer = client.send(get(address), BodyLimit::bytes(10)).await.unwrap();
    assert_eq!(answer.body, "ok");
}

#[tokio::test]
async fn server_of_an_unknown_authority_is_a_tls_failure_without_effect() {
    let (address, _authority, _server) = tls_server().await;
    let client = ReqwestTransport::new(&NetConfig::default()).unwrap();
    let error = client.send(get(address), BodyLimit::bytes(10)).await.unwrap_err();
    assert_eq!(error.kind, TransportErrorKind::Tls, "{error}");
    assert!(!error.may_have_had_effect());
}

#[test]
fn unusable_ca_files_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing.pem");
    let empty = folder.path().join("empty.pem");
    let garbage = folder.path().join("garbage.pem");
    std::fs::write(&empty, "nothing here").unwrap();
    std::fs::write(
        &garbage,
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    )
    .unwrap();
    for path in [missing, empty, garbage] {
        let name = path.display().to_string();
        let error = ReqwestTransport::new(&with_ca(path)).unwrap_err();
        assert_eq!(error.kind, TransportErrorKind::Invalid);
        assert!(error.to_string().contains(&name), "{error}");
    }
}

#[test]
fn installing_the_provider_twice_is_harmless() {
    guichet_net::install_tls_provider();
    guichet_net::install_tls_provider();
    assert!(tokio_rustls::rustls::crypto::CryptoProvider::get_default().is_some());
}
