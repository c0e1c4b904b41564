//! The [`Store`]: opening, closing, and the two ways in which operations reach the database.
//!
//! The operations themselves stand with their area (accounts, ledger, outbox, …), each written once
//! over [`Connection`]. Never runs anything but database work inside a transaction.

use std::{path::PathBuf, sync::Arc};

use futures::future::BoxFuture;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::watch;

use crate::{
    Result,
    blobs::Blobs,
    connection::Connection,
    counters,
    database::Database,
    directory, postgres,
    simulation::{Interference, View, Weakness},
    sqlite,
};

/// Most rows that one call returns, whatever it asks for: bounds memory and the time of a read.
pub(crate) const MAX_ROWS: u32 = 1000;
/// Most rows of a list that is configuration (mailboxes, folders, keys) and is always read whole. Far
/// beyond what one installation serves, because a list cut short would leave a mailbox unserved.
pub(crate) const MAX_CONFIGURED: u32 = 100_000;

/// Where the store lives.
#[derive(Clone, Debug)]
pub struct OpenOptions {
    /// Directory of `guichet.db`, `blobs/` and `guichet.lock`; created if it is missing.
    pub data_dir: PathBuf,
    /// Address of a PostgreSQL database (`postgres://user:password@host:5432/name`) in place of
    /// `guichet.db`; then any number of processes may share the work. Their `blobs/` must be one directory.
    pub database: Option<SecretString>,
}

impl OpenOptions {
    /// An embedded database in this directory.
    pub fn in_directory(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            database: None,
        }
    }

    /// The file of the embedded database, whether it exists or not.
    pub fn embedded_file(&self) -> PathBuf {
        self.data_dir.join(directory::DATABASE)
    }
}

/// The store: ledger, outbox, accounts and blobs. Cloning is cheap; all clones are one store.
#[derive(Clone, Debug)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    database: Database,
    blobs: Arc<Blobs>,
    events: watch::Sender<i64>,
}

impl Store {
    /// Opens the store, creating it in an empty or missing directory and bringing an older schema up
    /// to date. After an unclean shutdown the whole database is checked first.
    ///
    /// # Errors
    /// [`crate::Error::Corrupt`], [`crate::Error::Missing`], [`crate::Error::NewerSchema`],
    /// [`crate::Error::Unwritable`], [`crate::Error::DiskFull`]: each names the file; nothing was
    /// changed or recreated. [`crate::Error::Unavailable`] if a shared database can't be reached.
    pub async fn open(options: OpenOptions) -> Result<Self> {
        let events = watch::Sender::new(0);
        let database = match &options.database {
            None => Database::Embedded(sqlite::Database::open(options.data_dir.clone(), events.clone()).await?),
            Some(address) => Database::Shared(postgres::Database::open(address.expose_secret(), events.clone()).await?),
        };
        let blobs = Blobs::on_disk(options.data_dir.join(directory::BLOBS)).await?;
        Ok(Self::new(database, blobs, events))
    }

    /// A store that lives in memory and as long as its clones. Everything runs in the caller's task:
    /// there is no thread and no real time in it.
    ///
    /// # Errors
    /// [`crate::Error::Sql`] if the schema can't be made.
    #[expect(clippy::unused_async, reason = "opens like the store on disk")]
    pub async fn in_memory() -> Result<Self> {
        let events = watch::Sender::new(0);
        let database = Database::Embedded(sqlite::Database::in_memory(events.clone())?);
        Ok(Self::new(database, Blobs::in_memory(), events))
    }

    fn new(database: Database, blobs: Blobs, events: watch::Sender<i64>) -> Self {
        Self {
            inner: Arc::new(Inner {
                database,
                blobs: Arc::new(blobs),
                events,
            }),
        }
    }

    /// This store as one of several simulated nodes has it: what interferes happens around every operation.
    #[doc(hidden)]
    pub fn seen_by_node(&self, interference: Arc<dyn Interference>, weakness: Option<Weakness>) -> Self {
        Self {
            inner: Arc::new(Inner {
                database: Database::Simulated(View::new(self.clone(), interference, weakness)),
                blobs: self.inner.blobs.clone(),
                events: self.inner.events.clone(),
            }),
        }
    }

    /// Answers everything that was asked for, then closes the database. Clones that are left get
    /// [`crate::Error::Closed`]. Dropping the last clone without this loses nothing that was
    /// acknowledged.
    pub async fn close(self) {
        self.inner.database.close().await;
    }

    /// Whether the store can write: writes a row, waits for the disk.
    ///
    /// # Errors
    /// Whatever keeps the store from writing.
    pub async fn check(&self) -> Result<()> {
        self.write(|c| Box::pin(counters::add(c, counters::PROBE, 1))).await
    }

    /// The seq of the last committed event, as it changes: a wake-up for readers of
    /// [`Store::events_after`] in this process. It never runs ahead of the commit.
    pub fn watch_events(&self) -> watch::Receiver<i64> {
        self.inner.events.subscribe()
    }

    pub(crate) fn database(&self) -> &Database {
        &self.inner.database
    }

    pub(crate) fn blobs(&self) -> &Blobs {
        &self.inner.blobs
    }

    /// Runs an operation in a transaction; it is durable when this returns.
    pub(crate) async fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut dyn Connection) -> BoxFuture<'c, Result<T>> + Send + 'static,
    {
        self.inner.database.write(Box::new(work)).await
    }

    /// Runs an operation that only reads, on one snapshot.
    pub(crate) async fn read<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut dyn Connection) -> BoxFuture<'c, Result<T>> + Send + 'static,
    {
        self.inner.database.read(Box::new(work)).await
    }
}

/// A bound that a caller gave, made into one that holds.
pub(crate) fn bounded(limit: u32) -> i64 {
    i64::from(limit.clamp(1, MAX_ROWS))
}
