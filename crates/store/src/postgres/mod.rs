//! PostgreSQL behind the facade: a pool of connections for all nodes' work, and one that listens.
//!
//! Names the driver, as [`crate::sqlite`] names its own. Invariant: a write is answered after its commit is
//! durable, or with an error; after an error that is no refusal it may have been committed, and who asked
//! looks before asking again.
//!
//! Transactions that write run at PostgreSQL's *read committed*: what two nodes could do to one row at once is
//! ordered by that row's lock, which each operation takes before it looks. Reads run on one snapshot.

mod address;
mod driver;
mod listen;
#[cfg(test)]
mod plans;
mod schema;

use std::{sync::Arc, time::Duration};

use deadpool_postgres::{ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime, Timeouts};
use tokio::sync::watch;
use tokio_postgres::IsolationLevel;

use crate::{Error, Result, database::Work};
use address::Address;
use driver::{PostgresConnection, explain};

pub use address::is_postgres_address;

/// Connections of one node. Each is a process of the server; a node's work is a few short transactions at once.
const CONNECTIONS: usize = 8;
/// How long an operation waits for a connection, new or free, before it says that there is none.
const PATIENCE: Duration = Duration::from_secs(10);

/// A PostgreSQL database.
#[derive(Debug)]
pub(crate) struct Database {
    pool: Pool,
    /// Host, port and database, for error messages.
    name: Arc<str>,
    listener: listen::Listener,
}

impl Database {
    /// Connects, checks and migrates.
    pub(crate) async fn open(url: &str, events: watch::Sender<i64>) -> Result<Self> {
        let address = Address::parse(url)?;
        let name: Arc<str> = Arc::from(address.name());
        let manager = address.manager(ManagerConfig {
            recycling_method: RecyclingMethod::Fast,
        })?;
        let pool = Pool::builder(manager)
            .max_size(CONNECTIONS)
            .runtime(Runtime::Tokio1)
            .timeouts(Timeouts {
                wait: Some(PATIENCE),
                create: Some(PATIENCE),
                recycle: Some(PATIENCE),
            })
            .build()
            .map_err(|error| Error::Invalid(format!("the pool of connections can't be made: {error}")))?;
        let mut connection = take(&pool, &name).await?;
        schema::migrate(&mut connection, &name).await?;
        drop(connection);
        let listener = listen::Listener::start(address, pool.clone(), events).await?;
        Ok(Self { pool, name, listener })
    }

    /// Runs an operation in a transaction that is durable when this returns.
    pub(crate) async fn write<T: Send + 'static>(&self, work: Work<T>) -> Result<T> {
        self.run(work, false).await
    }

    /// Runs an operation that only reads, on one snapshot.
    pub(crate) async fn read<T: Send + 'static>(&self, work: Work<T>) -> Result<T> {
        self.run(work, true).await
    }

    /// Closes every connection; what is under way ends first.
    pub(crate) async fn close(&self) {
        self.pool.close();
        self.listener.stop().await;
    }

    async fn run<T: Send + 'static>(&self, work: Work<T>, read_only: bool) -> Result<T> {
        let mut connection = take(&self.pool, &self.name).await?;
        let failed = |error: tokio_postgres::Error| explain(&self.name, &error);
        let isolation = if read_only {
            IsolationLevel::RepeatableRead
        } else {
            IsolationLevel::ReadCommitted
        };
        let begin = connection
            .build_transaction()
            .isolation_level(isolation)
            .read_only(read_only);
        let transaction = begin.start().await.map_err(failed)?;
        let mut inside = PostgresConnection {
            transaction: &transaction,
            name: &self.name,
        };
        match work(&mut inside).await {
            Ok(value) => transaction.commit().await.map(|()| value).map_err(failed),
            Err(error) => {
                // Without an answer the connection is broken, and the server undoes by itself.
                let _ = transaction.rollback().await;
                Err(error)
            }
        }
    }
}

async fn take(pool: &Pool, name: &str) -> Result<Object> {
    pool.get().await.map_err(|error| match error {
        PoolError::Backend(error) => explain(name, &error),
        PoolError::Closed => Error::Closed,
        PoolError::Timeout(kind) => Error::Unavailable {
            database: name.to_owned(),
            detail: format!("no connection within {} s ({kind:?})", PATIENCE.as_secs()),
        },
        error => driver::unavailable(name, &error),
    })
}
