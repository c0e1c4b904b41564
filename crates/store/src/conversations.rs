//! Conversations: opened and joined by mail, listed for people, changed by hand.
//!
//! Never decides where a mail belongs; that comes from the caller.

use std::cmp::Reverse;

use guichet_domain::{
    ConversationId, MailboxId,
    conversation::ConversationState,
    event::{EventKind, NewEvent},
};
use jiff::Timestamp;

use crate::{
    Result, Store,
    connection::{Connection, FromRow, Row, ToValue, Value, params, query_one, record, records},
    dialect::LOCKED,
    events,
    records::{Conversation, ConversationFilter, IngestItem, Party},
};

const CONVERSATION: &str = "id, mailbox_id, subject, state, queue, route, priority, threading_window_days, \
    contact_name, contact_address, continues, message_count, opened_at, last_activity_at, closed_at";
/// Conversations of one list.
const MAX_LISTED: u32 = 200;
const STATES: [ConversationState; 4] = [
    ConversationState::Open,
    ConversationState::Assigned,
    ConversationState::Waiting,
    ConversationState::Closed,
];

impl Store {
    /// Conversations by last activity, newest first.
    ///
    /// # Errors
    /// Those of a read.
    pub async fn conversations(&self, filter: &ConversationFilter) -> Result<Vec<Conversation>> {
        let filter = filter.clone();
        self.read(move |c| Box::pin(async move { list(c, &filter).await }))
            .await
    }

    /// A conversation.
    ///
    /// # Errors
    /// Those of a read.
    pub async fn conversation(&self, id: ConversationId) -> Result<Option<Conversation>> {
        self.read(move |c| Box::pin(get(c, id))).await
    }

    /// Changes the state by hand and tells the event stream. `None` if there is no such conversation.
    /// Setting the state it has changes nothing and tells nobody.
    ///
    /// # Errors
    /// Those of a write.
    pub async fn set_conversation_state(
        &self,
        id: ConversationId,
        state: ConversationState,
        now: Timestamp,
    ) -> Result<Option<Conversation>> {
        self.write(move |c| Box::pin(set_state(c, id, state, now))).await
    }
}

/// What joining did to a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Joined {
    /// It was being worked on.
    Continued,
    /// It was closed or waited for the customer.
    Reopened,
}

/// Opens the conversation of a mail that belongs to no other.
pub(crate) async fn open(
    c: &mut dyn Connection,
    mailbox: MailboxId,
    item: &IngestItem,
    continues: Option<ConversationId>,
) -> Result<()> {
    let content = &item.content;
    let nobody = Party::default();
    let contact = content.reply_to.first().or(content.from.first()).unwrap_or(&nobody);
    let sql = format!(
        "INSERT INTO conversation ({CONVERSATION}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 1, $12, $12, NULL)"
    );
    let values = params![
        item.new_conversation,
        mailbox,
        content.subject,
        ConversationState::Open,
        item.route.queue,
        item.route.route,
        item.route.priority,
        item.route.threading_window_days,
        contact.name,
        contact.address,
        continues,
        item.received_at,
    ];
    c.execute(&sql, values).await.map(drop)
}

/// Counts a customer's mail into a conversation and gives it the state that follows.
pub(crate) async fn join(c: &mut dyn Connection, id: ConversationId, at: Timestamp) -> Result<Joined> {
    let sql = format!("SELECT state FROM conversation WHERE id = $1{LOCKED}");
    let row = query_one(c, &sql, params![id]).await?;
    let before: ConversationState = row.map_or(Ok(ConversationState::Open), |mut row| row.take())?;
    let after = before.after_inbound();
    touch(c, id, after, at).await?;
    let reopened = after == ConversationState::Open && before != ConversationState::Open;
    Ok(if reopened { Joined::Reopened } else { Joined::Continued })
}

/// Adds a message to the count and sets the state. A state other than closed ends a close.
pub(crate) async fn touch(
    c: &mut dyn Connection,
    id: ConversationId,
    state: ConversationState,
    at: Timestamp,
) -> Result<()> {
    let sql = "UPDATE conversation SET state = $1, message_count = message_count + 1, \
        last_activity_at = CASE WHEN last_activity_at < $2 THEN $2 ELSE last_activity_at END, \
        closed_at = CASE WHEN $1 = 'closed' THEN closed_at ELSE NULL END WHERE id = $3";
    c.execute(sql, params![state, at, id]).await.map(drop)
}

pub(crate) async fn get(c: &mut dyn Connection, id: ConversationId) -> Result<Option<Conversation>> {
    let sql = format!("SELECT {CONVERSATION} FROM conversation WHERE id = $1");
    record(query_one(c, &sql, params![id]).await?)
}

/// The conversation, which nobody else changes until the transaction ends.
pub(crate) async fn get_locked(c: &mut dyn Connection, id: ConversationId) -> Result<Option<Conversation>> {
    let sql = format!("SELECT {CONVERSATION} FROM conversation WHERE id = $1{LOCKED}");
    record(query_one(c, &sql, params![id]).await?)
}

async fn set_state(
    c: &mut dyn Connection,
    id: ConversationId,
    state: ConversationState,
    now: Timestamp,
) -> Result<Option<Conversation>> {
    let Some(before) = get_locked(c, id).await? else {
        return Ok(None);
    };
    if before.state == state {
        return Ok(Some(before));
    }
    let closed_at = (state == ConversationState::Closed).then_some(now);
    let sql = format!("UPDATE conversation SET state = $1, closed_at = $2 WHERE id = $3 RETURNING {CONVERSATION}");
    let after: Option<Conversation> = record(query_one(c, &sql, params![state, closed_at, id]).await?)?;
    let event = NewEvent {
        kind: EventKind::ConversationChanged,
        mailbox: before.mailbox,
        conversation: Some(id),
        message: None,
    };
    events::append(c, &[event], now).await?;
    Ok(after)
}

/// The query for one state. Its parameters are state, limit, then what the filter names, in order.
pub(crate) fn list_sql(filter: &ConversationFilter) -> String {
    let mut sql = format!("SELECT {CONVERSATION} FROM conversation WHERE state = $1");
    let mut next = 3;
    let mut condition = |given: bool, text: &str, width: usize| {
        if given {
            let names: Vec<String> = (next..next + width).map(|n| format!("${n}")).collect();
            sql.push_str(&format!(" AND {text} ({})", names.join(", ")));
            next += width;
        }
    };
    condition(filter.queue.is_some(), "queue =", 1);
    condition(filter.mailbox.is_some(), "mailbox_id =", 1);
    condition(filter.after.is_some(), "(last_activity_at, id) <", 2);
    sql.push_str(" ORDER BY last_activity_at DESC, id DESC LIMIT $2");
    sql
}

async fn list(c: &mut dyn Connection, filter: &ConversationFilter) -> Result<Vec<Conversation>> {
    let limit = filter.limit.clamp(1, MAX_LISTED);
    let sql = list_sql(filter);
    let states: &[ConversationState] = filter.state.as_ref().map_or(&STATES, std::slice::from_ref);
    let mut found: Vec<Conversation> = Vec::new();
    for state in states {
        let mut values: Vec<Value<'_>> = vec![state.to_value(), limit.to_value()];
        values.extend(filter.queue.iter().map(ToValue::to_value));
        values.extend(filter.mailbox.iter().map(ToValue::to_value));
        if let Some((at, id)) = &filter.after {
            values.extend([at.to_value(), id.to_value()]);
        }
        found.extend(records::<Conversation>(c.query(&sql, &values).await?)?);
    }
    found.sort_by_key(|c| Reverse((c.last_activity_at, c.id)));
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(found)
}

impl FromRow for Conversation {
    fn from_row(row: &mut Row) -> Result<Self> {
        Ok(Self {
            id: row.take()?,
            mailbox: row.take()?,
            subject: row.take()?,
            state: row.take()?,
            queue: row.take()?,
            route: row.take()?,
            priority: row.take()?,
            threading_window_days: row.take()?,
            contact: Party {
                name: row.take()?,
                address: row.take()?,
            },
            continues: row.take()?,
            message_count: row.take()?,
            opened_at: row.take()?,
            last_activity_at: row.take()?,
            closed_at: row.take()?,
        })
    }
}
