//! Candidates for threading: which conversations a mail's Message-IDs and tokens point to.
//!
//! Looks only; [`guichet_domain::threading`] decides. Every lookup stays inside one mailbox, so no
//! Message-ID can pull a mail into somebody else's conversation.

use guichet_domain::{
    ConversationId, InternetMessageId, MailboxId,
    threading::{Candidate, Decision, Evidence, Rule, decide},
};
use jiff::{SignedDuration, Timestamp};

use crate::{
    Result,
    connection::{Connection, Row, ToValue, Value, params},
    dialect,
};

/// Conversations that are remembered for one Message-ID. An id in more of them is evidence for none.
pub(crate) const MAX_SHARED: i64 = 8;
/// Tokens of one mail that are looked up.
const MAX_TOKENS: usize = 16;

/// A candidate with the threading window of its conversation.
#[derive(Debug)]
pub(crate) struct Found {
    candidate: Candidate,
    window: SignedDuration,
}

const COLUMNS: &str = "c.id, c.state, c.last_activity_at, c.closed_at, c.threading_window_days";

pub(crate) fn by_message_id_sql(count: usize) -> String {
    let list = dialect::placeholders(2, count);
    format!(
        "SELECT r.internet_message_id, {COLUMNS} \
         FROM message_ref r JOIN conversation c ON c.id = r.conversation_id \
         WHERE r.mailbox_id = $1 AND r.internet_message_id IN {list} ORDER BY r.seen_at DESC, r.conversation_id DESC"
    )
}

pub(crate) fn by_token_sql(count: usize) -> String {
    let list = dialect::placeholders(2, count);
    format!("SELECT {COLUMNS} FROM conversation c WHERE c.mailbox_id = $1 AND c.id IN {list}")
}

/// The conversations that the evidence points to, nearest ancestor first, then those of tokens in
/// their order. Of several conversations with one Message-ID the one that saw it last comes first.
pub(crate) async fn candidates(c: &mut dyn Connection, mailbox: MailboxId, evidence: &Evidence) -> Result<Vec<Found>> {
    let mut found = Vec::new();
    let ancestors = evidence.ancestors();
    if !ancestors.is_empty() {
        let mut hits: Vec<(InternetMessageId, Found)> = Vec::new();
        let values = listed(&mailbox, &ancestors);
        for mut row in c.query(&by_message_id_sql(ancestors.len()), &values).await? {
            let id: InternetMessageId = row.take()?;
            let rule = if evidence.in_reply_to.contains(&id) {
                Rule::InReplyTo
            } else {
                Rule::References
            };
            let hit = read(&mut row, rule, Some(&id))?;
            hits.push((id, hit));
        }
        // Stable: within one ancestor the order of the query stays.
        hits.sort_by_key(|(id, _)| ancestors.iter().position(|a| a == id));
        found.extend(hits.into_iter().map(|(_, hit)| hit));
    }
    let tokens: Vec<ConversationId> = evidence.tokens.iter().copied().take(MAX_TOKENS).collect();
    if !tokens.is_empty() {
        let mut hits = Vec::new();
        let values = listed(&mailbox, &tokens);
        for mut row in c.query(&by_token_sql(tokens.len()), &values).await? {
            hits.push(read(&mut row, Rule::Token, None)?);
        }
        hits.sort_by_key(|hit| tokens.iter().position(|t| *t == hit.candidate.conversation));
        found.extend(hits);
    }
    Ok(found)
}

fn listed<'a, T: ToValue>(mailbox: &'a MailboxId, list: &'a [T]) -> Vec<Value<'a>> {
    std::iter::once(mailbox.to_value())
        .chain(dialect::padded(list).map(ToValue::to_value))
        .collect()
}

fn read(row: &mut Row, rule: Rule, id: Option<&InternetMessageId>) -> Result<Found> {
    let conversation: ConversationId = row.take()?;
    let candidate = Candidate {
        conversation,
        rule,
        evidence: id.map_or_else(|| format!("token of {conversation}"), InternetMessageId::bracketed),
        state: row.take()?,
        last_activity_at: row.take()?,
        closed_at: row.take()?,
    };
    let days: u16 = row.take()?;
    Ok(Found {
        candidate,
        window: SignedDuration::from_hours(24 * i64::from(days)),
    })
}

/// Decides among candidates, each with the window of its own conversation.
pub(crate) fn choose(found: &[Found], received_at: Timestamp) -> Decision {
    let mut ordered: Vec<&Found> = found.iter().collect();
    ordered.sort_by_key(|f| f.candidate.rule);
    let alone = |f: &&Found| decide(std::slice::from_ref(&f.candidate), received_at, f.window);
    let mut decisions = ordered.iter().map(alone);
    let first = decisions.next();
    let joins = |d: &Decision| matches!(d, Decision::Join(..));
    match first {
        Some(first) if joins(&first) => first,
        // Nothing takes the mail: it continues the strongest candidate.
        Some(first) => decisions.find(joins).unwrap_or(first),
        None => decide(&[], received_at, SignedDuration::ZERO),
    }
}

pub(crate) const REMEMBER: &str = "INSERT INTO message_ref (mailbox_id, internet_message_id, conversation_id, seen_at) \
    SELECT $1, $2, $3, CAST($4 AS BIGINT) WHERE (SELECT count(*) FROM message_ref \
    WHERE mailbox_id = $1 AND internet_message_id = $2) < CAST($5 AS BIGINT) \
    ON CONFLICT (mailbox_id, internet_message_id, conversation_id) DO UPDATE SET seen_at = excluded.seen_at";

/// Notes that a message with this id stands in the conversation, so that answers to it find it.
pub(crate) async fn remember(
    c: &mut dyn Connection,
    mailbox: MailboxId,
    id: &InternetMessageId,
    conversation: ConversationId,
    at: Timestamp,
) -> Result<()> {
    c.execute(REMEMBER, params![mailbox, id, conversation, at, MAX_SHARED])
        .await
        .map(drop)
}
