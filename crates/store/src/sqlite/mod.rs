//! SQLite behind the facade: one writer with group commit and a few readers, or, for tests and
//! simulations, one connection that runs everything in place.
//!
//! The only place that names the driver. Invariant: a write is answered after its commit is on
//! disk, or with the error that kept it away.

mod driver;
mod open;
#[cfg(test)]
mod plans;
mod readers;
mod writer;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures::FutureExt;
use tokio::sync::watch;

use crate::{Error, Result, database::Work};
use driver::SqliteConnection;

/// A SQLite database.
#[derive(Debug)]
pub(crate) enum Database {
    /// A file, with threads of its own.
    Threaded {
        writer: writer::Writer,
        readers: Arc<readers::Readers>,
    },
    /// In memory. Everything runs in the caller's task, so that a simulation is deterministic.
    Inline {
        connection: Mutex<Option<SqliteConnection>>,
        events: watch::Sender<i64>,
    },
}

impl Database {
    /// Opens, checks and migrates the database in `data_dir`, creating it where there is none.
    pub(crate) async fn open(data_dir: PathBuf, events: watch::Sender<i64>) -> Result<Self> {
        let opened = tokio::task::spawn_blocking(move || open::open(&data_dir))
            .await
            .map_err(|_| Error::Closed)??;
        events.send_replace(opened.last_event);
        Ok(Self::Threaded {
            readers: Arc::new(readers::Readers::new(opened.readers)),
            writer: writer::Writer::start(opened.writer, events, opened.guard)?,
        })
    }

    /// An empty database that lives as long as this value.
    pub(crate) fn in_memory(events: watch::Sender<i64>) -> Result<Self> {
        let mut connection = SqliteConnection::in_memory()?;
        open::migrate(&mut connection, Path::new(":memory:"))?;
        Ok(Self::Inline {
            connection: Mutex::new(Some(connection)),
            events,
        })
    }

    /// Runs an operation in a transaction that is durable when this returns.
    pub(crate) async fn write<T: Send + 'static>(&self, work: Work<T>) -> Result<T> {
        match self {
            Self::Threaded { writer, .. } => writer.write(work).await,
            Self::Inline { connection, events } => {
                let mut held = lock(connection);
                let connection = held.as_mut().ok_or(Error::Closed)?;
                let result = connection.in_transaction(driver::BEGIN_WRITE, work)?;
                connection.announce(events);
                Ok(result)
            }
        }
    }

    /// Runs an operation that only reads, on one snapshot.
    pub(crate) async fn read<T: Send + 'static>(&self, work: Work<T>) -> Result<T> {
        match self {
            Self::Threaded { readers, .. } => Arc::clone(readers).read(work).await,
            Self::Inline { connection, .. } => {
                let mut held = lock(connection);
                let connection = held.as_mut().ok_or(Error::Closed)?;
                connection.in_transaction(driver::BEGIN_READ, work)
            }
        }
    }

    /// Answers what is queued, then closes every connection.
    pub(crate) async fn close(&self) {
        match self {
            Self::Threaded { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Self::Inline { connection, .. } => drop(lock(connection).take()),
        }
    }
}

/// A panic of one caller must not close the store for the others: transactions undo themselves.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs an operation whose futures are always ready.
fn poll_now<T>(work: Work<T>, connection: &mut SqliteConnection) -> Result<T> {
    work(connection).now_or_never().unwrap_or_else(|| {
        Err(Error::Sql(
            "an operation waited for something else than the database".to_owned(),
        ))
    })
}
