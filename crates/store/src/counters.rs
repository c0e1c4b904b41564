//! Counts that are kept with the rows they count, so that asking for them never scans a table.
//!
//! Also the number of the last event: raising it locks its row until the commit, which is what makes
//! event numbers increase in commit order on every database.

use crate::{
    Error, Result, Store,
    connection::{Connection, params, query_one},
    dialect::LOCKED,
    records::Totals,
};

pub(crate) const CONVERSATIONS: &str = "conversations";
pub(crate) const EVENTS: &str = "events";
pub(crate) const INBOUND: &str = "messages_inbound";
pub(crate) const OUTBOUND: &str = "messages_outbound";
pub(crate) const PROBE: &str = "probe";
pub(crate) const QUARANTINED: &str = "quarantined";
pub(crate) const RECEIPTS: &str = "receipts";

impl Store {
    /// Counts for metrics and diagnosis.
    ///
    /// # Errors
    /// Those of a read.
    pub async fn totals(&self) -> Result<Totals> {
        self.read(|c| Box::pin(totals(c))).await
    }
}

/// Raises a count. Callers do this last and in alphabetical order, so that locks are short and never
/// cross.
pub(crate) async fn add(c: &mut dyn Connection, name: &str, by: i64) -> Result<()> {
    if by != 0 {
        let sql = "UPDATE counter SET value = value + $1 WHERE name = $2";
        c.execute(sql, params![by, name]).await?;
    }
    Ok(())
}

/// Raises a count and returns its new value.
pub(crate) async fn raise(c: &mut dyn Connection, name: &str, by: i64) -> Result<i64> {
    let sql = "UPDATE counter SET value = value + $1 WHERE name = $2 RETURNING value";
    let row = query_one(c, sql, params![by, name]).await?;
    row.ok_or_else(|| Error::Decode(format!("there is no counter `{name}`")))?
        .take()
}

/// Keeps others from a count until the transaction ends: for what has no row of its own to lock.
pub(crate) async fn lock(c: &mut dyn Connection, name: &str) -> Result<()> {
    let sql = format!("SELECT value FROM counter WHERE name = $1{LOCKED}");
    c.query(&sql, params![name]).await.map(drop)
}

/// The value of a count.
pub(crate) async fn value(c: &mut dyn Connection, name: &str) -> Result<i64> {
    let row = query_one(c, "SELECT value FROM counter WHERE name = $1", params![name]).await?;
    row.ok_or_else(|| Error::Decode(format!("there is no counter `{name}`")))?
        .take()
}

pub(crate) const COUNT_JOBS: &str = "SELECT count(*) FROM job WHERE state = $1";

async fn totals(c: &mut dyn Connection) -> Result<Totals> {
    let mut totals = Totals::default();
    for mut row in c.query("SELECT name, value FROM counter", &[]).await? {
        let name: String = row.take()?;
        let field = match name.as_str() {
            CONVERSATIONS => &mut totals.conversations,
            EVENTS => &mut totals.events,
            INBOUND => &mut totals.messages_inbound,
            OUTBOUND => &mut totals.messages_outbound,
            QUARANTINED => &mut totals.quarantined,
            RECEIPTS => &mut totals.receipts,
            _ => continue,
        };
        *field = row.take()?;
    }
    for (state, field) in [
        ("pending", &mut totals.outbox_pending),
        ("dead", &mut totals.outbox_dead),
    ] {
        // Counted by index: what waits in the outbox is little.
        let row = query_one(c, COUNT_JOBS, params![state]).await?;
        *field = row.map_or(Ok(0), |mut row| row.take())?;
    }
    Ok(totals)
}
