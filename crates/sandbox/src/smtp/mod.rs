//! Mail from outside: an SMTP server for the tenant's domains.
//!
//! Owns the listener and its sessions, in plain text and after STARTTLS. It accepts mail for existing mailboxes only and relays nothing. At most
//! [`MAX_SESSIONS`] sessions run at once; further connections wait.

mod reader;
mod session;
pub mod trace;

use std::sync::Arc;

use rustls::ServerConfig;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::state::Sandbox;

/// Sessions at once, as a modest mail server allows.
const MAX_SESSIONS: usize = 200;

/// Accepts connections until the sandbox stops.
pub async fn serve(sandbox: Arc<Sandbox>, listener: TcpListener, mut tls: ServerConfig, stop: CancellationToken) {
    // SMTP negotiates no application protocol.
    tls.alpn_protocols.clear();
    let tls = TlsAcceptor::from(Arc::new(tls));
    let room = Arc::new(Semaphore::new(MAX_SESSIONS));
    let mut sessions = JoinSet::new();
    loop {
        let permit = tokio::select! {
            () = stop.cancelled() => break,
            permit = Arc::clone(&room).acquire_owned() => permit,
        };
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        while sessions.try_join_next().is_some() {}
        match (accepted, permit) {
            (Ok((stream, peer)), Ok(permit)) => {
                let (sandbox, tls) = (Arc::clone(&sandbox), tls.clone());
                sessions.spawn(async move {
                    if let Err(error) = session::run(&sandbox, stream, peer, &tls).await {
                        tracing::debug!(%error, "an SMTP session ended early");
                    }
                    drop(permit);
                });
            }
            (Err(error), _) => tracing::warn!(%error, "an SMTP connection could not be accepted"),
            (Ok(_), Err(_)) => break,
        }
    }
    sessions.shutdown().await;
}
