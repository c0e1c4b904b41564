//! Mails that were set aside: looking at one, trying it again, leaving it at that.
//!
//! A mail in quarantine has a receipt with the reason and no message. Trying it again is a job of the outbox; its
//! success turns the receipt into that of a message in one transaction, so however often and by how many nodes it
//! is tried, the mail is taken in once.

use guichet_domain::{BlobId, ImmutableId, JobId, MailboxId, trace::Step};
use jiff::{SignedDuration, Timestamp};

use crate::{
    Result, Store,
    connection::{Connection, params, query_one, record},
    counters, ledger, outbox,
    receipts::RECEIPT,
    records::{IngestItem, Item, JobKind, Receipt, TraceStep},
    trace,
};

/// How long a mail is tried again where its bytes have to be fetched first.
const DEADLINE: SignedDuration = SignedDuration::from_hours(24);

impl Store {
    /// The receipt of a mail in quarantine; `None` if it is not, or no longer, in it.
    ///
    /// # Errors
    /// Those of a read.
    pub async fn quarantined_mail(&self, id: &ImmutableId) -> Result<Option<Receipt>> {
        let id = id.clone();
        self.read(move |c| Box::pin(async move { find(c, &id).await })).await
    }

    /// Asks for another try of a mail in quarantine, as the job `job`; `by` says who asked. `false` if the mail is
    /// not in quarantine.
    ///
    /// # Errors
    /// Those of a write.
    pub async fn ask_replay(&self, id: &ImmutableId, job: JobId, by: &str, now: Timestamp) -> Result<bool> {
        let (id, by) = (id.clone(), by.to_owned());
        self.write(move |c| {
            Box::pin(async move {
                let Some(receipt) = find(c, &id).await? else {
                    return Ok(false);
                };
                let kind = JobKind::Replay { immutable_id: id };
                let new = outbox::NewJob {
                    id: job,
                    mailbox: receipt.mailbox,
                    kind: &kind,
                    now,
                    deadline: now.saturating_add(DEADLINE).unwrap_or(Timestamp::MAX),
                };
                outbox::enqueue(c, &new).await?;
                let detail = format!("another try was asked for by {by}");
                trace::add(c, &[step(&receipt, Step::Replayed, detail, now)]).await?;
                Ok(true)
            })
        })
        .await
    }

    /// Ends a replay with what the mail was prepared to: a message, or once more a reason to stay in quarantine.
    /// A mail that is no longer in it stays as it is; `false` then.
    ///
    /// # Errors
    /// [`Error::Fenced`](crate::Error::Fenced) if the job has another owner by now.
    pub async fn finish_replay(
        &self,
        job: JobId,
        epoch: i64,
        mailbox: MailboxId,
        item: Item,
        now: Timestamp,
    ) -> Result<bool> {
        self.write(move |c| {
            Box::pin(async move {
                outbox::remove(c, job, epoch).await?;
                ledger::mailboxes_turn(c, mailbox).await?;
                match &item {
                    Item::Ingest(mail) => take_out(c, mailbox, mail, now).await,
                    Item::Quarantine {
                        immutable_id,
                        mime,
                        size,
                        reason,
                        steps,
                        ..
                    } => {
                        trace::add(c, steps).await?;
                        keep_in(c, mailbox, immutable_id, mime.as_ref(), *size, reason).await
                    }
                }
            })
        })
        .await
    }

    /// Takes a mail out of quarantine without taking it in. The receipt stays, so it does not come again. `false`
    /// if it is not in quarantine.
    ///
    /// # Errors
    /// Those of a write.
    pub async fn discard_quarantined(&self, id: &ImmutableId, by: &str, now: Timestamp) -> Result<bool> {
        let (id, by) = (id.clone(), by.to_owned());
        self.write(move |c| {
            Box::pin(async move {
                let Some(receipt) = find(c, &id).await? else {
                    return Ok(false);
                };
                let sql = "UPDATE receipt SET quarantined = NULL \
                    WHERE mailbox_id = $1 AND immutable_id = $2 AND quarantined IS NOT NULL";
                if c.execute(sql, params![receipt.mailbox, &id]).await? == 0 {
                    return Ok(false);
                }
                counters::add(c, counters::QUARANTINED, -1).await?;
                let reason = receipt.quarantined.as_deref().unwrap_or_default();
                let detail = format!("left out of the ledger by {by}; it was set aside because {reason}");
                trace::add(c, &[step(&receipt, Step::Discarded, detail, now)]).await?;
                Ok(true)
            })
        })
        .await
    }
}

pub(crate) fn find_sql() -> String {
    format!("SELECT {RECEIPT} FROM receipt WHERE quarantined IS NOT NULL AND immutable_id = $1 LIMIT 1")
}

async fn find(c: &mut dyn Connection, id: &ImmutableId) -> Result<Option<Receipt>> {
    let row = query_one(c, &find_sql(), params![id]).await?;
    record(row)
}

/// Makes the receipt that of a message, and takes the message in.
async fn take_out(c: &mut dyn Connection, mailbox: MailboxId, mail: &IngestItem, now: Timestamp) -> Result<bool> {
    let sql = "UPDATE receipt SET message_id = $1, quarantined = NULL, mime = $2, size = $3, \
        internet_message_id = $4 WHERE mailbox_id = $5 AND immutable_id = $6 AND quarantined IS NOT NULL";
    let message_id = mail.internet_message_id.as_ref();
    let values = params![
        mail.message,
        mail.mime,
        mail.size,
        message_id,
        mailbox,
        mail.immutable_id
    ];
    if c.execute(sql, values).await? == 0 {
        return Ok(false);
    }
    counters::add(c, counters::QUARANTINED, -1).await?;
    ledger::take_in(c, mailbox, mail, now).await?;
    Ok(true)
}

/// Writes down the new reason, and the bytes if there are any now.
async fn keep_in(
    c: &mut dyn Connection,
    mailbox: MailboxId,
    immutable_id: &ImmutableId,
    mime: Option<&BlobId>,
    size: i64,
    reason: &String,
) -> Result<bool> {
    let sql = "UPDATE receipt SET quarantined = $1, mime = COALESCE($2, mime), \
        size = CASE WHEN CAST($2 AS TEXT) IS NULL THEN size ELSE $3 END \
        WHERE mailbox_id = $4 AND immutable_id = $5 AND quarantined IS NOT NULL";
    Ok(c.execute(sql, params![reason, mime, size, mailbox, immutable_id])
        .await?
        > 0)
}

fn step(receipt: &Receipt, step: Step, detail: String, at: Timestamp) -> TraceStep {
    TraceStep {
        mailbox: receipt.mailbox,
        immutable_id: receipt.immutable_id.clone(),
        at,
        step,
        detail,
    }
}
