//! SQL and blobs: the only crate that names a database driver or an object store.
//!
//! Owns the [`Store`] facade, its migrations and the content-addressed blobs. Never calls the
//! network inside a transaction. Invariant: what a method reports as done is durable, and every
//! write that a folder's or a job's owner makes carries the owner's epoch and fails with
//! [`Error::Fenced`] once somebody else has taken over.

mod accounts;
mod blobs;
mod connection;
mod content;
mod conversations;
mod counters;
mod database;
mod dialect;
mod directory;
mod error;
mod events;
mod facade;
mod findings;
mod folders;
#[cfg(test)]
mod hot;
mod keys;
mod leases;
mod ledger;
mod lock;
mod messages;
mod migrations;
mod outbox;
mod postgres;
mod quarantine;
mod receipts;
pub mod records;
mod replies;
#[doc(hidden)]
pub mod simulation;
mod sqlite;
mod subscriptions;
mod threads;
mod trace;
mod traffic;
mod transfer;

pub use error::{Error, Result};
pub use facade::{OpenOptions, Store};
pub use lock::ServiceLock;
pub use postgres::is_postgres_address;
pub use records::*;
pub use transfer::CopiedTable;
