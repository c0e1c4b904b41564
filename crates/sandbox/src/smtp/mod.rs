//! Mail from outside: an SMTP server for the tenant's domains.
//!
//! Owns the listener and its sessions. It accepts mail for existing mailboxes only and relays nothing. At most
//! [`MAX_SESSIONS`] sessions run at once; further connections wait.

mod reader;
mod session;
pub mod trace;

use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::state::Sandbox;

/// Sessions at once, as a modest mail server allows.
const MAX_SESSIONS: usize = 200;

/// Accepts connections until the sandbox stops.
pub async fn serve(sandbox: Arc<Sandbox>, listener: TcpListener, stop: CancellationToken) {
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
                let sandbox = Arc::clone(&sandbox);
                sessions.spawn(async move {
                    if let Err(error) = session::run(&sandbox, stream, peer).await {
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
