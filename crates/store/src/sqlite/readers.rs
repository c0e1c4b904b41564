//! A few read connections, lent to blocking threads one operation at a time.
//!
//! Never writes: the connections are opened query-only.

use std::sync::{Arc, Mutex};

use tokio::sync::Semaphore;

use super::{
    Work,
    driver::{self, SqliteConnection},
    lock,
};
use crate::{Error, Result};

#[derive(Debug)]
pub(crate) struct Readers {
    /// One permit for each connection in `idle`.
    permits: Semaphore,
    idle: Mutex<Vec<SqliteConnection>>,
    size: u32,
}

impl Readers {
    pub(crate) fn new(connections: Vec<SqliteConnection>) -> Self {
        Self {
            permits: Semaphore::new(connections.len()),
            size: u32::try_from(connections.len()).unwrap_or(u32::MAX),
            idle: Mutex::new(connections),
        }
    }

    /// Runs an operation on one snapshot.
    pub(crate) async fn read<T: Send + 'static>(self: Arc<Self>, work: Work<T>) -> Result<T> {
        // The loan moves into the blocking thread and comes back from there, so that a caller who goes
        // away takes no connection along.
        let permit = self.permits.acquire().await.map_err(|_| Error::Closed)?;
        let loan = Loan::take(&self)?;
        permit.forget();
        tokio::task::spawn_blocking(move || loan.run(work))
            .await
            .map_err(|e| Error::Sql(format!("a read failed: {e}")))?
    }

    /// Waits for running reads and closes the connections.
    pub(crate) async fn close(&self) {
        if let Ok(all) = self.permits.acquire_many(self.size).await {
            self.permits.close();
            drop(all);
        }
        lock(&self.idle).clear();
    }
}

/// A connection on loan; it comes back when dropped, even if the operation panicked.
struct Loan {
    readers: Arc<Readers>,
    connection: Option<SqliteConnection>,
}

impl Loan {
    fn take(readers: &Arc<Readers>) -> Result<Self> {
        let connection = lock(&readers.idle).pop().ok_or(Error::Closed)?;
        Ok(Self {
            readers: Arc::clone(readers),
            connection: Some(connection),
        })
    }

    fn run<T>(mut self, work: Work<T>) -> Result<T> {
        let connection = self.connection.as_mut().ok_or(Error::Closed)?;
        connection.in_transaction(driver::BEGIN_READ, work)
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            if !connection.is_idle() && connection.control("ROLLBACK").is_err() {
                tracing::warn!("a read transaction could not be ended");
            }
            lock(&self.readers.idle).push(connection);
            self.readers.permits.add_permits(1);
        }
    }
}
