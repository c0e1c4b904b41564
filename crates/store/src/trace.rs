//! The trace: every step of a mail's way, with times and reasons.
//!
//! Never holds mail content. Steps that repeat without end are bounded, the others are kept.

use guichet_domain::{ConversationId, EmailAddress, ImmutableId, InternetMessageId, MailboxId, MessageId, trace::Step};

use crate::{
    Result, Store,
    connection::{Connection, FromRow, Row, params, query_one, record, records},
    receipts::RECEIPT,
    records::{Receipt, Trace, TraceStep},
};

/// Mails of one answer: several may share a Message-ID.
const MAX_MAILS: usize = 50;
/// Steps of one kind that are kept for one mail, where a kind can repeat for as long as the mail exists.
const MAX_REPEATED: i64 = 200;
/// Steps that are shown of one mail; more than the bound above leaves room for.
const MAX_STEPS: i64 = 2000;

impl Store {
    /// Records steps that belong to no page, best effort: no lease is asked for.
    ///
    /// # Errors
    /// Those of a write.
    pub async fn add_steps(&self, steps: Vec<TraceStep>) -> Result<()> {
        if steps.is_empty() {
            return Ok(());
        }
        self.write(move |c| Box::pin(async move { add(c, &steps).await })).await
    }

    /// The mails that `query` means, with all their steps: a message id of ours, an immutable id, or an
    /// Internet Message-ID with or without angle brackets. For a reply of ours: the mail it answers,
    /// and the sent copy once it is known. At most 50 mails.
    ///
    /// # Errors
    /// Those of a read.
    pub async fn trace(&self, query: &str) -> Result<Vec<Trace>> {
        let query = query.trim().to_owned();
        self.read(move |c| Box::pin(async move { find(c, &query).await })).await
    }
}

const COLUMNS: &str = "mailbox_id, immutable_id, at, step, detail";

pub(crate) const ADD: &str =
    "INSERT INTO trace_step (mailbox_id, immutable_id, at, step, detail) VALUES ($1, $2, $3, $4, $5)";
pub(crate) const ADD_REPEATED: &str = "INSERT INTO trace_step (mailbox_id, immutable_id, at, step, detail) \
    SELECT $1, $2, CAST($3 AS BIGINT), $4, $5 WHERE (SELECT count(*) FROM trace_step \
    WHERE mailbox_id = $1 AND immutable_id = $2 AND step = $4) < CAST($6 AS BIGINT)";

/// Writes steps in their order.
pub(crate) async fn add(c: &mut dyn Connection, steps: &[TraceStep]) -> Result<()> {
    for s in steps {
        if matches!(s.step, Step::SeenAgain | Step::AttemptFailed | Step::Gone) {
            let values = params![s.mailbox, s.immutable_id, s.at, s.step, s.detail, MAX_REPEATED];
            c.execute(ADD_REPEATED, values).await?;
        } else {
            c.execute(ADD, params![s.mailbox, s.immutable_id, s.at, s.step, s.detail])
                .await?;
        }
    }
    Ok(())
}

type Key = (MailboxId, ImmutableId);

async fn find(c: &mut dyn Connection, query: &str) -> Result<Vec<Trace>> {
    let mut keys: Vec<Key> = Vec::new();
    if let Ok(id) = query.parse::<MessageId>() {
        keys.extend(of_message(c, id).await?);
    }
    if keys.is_empty() && !query.is_empty() {
        keys.extend(of_immutable_id(c, &ImmutableId::new(query)).await?);
    }
    if keys.is_empty()
        && let Some(id) = InternetMessageId::parse(query)
    {
        keys.extend(of_internet_message_id(c, &id).await?);
    }
    let mut traces = Vec::new();
    for key in keys.into_iter().take(MAX_MAILS) {
        traces.extend(read(c, &key).await?);
    }
    Ok(traces)
}

fn key(mut row: Row) -> Result<Key> {
    Ok((row.take()?, row.take()?))
}

async fn of_message(c: &mut dyn Connection, id: MessageId) -> Result<Vec<Key>> {
    let sql = "SELECT mailbox_id, immutable_id, answers FROM message WHERE id = $1";
    let mut keys = Vec::new();
    let mut next = Some(id);
    // The message itself, then the mail it answers.
    while let Some(mut row) = match next.take() {
        Some(id) if keys.len() < 2 => query_one(c, sql, params![id]).await?,
        _ => None,
    } {
        let mailbox = row.take()?;
        if let Some(immutable_id) = row.take()? {
            keys.push((mailbox, immutable_id));
        }
        next = row.take()?;
    }
    keys.reverse();
    Ok(keys)
}

/// One probe for each mailbox: there are few mailboxes, and an index for this alone would cost each mail.
pub(crate) const OF_IMMUTABLE_ID: &str = "SELECT m.id, $1 FROM mailbox m WHERE EXISTS (SELECT 1 FROM trace_step t \
    WHERE t.mailbox_id = m.id AND t.immutable_id = $1) OR EXISTS (SELECT 1 FROM receipt r \
    WHERE r.mailbox_id = m.id AND r.immutable_id = $1) LIMIT 50";

async fn of_immutable_id(c: &mut dyn Connection, id: &ImmutableId) -> Result<Vec<Key>> {
    c.query(OF_IMMUTABLE_ID, params![id])
        .await?
        .into_iter()
        .map(key)
        .collect()
}

pub(crate) const OF_INTERNET_MESSAGE_ID: &str = "SELECT mailbox_id, immutable_id FROM receipt \
    WHERE internet_message_id = $1 ORDER BY first_seen_at LIMIT 50";

async fn of_internet_message_id(c: &mut dyn Connection, id: &InternetMessageId) -> Result<Vec<Key>> {
    let rows = c.query(OF_INTERNET_MESSAGE_ID, params![id]).await?;
    rows.into_iter().map(key).collect()
}

pub(crate) fn steps_sql() -> String {
    format!("SELECT {COLUMNS} FROM trace_step WHERE mailbox_id = $1 AND immutable_id = $2 ORDER BY ordinal LIMIT $3")
}

async fn read(c: &mut dyn Connection, (mailbox, immutable_id): &Key) -> Result<Option<Trace>> {
    let sql = "SELECT address FROM mailbox WHERE id = $1";
    let Some(mut row) = query_one(c, sql, params![mailbox]).await? else {
        return Ok(None);
    };
    let mailbox_address: EmailAddress = row.take()?;
    let values = params![mailbox, immutable_id, MAX_STEPS];
    let mut steps: Vec<TraceStep> = records(c.query(&steps_sql(), values).await?)?;
    // Stable: steps of one instant stay in the order in which they were written.
    steps.sort_by_key(|s| s.at);
    let sql = format!("SELECT {RECEIPT} FROM receipt WHERE mailbox_id = $1 AND immutable_id = $2");
    let receipt: Option<Receipt> = record(query_one(c, &sql, params![mailbox, immutable_id]).await?)?;
    // A mail that was gone before it could be fetched has steps and no receipt.
    let receipt = receipt.or_else(|| {
        steps.first().map(|first| Receipt {
            mailbox: *mailbox,
            immutable_id: immutable_id.clone(),
            internet_message_id: None,
            message: None,
            quarantined: None,
            mime: None,
            size: 0,
            first_seen_at: first.at,
        })
    });
    let Some(receipt) = receipt else {
        return Ok(None);
    };
    let conversation = match receipt.message {
        Some(message) => conversation_of(c, message).await?,
        None => None,
    };
    Ok(Some(Trace {
        receipt,
        mailbox_address,
        conversation,
        steps,
    }))
}

async fn conversation_of(c: &mut dyn Connection, message: MessageId) -> Result<Option<ConversationId>> {
    let sql = "SELECT conversation_id FROM message WHERE id = $1";
    let row = query_one(c, sql, params![message]).await?;
    row.map(|mut row| row.take()).transpose()
}

impl FromRow for TraceStep {
    fn from_row(row: &mut Row) -> Result<Self> {
        Ok(Self {
            mailbox: row.take()?,
            immutable_id: row.take()?,
            at: row.take()?,
            step: row.take()?,
            detail: row.take()?,
        })
    }
}
