//! Messages of conversations and their attachments' descriptions. The bytes are in the blobs.

use std::collections::HashMap;

use guichet_domain::{
    AttachmentId, BlobId, ConversationId, ImmutableId, InternetMessageId, MailboxId, MessageId,
    conversation::Direction, loop_guard::Verdict, threading::Reason,
};
use jiff::Timestamp;

use crate::{
    Result, Store,
    connection::{Connection, FromRow, Json, Row, ToValue, Value, params, query_one, record, records},
    dialect,
    facade::bounded,
    receipts::MAX_LIST,
    records::{Message, MessageContent, NewAttachment},
};

const MESSAGE: &str = "id, conversation_id, mailbox_id, direction, state, state_reason, immutable_id, \
    internet_message_id, content, mime, size, received_at, sent_at, threading, verdict";
const ATTACHMENT: &str = "id, name, content_type, content_id, is_inline, size, blob";

impl Store {
    /// Messages of a conversation, oldest first, after the given one, at most `limit` (1 to 1000).
    ///
    /// # Errors
    /// Those of a read.
    pub async fn messages(
        &self,
        conversation: ConversationId,
        limit: u32,
        after: Option<MessageId>,
    ) -> Result<Vec<Message>> {
        self.read(move |c| Box::pin(list(c, conversation, limit, after))).await
    }

    /// A message with its attachments.
    ///
    /// # Errors
    /// Those of a read.
    pub async fn message(&self, id: MessageId) -> Result<Option<Message>> {
        self.read(move |c| Box::pin(get(c, id))).await
    }

    /// The message that a mail of this mailbox became; `None` if it is unknown or in quarantine.
    ///
    /// # Errors
    /// Those of a read.
    pub async fn message_by_immutable_id(&self, mailbox: MailboxId, id: &ImmutableId) -> Result<Option<Message>> {
        let id = id.clone();
        self.read(move |c| {
            Box::pin(async move {
                let sql = "SELECT message_id FROM receipt WHERE mailbox_id = $1 AND immutable_id = $2";
                let found: Option<Option<MessageId>> = match query_one(c, sql, params![mailbox, id]).await? {
                    Some(mut row) => Some(row.take()?),
                    None => None,
                };
                match found.flatten() {
                    Some(message) => get(c, message).await,
                    None => Ok(None),
                }
            })
        })
        .await
    }

    /// An attachment of a message.
    ///
    /// # Errors
    /// Those of a read.
    pub async fn attachment(&self, message: MessageId, attachment: AttachmentId) -> Result<Option<NewAttachment>> {
        self.read(move |c| {
            Box::pin(async move {
                let sql = format!("SELECT {ATTACHMENT} FROM attachment WHERE message_id = $1 AND id = $2 LIMIT 1");
                record(query_one(c, &sql, params![message, attachment]).await?)
            })
        })
        .await
    }
}

/// A message to be written.
#[derive(Debug)]
pub(crate) struct NewMessage<'a> {
    pub(crate) id: MessageId,
    pub(crate) conversation: ConversationId,
    pub(crate) mailbox: MailboxId,
    pub(crate) direction: Direction,
    pub(crate) state: &'a str,
    pub(crate) immutable_id: Option<&'a ImmutableId>,
    pub(crate) internet_message_id: Option<&'a InternetMessageId>,
    pub(crate) graph_conversation_id: Option<&'a str>,
    pub(crate) content: &'a MessageContent,
    pub(crate) mime: Option<&'a BlobId>,
    pub(crate) size: i64,
    pub(crate) received_at: Timestamp,
    pub(crate) sent_at: Option<Timestamp>,
    pub(crate) threading: Option<&'a Reason>,
    pub(crate) verdict: Option<&'a Verdict>,
    pub(crate) answers: Option<MessageId>,
    pub(crate) attachments: &'a [NewAttachment],
}

/// Writes a message and its attachments.
pub(crate) async fn insert(c: &mut dyn Connection, m: &NewMessage<'_>) -> Result<()> {
    let sql = format!(
        "INSERT INTO message ({MESSAGE}, graph_conversation_id, answers) \
         VALUES ($1, $2, $3, $4, $5, '', $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)"
    );
    let (content, threading, verdict) = (Json(m.content), m.threading.map(Json), m.verdict.map(Json));
    let values = params![
        m.id,
        m.conversation,
        m.mailbox,
        m.direction,
        m.state,
        m.immutable_id,
        m.internet_message_id,
        content,
        m.mime,
        m.size,
        m.received_at,
        m.sent_at,
        threading,
        verdict,
        m.graph_conversation_id,
        m.answers,
    ];
    c.execute(&sql, values).await?;
    let sql = format!(
        "INSERT INTO attachment (message_id, position, {ATTACHMENT}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
    );
    for (position, a) in (0i64..).zip(m.attachments) {
        let values = params![
            m.id,
            position,
            a.id,
            a.name,
            a.content_type,
            a.content_id,
            a.inline,
            a.size,
            a.blob
        ];
        c.execute(&sql, values).await?;
    }
    Ok(())
}

/// Gives an outbound message another state.
pub(crate) async fn set_state(c: &mut dyn Connection, id: MessageId, state: &str, reason: &str) -> Result<()> {
    let sql = "UPDATE message SET state = $1, state_reason = $2 WHERE id = $3";
    c.execute(sql, params![state, reason, id]).await.map(drop)
}

pub(crate) async fn get(c: &mut dyn Connection, id: MessageId) -> Result<Option<Message>> {
    let sql = format!("SELECT {MESSAGE} FROM message WHERE id = $1");
    let mut found = records(c.query(&sql, params![id]).await?)?;
    attach(c, &mut found).await?;
    Ok(found.pop())
}

pub(crate) fn list_sql() -> String {
    format!(
        "SELECT {MESSAGE} FROM message WHERE conversation_id = $1 AND (received_at, id) > ($2, $3) \
         ORDER BY received_at, id LIMIT $4"
    )
}

async fn list(
    c: &mut dyn Connection,
    conversation: ConversationId,
    limit: u32,
    after: Option<MessageId>,
) -> Result<Vec<Message>> {
    let (mut from, mut id) = (Timestamp::MIN, String::new());
    if let Some(after) = after {
        let sql = "SELECT received_at FROM message WHERE id = $1 AND conversation_id = $2";
        let Some(mut row) = query_one(c, sql, params![after, conversation]).await? else {
            return Ok(Vec::new());
        };
        (from, id) = (row.take()?, after.to_string());
    }
    let rows = c
        .query(&list_sql(), params![conversation, from, id, bounded(limit)])
        .await?;
    let mut found = records(rows)?;
    attach(c, &mut found).await?;
    Ok(found)
}

pub(crate) fn attachments_sql(count: usize) -> String {
    let list = dialect::placeholders(1, count);
    format!("SELECT message_id, {ATTACHMENT} FROM attachment WHERE message_id IN {list} ORDER BY message_id, position")
}

/// Reads the attachments of messages.
async fn attach(c: &mut dyn Connection, messages: &mut [Message]) -> Result<()> {
    for part in messages.chunks_mut(MAX_LIST) {
        let ids: Vec<MessageId> = part.iter().map(|m| m.id).collect();
        let values: Vec<Value<'_>> = dialect::padded(&ids).map(ToValue::to_value).collect();
        let mut found: HashMap<MessageId, Vec<NewAttachment>> = HashMap::new();
        for mut row in c.query(&attachments_sql(ids.len()), &values).await? {
            let message = row.take()?;
            let attachment = NewAttachment::from_row(&mut row)?;
            found.entry(message).or_default().push(attachment);
        }
        for message in part {
            message.attachments = found.remove(&message.id).unwrap_or_default();
        }
    }
    Ok(())
}

impl FromRow for Message {
    fn from_row(row: &mut Row) -> Result<Self> {
        Ok(Self {
            id: row.take()?,
            conversation: row.take()?,
            mailbox: row.take()?,
            direction: row.take()?,
            state: row.take()?,
            state_reason: row.take()?,
            immutable_id: row.take()?,
            internet_message_id: row.take()?,
            content: row.take::<Json<MessageContent>>()?.0,
            mime: row.take()?,
            size: row.take()?,
            received_at: row.take()?,
            sent_at: row.take()?,
            threading: row.take::<Option<Json<Reason>>>()?.map(|json| json.0),
            verdict: row.take::<Option<Json<Verdict>>>()?.map(|json| json.0),
            attachments: Vec::new(),
        })
    }
}

impl FromRow for NewAttachment {
    fn from_row(row: &mut Row) -> Result<Self> {
        Ok(Self {
            id: row.take()?,
            name: row.take()?,
            content_type: row.take()?,
            content_id: row.take()?,
            inline: row.take()?,
            size: row.take()?,
            blob: row.take()?,
        })
    }
}
