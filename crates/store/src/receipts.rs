//! Receipts: proof that a mail was dealt with once. The key is mailbox and immutable id.

use std::collections::HashSet;

use guichet_domain::{BlobId, ImmutableId, InternetMessageId, MailboxId, MessageId};
use jiff::Timestamp;

use crate::{
    Result, Store,
    connection::{Connection, FromRow, Row, ToValue, Value, params, records},
    dialect,
    facade::bounded,
    records::Receipt,
};

pub(crate) const RECEIPT: &str =
    "mailbox_id, immutable_id, internet_message_id, message_id, quarantined, mime, size, first_seen_at";
/// Ids in one `IN` list; longer lists are asked for in several queries.
pub(crate) const MAX_LIST: usize = 512;

impl Store {
    /// Which of these mails have a receipt already.
    ///
    /// # Errors
    /// Those of a read.
    pub async fn known_receipts(&self, mailbox: MailboxId, ids: &[ImmutableId]) -> Result<HashSet<ImmutableId>> {
        if ids.is_empty() {
            return Ok(HashSet::new());
        }
        let ids = ids.to_vec();
        self.read(move |c| Box::pin(async move { known(c, mailbox, &ids).await }))
            .await
    }

    /// Receipts in the order of (mailbox, immutable id), after the given one, at most `limit`
    /// (1 to 1000).
    ///
    /// # Errors
    /// Those of a read.
    pub async fn receipts(
        &self,
        mailbox: Option<MailboxId>,
        after: Option<(MailboxId, ImmutableId)>,
        limit: u32,
    ) -> Result<Vec<Receipt>> {
        self.read(move |c| Box::pin(async move { list(c, mailbox, after, limit).await }))
            .await
    }

    /// Mails in quarantine, oldest first, at most `limit` (1 to 1000).
    ///
    /// # Errors
    /// Those of a read.
    pub async fn quarantined(&self, limit: u32) -> Result<Vec<Receipt>> {
        self.read(move |c| {
            Box::pin(async move { records(c.query(&quarantined_sql(), params![bounded(limit)]).await?) })
        })
        .await
    }
}

/// A receipt to be written.
#[derive(Debug)]
pub(crate) struct New<'a> {
    pub(crate) mailbox: MailboxId,
    pub(crate) immutable_id: &'a ImmutableId,
    pub(crate) internet_message_id: Option<&'a InternetMessageId>,
    pub(crate) message: Option<MessageId>,
    pub(crate) quarantined: Option<&'a String>,
    pub(crate) mime: Option<&'a BlobId>,
    pub(crate) size: i64,
    pub(crate) at: Timestamp,
}

/// Writes a receipt; `false` if the mail has one.
pub(crate) async fn insert(c: &mut dyn Connection, receipt: &New<'_>) -> Result<bool> {
    let sql = format!(
        "INSERT INTO receipt ({RECEIPT}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
         ON CONFLICT (mailbox_id, immutable_id) DO NOTHING"
    );
    let values = params![
        receipt.mailbox,
        receipt.immutable_id,
        receipt.internet_message_id,
        receipt.message,
        receipt.quarantined,
        receipt.mime,
        receipt.size,
        receipt.at,
    ];
    Ok(c.execute(&sql, values).await? > 0)
}

pub(crate) fn known_sql(count: usize) -> String {
    let list = dialect::placeholders(2, count);
    format!("SELECT immutable_id FROM receipt WHERE mailbox_id = $1 AND immutable_id IN {list}")
}

async fn known(c: &mut dyn Connection, mailbox: MailboxId, ids: &[ImmutableId]) -> Result<HashSet<ImmutableId>> {
    let mut found = HashSet::new();
    for part in ids.chunks(MAX_LIST) {
        let values: Vec<Value<'_>> = std::iter::once(mailbox.to_value())
            .chain(dialect::padded(part).map(ToValue::to_value))
            .collect();
        for mut row in c.query(&known_sql(part.len()), &values).await? {
            found.insert(row.take()?);
        }
    }
    Ok(found)
}

pub(crate) fn list_sql(of_mailbox: bool) -> String {
    // Of one mailbox the range is on the second column alone: a row comparison would start over at
    // the first receipt of the mailbox for every page.
    let range = if of_mailbox {
        "mailbox_id = $1 AND immutable_id > $2"
    } else {
        "(mailbox_id, immutable_id) > ($1, $2)"
    };
    format!("SELECT {RECEIPT} FROM receipt WHERE {range} ORDER BY mailbox_id, immutable_id LIMIT $3")
}

async fn list(
    c: &mut dyn Connection,
    mailbox: Option<MailboxId>,
    after: Option<(MailboxId, ImmutableId)>,
    limit: u32,
) -> Result<Vec<Receipt>> {
    let limit = bounded(limit);
    let rows = match (mailbox, after) {
        (Some(only), Some((of, _))) if of > only => Vec::new(),
        (Some(only), after) => {
            // The empty text is before every id.
            let id = after.filter(|(of, _)| *of == only).map(|(_, id)| id);
            let id = id.as_ref().map_or("", ImmutableId::as_str);
            c.query(&list_sql(true), params![only, id, limit]).await?
        }
        (None, Some((of, id))) => c.query(&list_sql(false), params![of, id, limit]).await?,
        (None, None) => c.query(&list_sql(false), params!["", "", limit]).await?,
    };
    records(rows)
}

pub(crate) fn quarantined_sql() -> String {
    format!("SELECT {RECEIPT} FROM receipt WHERE quarantined IS NOT NULL ORDER BY first_seen_at LIMIT $1")
}

impl FromRow for Receipt {
    fn from_row(row: &mut Row) -> Result<Self> {
        Ok(Self {
            mailbox: row.take()?,
            immutable_id: row.take()?,
            internet_message_id: row.take()?,
            message: row.take()?,
            quarantined: row.take()?,
            mime: row.take()?,
            size: row.take()?,
            first_seen_at: row.take()?,
        })
    }
}
