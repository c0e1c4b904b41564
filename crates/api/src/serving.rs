//! The listening socket, with or without TLS, and its orderly end.
//!
//! Owns every task that it starts. On shutdown no new connection is taken, event streams end at once, and
//! requests under way have [`GRACE`] to finish.

use std::{io::ErrorKind, net::SocketAddr, path::PathBuf, time::Duration};

use axum_server::{Handle, Server, tls_rustls::RustlsAcceptor};
use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::sync::CancellationToken;

use crate::{
    router,
    state::{ApiParts, ApiState},
    tls::{Certificates, TlsFiles},
};

/// Time that requests under way have to finish after shutdown was asked for; service managers kill after 90 s.
const GRACE: Duration = Duration::from_secs(10);
/// Time from the start of a connection to its first whole request.
const FIRST_REQUEST: Duration = Duration::from_secs(15);
/// Time for the head of a request; on a kept-alive connection also the pause before it.
const HEAD: Duration = Duration::from_secs(75);
/// Streams of one HTTP/2 connection: the console needs a handful.
const HTTP2_STREAMS: u32 = 100;
/// Bytes of all headers of one request.
const HEADERS: u32 = 32 * 1024;

/// Where to listen.
#[derive(Clone, Debug)]
pub struct ListenConfig {
    /// Address and port; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Certificate files; without them plain HTTP is spoken, for use behind a proxy that ends TLS.
    pub tls: Option<TlsFiles>,
}

/// Why the server could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Stop the other program or listen elsewhere.
    #[error("{address} is in use by another process: stop that one, or set another `listen` address")]
    AddressInUse {
        /// The address asked for.
        address: SocketAddr,
    },
    /// The operating system does not let this user listen there.
    #[error("{address} may not be listened on by this user: choose a port above 1023, or grant CAP_NET_BIND_SERVICE")]
    AddressForbidden {
        /// The address asked for.
        address: SocketAddr,
    },
    /// The address can't be listened on.
    #[error("{address} can't be listened on ({detail}): set `listen` to an address of this machine")]
    AddressUnavailable {
        /// The address asked for.
        address: SocketAddr,
        /// What the operating system said.
        detail: String,
    },
    /// The certificate can't be used.
    #[error("certificate file {path}: {detail}; it must hold the certificate chain in PEM form and be readable")]
    Certificate {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// The private key can't be used.
    #[error("key file {path}: {detail}; it must hold the certificate's private key in PEM form and be readable")]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
}

/// The running server. Dropping it ends the server at once; [`stopped`](Self::stopped) waits for its
/// orderly end.
#[derive(Debug)]
pub struct Serving {
    local_address: SocketAddr,
    handle: Handle<SocketAddr>,
    tasks: JoinSet<()>,
}

impl Serving {
    /// The address that is listened on, with the port that was taken.
    pub fn local_address(&self) -> SocketAddr {
        self.local_address
    }

    /// Waits until the server has ended: after the shutdown token was cancelled, and at most ten seconds
    /// longer.
    pub async fn stopped(mut self) {
        while let Some(ended) = self.tasks.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a task of the HTTP server ended badly");
            }
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // The connections run in tasks of the server library; this ends them.
        self.handle.shutdown();
    }
}

/// Starts to serve. Answers as soon as it returns, until `shutdown` is cancelled.
///
/// # Errors
/// [`Error`], which names the address or the file and the fix.
pub async fn serve(listen: ListenConfig, parts: ApiParts, shutdown: CancellationToken) -> Result<Serving, Error> {
    let certificates = match listen.tls {
        Some(files) => Some(Certificates::load(files).await?),
        None => None,
    };
    let listener = TcpListener::bind(listen.listen)
        .await
        .map_err(|error| not_bound(listen.listen, &error))?;
    let local_address = listener
        .local_addr()
        .map_err(|error| not_bound(listen.listen, &error))?;

    let service = router::build(ApiState::new(parts, shutdown.clone())).into_make_service();
    let handle = Handle::new();
    let mut server = Server::<SocketAddr>::from_listener(listener)
        .handle(handle.clone())
        .first_request_timeout(FIRST_REQUEST)
        .accept_error_handler(|peer, error| tracing::debug!(?peer, %error, "a connection could not be taken"));
    let builder = server.http_builder();
    builder.http1().header_read_timeout(HEAD);
    builder
        .http2()
        .max_concurrent_streams(HTTP2_STREAMS)
        .max_header_list_size(HEADERS);

    let mut tasks = JoinSet::new();
    match certificates {
        Some(certificates) => {
            let server = server.acceptor(RustlsAcceptor::new(certificates.config()));
            tasks.spawn(async move { log_end(server.serve(service).await) });
            tasks.spawn(certificates.follow(shutdown.clone()));
        }
        None => {
            tasks.spawn(async move { log_end(server.serve(service).await) });
        }
    }
    let ending = handle.clone();
    tasks.spawn(async move {
        shutdown.cancelled().await;
        ending.graceful_shutdown(Some(GRACE));
    });
    tracing::info!(%local_address, "listening");
    Ok(Serving {
        local_address,
        handle,
        tasks,
    })
}

fn log_end(result: std::io::Result<()>) {
    if let Err(error) = result {
        tracing::error!(%error, "the HTTP server failed");
    }
}

fn not_bound(address: SocketAddr, error: &std::io::Error) -> Error {
    match error.kind() {
        ErrorKind::AddrInUse => Error::AddressInUse { address },
        ErrorKind::PermissionDenied => Error::AddressForbidden { address },
        _ => Error::AddressUnavailable {
            address,
            detail: error.to_string(),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::{
        ClientConfig, RootCertStore,
        crypto::aws_lc_rs,
        pki_types::{CertificateDer, ServerName, pem::PemObject},
    };
    use tokio::{
        io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
        net::TcpStream,
    };
    use tokio_rustls::TlsConnector;

    use super::*;
    use crate::testing::{Fixture, self_signed, write_pair};

    fn anywhere() -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], 0))
    }

    async fn healthz(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> String {
        let request = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).await.expect("sent");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.expect("answered");
        String::from_utf8_lossy(&answer).into_owned()
    }

    #[tokio::test]
    async fn plain_http_is_served_until_shutdown() {
        let fixture = Fixture::new().await;
        let shutdown = CancellationToken::new();
        let listen = ListenConfig {
            listen: anywhere(),
            tls: None,
        };
        let serving = serve(listen, fixture.parts(), shutdown.clone()).await.expect("serving");
        let address = serving.local_address();
        assert_ne!(address.port(), 0);
        assert!(
            healthz(TcpStream::connect(address).await.expect("connected"))
                .await
                .starts_with("HTTP/1.1 200")
        );
        shutdown.cancel();
        serving.stopped().await;
        assert!(TcpStream::connect(address).await.is_err(), "still listening");
    }

    #[tokio::test]
    async fn tls_is_served_with_http_2_on_offer_and_plain_http_is_not_answered() {
        let fixture = Fixture::new().await;
        let dir = tempfile::tempdir().expect("directory");
        let pair = self_signed();
        let listen = ListenConfig {
            listen: anywhere(),
            tls: Some(write_pair(dir.path(), &pair)),
        };
        let serving = serve(listen, fixture.parts(), CancellationToken::new())
            .await
            .expect("serving");

        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_slice(pair.0.as_bytes()).expect("certificate"))
            .expect("root");
        let connect = |protocol: &str| {
            let provider = Arc::new(aws_lc_rs::default_provider());
            let mut config = ClientConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .expect("versions")
                .with_root_certificates(roots.clone())
                .with_no_client_auth();
            config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
            let address = serving.local_address();
            async move {
                let tcp = TcpStream::connect(address).await.expect("connected");
                let name = ServerName::try_from("localhost").expect("name");
                TlsConnector::from(Arc::new(config))
                    .connect(name, tcp)
                    .await
                    .expect("handshake")
            }
        };
        assert!(healthz(connect("http/1.1").await).await.starts_with("HTTP/1.1 200"));
        let h2 = connect("h2").await;
        assert_eq!(h2.get_ref().1.alpn_protocol(), Some(b"h2".as_slice()));
        let plain = TcpStream::connect(serving.local_address()).await.expect("connected");
        assert!(!healthz(plain).await.starts_with("HTTP/1.1 200"));
    }

    #[tokio::test]
    async fn port_in_use_is_named_with_the_fix() {
        let fixture = Fixture::new().await;
        let taken = TcpListener::bind(anywhere()).await.expect("bound");
        let address = taken.local_addr().expect("address");
        let listen = ListenConfig {
            listen: address,
            tls: None,
        };
        let error = serve(listen, fixture.parts(), CancellationToken::new())
            .await
            .unwrap_err();
        assert!(
            matches!(error, Error::AddressInUse { address: named } if named == address),
            "{error}"
        );
        assert!(error.to_string().contains(&address.to_string()));
    }

    #[tokio::test]
    async fn address_of_another_machine_is_named() {
        let fixture = Fixture::new().await;
        // TEST-NET-1 (RFC 5737) is no address of this machine.
        let listen = ListenConfig {
            listen: SocketAddr::from(([192, 0, 2, 1], 0)),
            tls: None,
        };
        let error = serve(listen, fixture.parts(), CancellationToken::new())
            .await
            .unwrap_err();
        assert!(matches!(error, Error::AddressUnavailable { .. }), "{error}");
    }
}
