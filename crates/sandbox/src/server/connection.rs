//! Connections that can be cut.
//!
//! Owns the acceptor that puts a switch under every connection, below TLS. Once a connection is cut nothing more is
//! read from or written to it, not even a TLS farewell: the client sees a broken connection and no status, whatever
//! the handler answers afterwards.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use axum::Extension;
use axum::middleware::AddExtension;
use axum_server::accept::Accept;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::TcpStream;
use tower::Layer as _;

use crate::faults::ConnectionFault;
use crate::server::headers::Scheme;
use crate::state::Sandbox;

/// The switch of one connection; found in the extensions of every request on it.
#[derive(Debug, Clone, Default)]
pub struct Switch(Arc<State>);

#[derive(Debug, Default)]
struct State {
    cut: AtomicBool,
    sleepers: Mutex<Vec<Waker>>,
}

/// Tasks that may sleep on one connection: one reads and one writes.
const MAX_SLEEPERS: usize = 8;

impl Switch {
    /// Breaks the connection.
    pub fn cut(&self) {
        self.0.cut.store(true, Ordering::SeqCst);
        let sleepers = std::mem::take(&mut *self.0.sleepers.lock().unwrap_or_else(PoisonError::into_inner));
        for sleeper in sleepers {
            sleeper.wake();
        }
    }

    /// Whether the connection is broken.
    pub fn is_cut(&self) -> bool {
        self.0.cut.load(Ordering::SeqCst)
    }

    fn remember(&self, context: &Context<'_>) {
        let mut sleepers = self.0.sleepers.lock().unwrap_or_else(PoisonError::into_inner);
        if sleepers.iter().any(|sleeper| sleeper.will_wake(context.waker())) {
            return;
        }
        if sleepers.len() >= MAX_SLEEPERS {
            sleepers.remove(0);
        }
        sleepers.push(context.waker().clone());
    }
}

/// Accepts connections, lets ordered faults happen to them, and puts a switch under each.
#[derive(Debug, Clone)]
pub struct SwitchAcceptor {
    /// Knows the faults.
    pub sandbox: Arc<Sandbox>,
    /// How the listener is reached.
    pub scheme: Scheme,
}

impl<S: Send + 'static> Accept<TcpStream, S> for SwitchAcceptor {
    type Stream = SwitchedStream;
    type Service = AddExtension<S, Switch>;
    type Future = BoxFuture<'static, io::Result<(Self::Stream, Self::Service)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let fault = self.sandbox.faults.connection(self.scheme == Scheme::Https);
        let switch = Switch::default();
        let service = Extension(switch.clone()).layer(service);
        async move {
            match fault {
                None => {
                    stream.set_nodelay(true)?;
                    Ok((SwitchedStream { stream, switch }, service))
                }
                Some(ConnectionFault::Reset) => {
                    stream.set_zero_linger()?;
                    Err(broken())
                }
                Some(ConnectionFault::Tls) => Err(fail_handshake(stream).await),
            }
        }
        .boxed()
    }
}

/// Reads the client's hello and answers it with a fatal alert.
async fn fail_handshake(mut stream: TcpStream) -> io::Error {
    let mut hello = [0; HELLO];
    let read = tokio::time::timeout(PATIENCE, stream.read(&mut hello)).await;
    if matches!(read, Ok(Ok(_))) {
        let _ = stream.write_all(&HANDSHAKE_FAILURE).await;
        let _ = stream.shutdown().await;
    }
    broken()
}

/// A TLS record: alert, fatal, handshake_failure.
const HANDSHAKE_FAILURE: [u8; 7] = [0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x28];
/// Longest hello that is read before it is refused.
const HELLO: usize = 4096;
/// Patience with a client that says nothing.
const PATIENCE: Duration = Duration::from_secs(10);

/// A stream that ends when its switch is thrown.
#[derive(Debug)]
pub struct SwitchedStream {
    stream: TcpStream,
    switch: Switch,
}

fn broken() -> io::Error {
    io::Error::from(io::ErrorKind::ConnectionReset)
}

impl AsyncRead for SwitchedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.switch.remember(context);
        if self.switch.is_cut() {
            return Poll::Ready(Err(broken()));
        }
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for SwitchedStream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        if self.switch.is_cut() {
            return Poll::Ready(Err(broken()));
        }
        Pin::new(&mut self.stream).poll_write(context, buffer)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.switch.is_cut() {
            return Poll::Ready(Err(broken()));
        }
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
