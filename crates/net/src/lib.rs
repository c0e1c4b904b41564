//! Outbound HTTP: the TLS provider, the proxy, and the one client that every request leaves through.
//!
//! Owns how bytes leave the process and how a failure to exchange them is named. Never follows a
//! redirect, never repeats a request and never reads a body without a bound: whoever asked decides
//! about those. Debug output of every type here shows neither bodies nor query strings nor header
//! values marked sensitive.

mod client;
mod config;
mod error;
mod tls;
mod transport;

pub use client::ReqwestTransport;
pub use config::NetConfig;
pub use error::{TransportError, TransportErrorKind};
pub use tls::install_tls_provider;
pub use transport::{BodyLimit, HttpRequest, HttpResponse, Transport};
