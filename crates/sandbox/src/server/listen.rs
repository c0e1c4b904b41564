//! Listeners.
//!
//! Owns the binding of sockets and the tasks that serve them. Each ends when the sandbox stops; open connections get
//! [`GRACE`] to finish.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum_server::Handle;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use rustls::ServerConfig;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::error::Error;
use crate::server::connection::SwitchAcceptor;
use crate::server::gateway::{self, Gateway};
use crate::server::headers::Scheme;
use crate::state::Sandbox;

/// How long open connections may take to finish when the sandbox stops.
const GRACE: Duration = Duration::from_millis(200);

/// Binds a socket.
///
/// # Errors
/// When the address cannot be had.
pub async fn bind(address: SocketAddr, purpose: &'static str) -> Result<(TcpListener, SocketAddr), Error> {
    let failed = |source| Error::Listen {
        address,
        purpose,
        source,
    };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

/// Serves the tenant over TLS.
pub fn https(
    sandbox: Arc<Sandbox>,
    listener: TcpListener,
    config: ServerConfig,
    tasks: &TaskTracker,
    stop: &CancellationToken,
) {
    let scheme = Scheme::Https;
    let switch = SwitchAcceptor {
        sandbox: Arc::clone(&sandbox),
        scheme,
    };
    let service = router(Gateway { sandbox, scheme }).into_make_service();
    let handle = Handle::new();
    let acceptor = RustlsAcceptor::new(RustlsConfig::from_config(Arc::new(config))).acceptor(switch);
    let server = axum_server::Server::from_listener(listener)
        .acceptor(acceptor)
        .handle(handle.clone());
    tasks.spawn(until_stopped(stop.clone(), handle, async move {
        server.serve(service).await
    }));
}

/// Serves the tenant in plain text.
pub fn http(sandbox: Arc<Sandbox>, listener: TcpListener, tasks: &TaskTracker, stop: &CancellationToken) {
    let scheme = Scheme::Http;
    let switch = SwitchAcceptor {
        sandbox: Arc::clone(&sandbox),
        scheme,
    };
    let service = router(Gateway { sandbox, scheme }).into_make_service();
    let handle = Handle::new();
    let server = axum_server::Server::from_listener(listener)
        .acceptor(switch)
        .handle(handle.clone());
    tasks.spawn(until_stopped(stop.clone(), handle, async move {
        server.serve(service).await
    }));
}

/// Serves the control interface.
pub fn control(router: Router, listener: TcpListener, tasks: &TaskTracker, stop: &CancellationToken) {
    let handle = Handle::new();
    let server = axum_server::Server::from_listener(listener).handle(handle.clone());
    tasks.spawn(until_stopped(stop.clone(), handle, async move {
        server.serve(router.into_make_service()).await
    }));
}

/// Everything that a listener serves.
pub fn router(gateway: Gateway) -> Router {
    Router::new().fallback(gateway::handle).with_state(gateway)
}

async fn until_stopped(
    stop: CancellationToken,
    handle: Handle<SocketAddr>,
    serving: impl Future<Output = std::io::Result<()>>,
) {
    tokio::pin!(serving);
    let result = tokio::select! {
        result = &mut serving => result,
        () = stop.cancelled() => {
            handle.graceful_shutdown(Some(GRACE));
            serving.await
        }
    };
    if let Err(error) = result {
        tracing::error!(%error, "a sandbox listener ended");
    }
}
