//! A store as one of several simulated nodes has it: operations that take time, fail, or lose their answer, on a
//! database that all of them share.
//!
//! For simulations only: nothing that opens a store for the product leads here. Never changes an operation, with one
//! exception: a [`Weakness`] takes one safeguard out of the SQL, so that a simulation can show that it would notice
//! the loss. Invariant: an operation that is done is done once and whole, whatever happens around it.

use std::{borrow::Cow, fmt, sync::Arc};

use futures::future::BoxFuture;

use crate::{
    Result, Store,
    connection::{Connection, Row, Value},
    database::Work,
};

/// What a node does with the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// A transaction.
    Write,
    /// A snapshot.
    Read,
    /// Bytes are put in.
    PutBlob,
    /// Bytes are taken out.
    GetBlob,
}

/// What happens around the operations of a node.
pub trait Interference: fmt::Debug + Send + Sync {
    /// Before the operation; an error keeps it from being done.
    fn before(&self, access: Access) -> BoxFuture<'_, Result<()>>;

    /// After the operation was done; an error takes its answer away.
    fn after(&self, access: Access) -> BoxFuture<'_, Result<()>>;
}

/// A safeguard that is missing, for the negative control of a simulation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weakness {
    /// Whoever lost a lease goes on writing.
    NoFence,
    /// A mail is taken in as often as it is listed.
    NoReceipts,
    /// How far a reply has come is forgotten, so that the next attempt does not look before it sends.
    NoLook,
    /// A page moves the cursor and leaves its mails behind.
    NoMails,
    /// A receipt does not say where the bytes of its mail are.
    NoBytes,
}

impl Weakness {
    /// The statement without the safeguard. Placeholders stay, for the values are bound all the same.
    fn weaken(self, sql: &str) -> Cow<'_, str> {
        let changes: &[(&str, &str)] = match self {
            Self::NoFence => &[("AND epoch = $", "AND 0 <= $")],
            Self::NoReceipts => &[
                (
                    "FROM receipt WHERE mailbox_id = $1 AND",
                    "FROM receipt WHERE mailbox_id = $1 AND 1 = 0 AND",
                ),
                (
                    "ON CONFLICT (mailbox_id, immutable_id) DO NOTHING",
                    "ON CONFLICT (mailbox_id, immutable_id) DO UPDATE SET message_id = excluded.message_id",
                ),
            ],
            Self::NoLook => &[(
                "UPDATE job SET progress = $1 WHERE",
                "UPDATE job SET progress = CASE WHEN $1 = progress THEN $1 ELSE progress END WHERE",
            )],
            Self::NoMails => &[(
                "VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (mailbox_id, immutable_id) DO NOTHING",
                "SELECT $1, $2, $3, $4, $5, $6, $7, $8 WHERE 1 = 0 ON CONFLICT (mailbox_id, immutable_id) DO NOTHING",
            )],
            Self::NoBytes => &[(
                "VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (mailbox_id, immutable_id)",
                "VALUES ($1, $2, $3, $4, $5, NULLIF($6, $6), $7, $8) ON CONFLICT (mailbox_id, immutable_id)",
            )],
        };
        let mut weakened = Cow::Borrowed(sql);
        for (safe, weak) in changes {
            if weakened.contains(safe) {
                weakened = Cow::Owned(weakened.replace(safe, weak));
            }
        }
        weakened
    }
}

/// The database of a node.
#[derive(Debug)]
pub(crate) struct View {
    store: Store,
    interference: Arc<dyn Interference>,
    weakness: Option<Weakness>,
}

impl View {
    pub(crate) fn new(store: Store, interference: Arc<dyn Interference>, weakness: Option<Weakness>) -> Self {
        Self {
            store,
            interference,
            weakness,
        }
    }

    pub(crate) async fn around<T>(&self, access: Access, work: impl Future<Output = Result<T>>) -> Result<T> {
        self.interference.before(access).await?;
        let done = work.await;
        self.interference.after(access).await?;
        done
    }

    // Boxed: the database below is one like the one that this is a part of.
    pub(crate) async fn write<T: Send + 'static>(&self, work: Work<T>) -> Result<T> {
        let below = self.store.database();
        self.around(Access::Write, Box::pin(below.write(self.weakened(work))))
            .await
    }

    pub(crate) async fn read<T: Send + 'static>(&self, work: Work<T>) -> Result<T> {
        let below = self.store.database();
        self.around(Access::Read, Box::pin(below.read(self.weakened(work))))
            .await
    }

    fn weakened<T: Send + 'static>(&self, work: Work<T>) -> Work<T> {
        let Some(weakness) = self.weakness else {
            return work;
        };
        Box::new(move |inner| {
            Box::pin(async move {
                let mut connection = Weakened { inner, weakness };
                work(&mut connection).await
            })
        })
    }
}

/// A connection on which one safeguard does not hold.
struct Weakened<'c> {
    inner: &'c mut dyn Connection,
    weakness: Weakness,
}

impl Connection for Weakened<'_> {
    fn execute<'a>(&'a mut self, sql: &'a str, params: &'a [Value<'a>]) -> BoxFuture<'a, Result<u64>> {
        Box::pin(async move { self.inner.execute(&self.weakness.weaken(sql), params).await })
    }

    fn query<'a>(&'a mut self, sql: &'a str, params: &'a [Value<'a>]) -> BoxFuture<'a, Result<Vec<Row>>> {
        Box::pin(async move { self.inner.query(&self.weakness.weaken(sql), params).await })
    }
}
