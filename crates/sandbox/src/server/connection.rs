//! Connections that can be cut.
//!
//! Owns the acceptor that puts a switch under every connection, below TLS. Once a connection is cut nothing more is
//! read from or written to it, not even a TLS farewell: the client sees a broken connection and no status, whatever
//! the handler answers afterwards.

use std::future::{Ready, ready};
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use axum::Extension;
use axum::middleware::AddExtension;
use axum_server::accept::Accept;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tower::Layer as _;

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

    fn is_cut(&self) -> bool {
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

/// Accepts connections and puts a switch under each.
#[derive(Debug, Clone, Copy, Default)]
pub struct SwitchAcceptor;

impl<S> Accept<TcpStream, S> for SwitchAcceptor {
    type Stream = SwitchedStream;
    type Service = AddExtension<S, Switch>;
    type Future = Ready<io::Result<(Self::Stream, Self::Service)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let switch = Switch::default();
        let service = Extension(switch.clone()).layer(service);
        ready(
            stream
                .set_nodelay(true)
                .map(|()| (SwitchedStream { stream, switch }, service)),
        )
    }
}

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
