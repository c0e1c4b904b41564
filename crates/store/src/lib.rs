//! SQL and blobs: the only crate that names a database driver or an object store.
//!
//! Owns the [`Store`] facade, its migrations and the content-addressed blobs. Never calls the
//! network inside a transaction. Invariant: what a method reports as done is durable, and every
//! write that a folder's or a job's owner makes carries the owner's epoch and fails with
//! [`Error::Fenced`] once somebody else has taken over.

pub mod records;
