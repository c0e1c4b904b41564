//! The HTTP side of the sandbox: certificates, listeners, paths, headers, dispatch.
//!
//! Owns everything between a socket and a service. It knows which service answers which path, and nothing of what
//! they answer.

pub mod authority;
pub mod connect;
pub mod connection;
pub mod dispatch;
pub mod gateway;
pub mod headers;
pub mod in_process;
pub mod listen;
pub mod metadata;
pub mod paths;
pub mod start;
pub mod subject;
