//! The HTTP face of Guichet: REST and its OpenAPI document, API keys, Graph's notifications, server-sent
//! events, the console.
//!
//! Owns the public shapes (`dto`), the problems that it answers with, and the listening socket with its
//! certificate. Decides nothing about mail and never talks to Graph. Invariants: nothing below `/v1` is
//! answered without a valid API key; every error is an RFC 9457 problem document of a type that the OpenAPI
//! document lists; a notification is answered without waiting for the database or the network.

mod auth;
mod console;
mod disposition;
mod dto;
mod extract;
mod gate;
mod metrics;
mod notifications;
mod openapi;
mod paging;
mod problem;
mod resources;
mod router;
mod serving;
mod sse;
mod state;
mod tls;

#[cfg(test)]
mod testing;

pub use auth::{hash_api_key, new_api_key};
pub use openapi::openapi;
pub use serving::{Error, ListenConfig, Serving, serve};
pub use state::{ApiParts, FindingsSource, Language};
pub use tls::TlsFiles;
