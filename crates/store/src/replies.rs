//! Replies: accepted once per Idempotency-Key, and recorded as sent so that answers find them.
//!
//! Invariants: an accepted reply has its job in the same transaction; the sent copy has a receipt
//! in the transaction that ends the job, so that it is never taken for incoming mail.

use guichet_domain::{
    ConversationId, ImmutableId, JobId, MailboxId, MessageId,
    conversation::Direction,
    event::{EventKind, NewEvent},
    loop_guard::{Author, Verdict},
    trace::Step,
};
use jiff::Timestamp;

use crate::{
    Error, Result, Store,
    connection::{Connection, FromRow, Json, Row, params, query_one, record, records},
    conversations, counters, events,
    messages::{self, NewMessage},
    outbox, receipts,
    records::{AcceptedReply, Conversation, JobKind, MessageContent, NewReply, Party, SentReply, TraceStep},
    threads, trace,
};

/// Idempotency keys forgotten by one call.
const MAX_FORGOTTEN: i64 = 1000;

impl Store {
    /// Accepts a reply: message, job, event and idempotency key in one transaction.
    ///
    /// # Errors
    /// [`Error::Conflict`] if the id of the message or of the job is taken.
    pub async fn accept_reply(&self, reply: NewReply) -> Result<AcceptedReply> {
        self.write(move |c| Box::pin(async move { accept(c, &reply).await }))
            .await
    }

    /// Records that a reply is out and removes its job, in one transaction.
    ///
    /// # Errors
    /// [`Error::Fenced`] if the job has another owner by now or is gone; [`Error::Invalid`] if the job
    /// is about another message.
    pub async fn finish_reply(
        &self,
        job: JobId,
        epoch: i64,
        message: MessageId,
        sent: &SentReply,
        steps: Vec<TraceStep>,
        now: Timestamp,
    ) -> Result<()> {
        let sent = sent.clone();
        self.write(move |c| {
            Box::pin(async move {
                finish(c, job, epoch, message, &sent, now).await?;
                trace::add(c, &steps).await
            })
        })
        .await
    }

    /// Forgets idempotency keys that were used before `before`, at most 1000 at once, and returns how
    /// many. A key that is forgotten can be used again.
    ///
    /// # Errors
    /// Those of a write.
    pub async fn forget_idempotency_keys(&self, before: Timestamp) -> Result<u64> {
        self.write(move |c| Box::pin(async move { c.execute(FORGET_KEYS, params![before, MAX_FORGOTTEN]).await }))
            .await
    }
}

pub(crate) const FORGET_KEYS: &str = "DELETE FROM idempotency WHERE (client, key) IN \
    (SELECT client, key FROM idempotency WHERE created_at < $1 ORDER BY created_at LIMIT $2)";

/// Inbound mails of a conversation that are looked through for a person's.
const MAX_LOOKED_THROUGH: usize = 50;

/// The mail that a reply answers.
struct Answered {
    id: MessageId,
    immutable_id: ImmutableId,
    content: MessageContent,
    author: Option<Author>,
}

impl Answered {
    /// Whom the mailbox will address: Reply-To before From, as RFC 5322 3.6.2 and Exchange have it.
    fn addressees(&self) -> Vec<Party> {
        let content = &self.content;
        let first = if content.reply_to.is_empty() {
            &content.from
        } else {
            &content.reply_to
        };
        first.clone()
    }
}

impl FromRow for Answered {
    fn from_row(row: &mut Row) -> Result<Self> {
        Ok(Self {
            id: row.take()?,
            immutable_id: row.take()?,
            content: row.take::<Json<MessageContent>>()?.0,
            author: row.take::<Option<Json<Verdict>>>()?.map(|json| json.0.author),
        })
    }
}

async fn accept(c: &mut dyn Connection, reply: &NewReply) -> Result<AcceptedReply> {
    if let Some(earlier) = earlier(c, reply).await? {
        return Ok(earlier);
    }
    let Some(conversation) = conversations::get_locked(c, reply.conversation).await? else {
        return Ok(AcceptedReply::NothingToAnswer);
    };
    let Some(answered) = answered(c, reply).await? else {
        return Ok(AcceptedReply::NothingToAnswer);
    };
    let sql = "INSERT INTO idempotency (client, key, digest, message_id, created_at) VALUES ($1, $2, $3, $4, $5) \
        ON CONFLICT (client, key) DO NOTHING";
    let values = params![
        reply.client,
        reply.idempotency_key,
        reply.request_digest,
        reply.message,
        reply.now
    ];
    if c.execute(sql, values).await? == 0 {
        // Another writer was faster between our look and now.
        return earlier(c, reply).await?.ok_or(Error::Fenced);
    }
    store(c, reply, &conversation, &answered).await?;
    Ok(AcceptedReply::Accepted { message: reply.message })
}

/// The answer that an earlier request under the same key got.
async fn earlier(c: &mut dyn Connection, reply: &NewReply) -> Result<Option<AcceptedReply>> {
    let sql = "SELECT digest, message_id FROM idempotency WHERE client = $1 AND key = $2";
    let Some(mut row) = query_one(c, sql, params![reply.client, reply.idempotency_key]).await? else {
        return Ok(None);
    };
    let digest: String = row.take()?;
    Ok(Some(if digest == reply.request_digest {
        AcceptedReply::Repeated { message: row.take()? }
    } else {
        AcceptedReply::KeyReused
    }))
}

pub(crate) const NEWEST_INBOUND: &str = "SELECT id, immutable_id, content, verdict FROM message \
    WHERE conversation_id = $1 AND direction = 'inbound' AND immutable_id IS NOT NULL \
    ORDER BY received_at DESC, id DESC LIMIT $2";

/// The inbound message to answer: the one that was asked for, or a person's newest. A delivery report
/// or a vacation notice that came in between is not what an agent answers; where there is nothing else,
/// the newest it is.
async fn answered(c: &mut dyn Connection, reply: &NewReply) -> Result<Option<Answered>> {
    if let Some(id) = reply.answers {
        let sql = "SELECT id, immutable_id, content, verdict FROM message \
            WHERE id = $1 AND conversation_id = $2 AND direction = 'inbound' AND immutable_id IS NOT NULL";
        return record(query_one(c, sql, params![id, reply.conversation]).await?);
    }
    let limit = i64::try_from(MAX_LOOKED_THROUGH).unwrap_or(i64::MAX);
    let mut newest: Vec<Answered> = records(c.query(NEWEST_INBOUND, params![reply.conversation, limit]).await?)?;
    let chosen = newest
        .iter()
        .position(|mail| mail.author == Some(Author::Person))
        .unwrap_or(0);
    Ok((!newest.is_empty()).then(|| newest.swap_remove(chosen)))
}

async fn store(
    c: &mut dyn Connection,
    reply: &NewReply,
    conversation: &Conversation,
    answered: &Answered,
) -> Result<()> {
    // Recorded is whom the mailbox will address, not what the client supposed.
    let mut content = reply.content.clone();
    let addressees = answered.addressees();
    if !addressees.is_empty() {
        content.to = addressees;
    }
    let message = NewMessage {
        id: reply.message,
        conversation: conversation.id,
        mailbox: conversation.mailbox,
        direction: Direction::Outbound,
        state: "queued",
        immutable_id: None,
        internet_message_id: None,
        graph_conversation_id: None,
        content: &content,
        mime: None,
        size: 0,
        received_at: graph_precision(reply.now),
        sent_at: None,
        threading: None,
        verdict: None,
        answers: Some(answered.id),
        attachments: &reply.attachments,
    };
    messages::insert(c, &message).await?;
    conversations::touch(c, conversation.id, conversation.state.after_reply(), reply.now).await?;
    let job = outbox::NewJob {
        id: reply.job,
        mailbox: conversation.mailbox,
        kind: &JobKind::SendReply {
            message: reply.message,
            in_reply_to: answered.immutable_id.clone(),
        },
        now: reply.now,
        deadline: reply.deadline,
    };
    outbox::enqueue(c, &job).await?;
    let step = TraceStep {
        mailbox: conversation.mailbox,
        immutable_id: answered.immutable_id.clone(),
        at: reply.now,
        step: Step::ReplyAccepted,
        detail: format!("reply {} accepted from client {}", reply.message, reply.client),
    };
    trace::add(c, &[step]).await?;
    let event = NewEvent {
        kind: EventKind::ReplyAccepted,
        mailbox: conversation.mailbox,
        conversation: Some(conversation.id),
        message: Some(reply.message),
    };
    events::append(c, &[event], reply.now).await?;
    counters::add(c, counters::OUTBOUND, 1).await
}

async fn finish(
    c: &mut dyn Connection,
    job: JobId,
    epoch: i64,
    message: MessageId,
    sent: &SentReply,
    now: Timestamp,
) -> Result<()> {
    let removed = outbox::remove(c, job, epoch).await?;
    if removed.message != Some(message) {
        return Err(Error::Invalid(format!("job {job} is not about message {message}")));
    }
    let sql = "UPDATE message SET state = 'sent', state_reason = '', immutable_id = $1, internet_message_id = $2, \
        mime = $3, size = $4, sent_at = $5 WHERE id = $6 RETURNING conversation_id, mailbox_id";
    let values = params![
        sent.immutable_id,
        sent.internet_message_id,
        sent.mime,
        sent.size,
        sent.sent_at,
        message
    ];
    let mut row = query_one(c, sql, values)
        .await?
        .ok_or_else(|| Error::Invalid(format!("there is no message {message}")))?;
    let (conversation, mailbox): (ConversationId, MailboxId) = (row.take()?, row.take()?);
    if let Some(id) = &sent.internet_message_id {
        threads::remember(c, mailbox, id, conversation, sent.sent_at).await?;
    }
    let receipt = receipts::New {
        mailbox,
        immutable_id: &sent.immutable_id,
        internet_message_id: sent.internet_message_id.as_ref(),
        message: Some(message),
        quarantined: None,
        mime: sent.mime.as_ref(),
        size: sent.size,
        at: now,
    };
    let new = receipts::insert(c, &receipt).await?;
    let event = NewEvent {
        kind: EventKind::ReplySent,
        mailbox,
        conversation: Some(conversation),
        message: Some(message),
    };
    events::append(c, &[event], now).await?;
    counters::add(c, counters::RECEIPTS, i64::from(new)).await
}

/// Times of mails come from Graph in whole seconds. Ours are cut likewise, so that an answer which
/// arrives within the same second is ordered by its id, after what it answers.
fn graph_precision(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}
