//! Events in one total order: the numbers follow the commits.

use guichet_domain::event::NewEvent;
use jiff::Timestamp;

use crate::{
    Result, Store,
    connection::{Connection, FromRow, Row, params, records},
    counters,
    facade::bounded,
    records::Event,
};

impl Store {
    /// Events with a greater number than `seq`, oldest first, at most `limit` (1 to 1000).
    ///
    /// # Errors
    /// Those of a read.
    pub async fn events_after(&self, seq: i64, limit: u32) -> Result<Vec<Event>> {
        self.read(move |c| Box::pin(after(c, seq, limit))).await
    }

    /// The number of the last event; 0 if there is none.
    ///
    /// # Errors
    /// Those of a read.
    pub async fn last_event(&self) -> Result<i64> {
        self.read(|c| Box::pin(last(c))).await
    }
}

/// The number of the last event.
pub(crate) async fn last(c: &mut dyn Connection) -> Result<i64> {
    counters::value(c, counters::EVENTS).await
}

/// Appends events. Called once in a transaction and late, because it makes other writers of events
/// wait until the commit.
pub(crate) async fn append(c: &mut dyn Connection, events: &[NewEvent], at: Timestamp) -> Result<()> {
    if events.is_empty() {
        return Ok(());
    }
    let count = i64::try_from(events.len()).unwrap_or(i64::MAX);
    let last = counters::raise(c, counters::EVENTS, count).await?;
    for (seq, event) in (last - count + 1..).zip(events) {
        c.execute(
            "INSERT INTO event (seq, at, kind, mailbox_id, conversation_id, message_id) VALUES ($1, $2, $3, $4, $5, $6)",
            params![seq, at, event.kind, event.mailbox, event.conversation, event.message],
        )
        .await?;
    }
    Ok(())
}

pub(crate) const AFTER: &str = "SELECT seq, at, kind, mailbox_id, conversation_id, message_id FROM event \
    WHERE seq > $1 ORDER BY seq LIMIT $2";

async fn after(c: &mut dyn Connection, seq: i64, limit: u32) -> Result<Vec<Event>> {
    records(c.query(AFTER, params![seq, bounded(limit)]).await?)
}

impl FromRow for Event {
    fn from_row(row: &mut Row) -> Result<Self> {
        Ok(Self {
            seq: row.take()?,
            at: row.take()?,
            kind: row.take()?,
            mailbox: row.take()?,
            conversation: row.take()?,
            message: row.take()?,
        })
    }
}
