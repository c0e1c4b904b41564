//! The database behind the facade: an embedded one, or one that several nodes share.
//!
//! Owns nothing but the choice. Invariant: an operation cannot tell which of them it runs on.

use futures::future::BoxFuture;

use crate::{
    Result,
    connection::Connection,
    postgres,
    simulation::{Access, View},
    sqlite,
};

/// An operation: it gets a connection inside a transaction and leaves ending that to the caller.
pub(crate) type Work<T> = Box<dyn for<'c> FnOnce(&'c mut dyn Connection) -> BoxFuture<'c, Result<T>> + Send>;

/// A database.
#[derive(Debug)]
pub(crate) enum Database {
    /// SQLite, of this process alone.
    Embedded(sqlite::Database),
    /// PostgreSQL, of all nodes.
    Shared(postgres::Database),
    /// Another one in memory, as a simulated node has it.
    Simulated(View),
}

impl Database {
    /// Runs an operation in a transaction that is durable when this returns.
    pub(crate) async fn write<T: Send + 'static>(&self, work: Work<T>) -> Result<T> {
        match self {
            Self::Embedded(database) => database.write(work).await,
            Self::Shared(database) => database.write(work).await,
            Self::Simulated(view) => view.write(work).await,
        }
    }

    /// Runs an operation that only reads, on one snapshot.
    pub(crate) async fn read<T: Send + 'static>(&self, work: Work<T>) -> Result<T> {
        match self {
            Self::Embedded(database) => database.read(work).await,
            Self::Shared(database) => database.read(work).await,
            Self::Simulated(view) => view.read(work).await,
        }
    }

    /// Answers what is queued, then closes every connection.
    pub(crate) async fn close(&self) {
        match self {
            Self::Embedded(database) => database.close().await,
            Self::Shared(database) => database.close().await,
            // Other nodes go on with it.
            Self::Simulated(_) => {}
        }
    }

    /// Does something with the blobs, which a simulated node may fail at as well.
    pub(crate) async fn with_blobs<T>(&self, access: Access, work: impl Future<Output = Result<T>>) -> Result<T> {
        match self {
            Self::Embedded(_) | Self::Shared(_) => work.await,
            Self::Simulated(view) => view.around(access, work).await,
        }
    }
}
