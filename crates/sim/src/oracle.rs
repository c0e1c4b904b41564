//! What must be true, whatever happened.
//!
//! Owns the judgement and none of what it judges: it reads the tenant and the database, through no node and no fault,
//! and changes neither. Invariant: it never passes over something that is there; a mail or reply that it does not
//! expect is a violation like one that it misses.

use std::collections::{BTreeMap, BTreeSet};

use guichet_domain::{
    ConversationId, ImmutableId, MessageId, conversation::Direction, event::EventKind, loop_guard::OWN_HEADER,
    round::Cursor,
};
use guichet_graph::{DeltaFrom, DeltaItem, DeltaNext, GraphClient};
use guichet_store::{
    Store,
    records::{ConversationFilter, Mailbox, Message, Receipt},
};

use crate::{
    people::{Accepted, Thread, World},
    tenant::{Asked, Letter},
};

/// Rows read at a time.
const ROWS: u32 = 1000;
/// Pages of one walk: more than any simulation fills.
const MAX_PAGES: u32 = 100;

/// Reads and judges.
#[derive(Debug)]
pub struct Oracle<'a> {
    pub world: &'a World,
    pub mailboxes: &'a [Mailbox],
    pub observer: &'a GraphClient,
}

impl Oracle<'_> {
    fn store(&self) -> &Store {
        &self.world.store
    }

    /// What is wrong at any moment: a cursor stands behind a mail without a receipt.
    pub async fn at_any_moment(&self) -> Asked<Vec<String>> {
        let mut wrong = Vec::new();
        for mailbox in self.mailboxes {
            for folder in self.store().folders_of(mailbox.id).await? {
                let (Cursor::Next(link) | Cursor::Delta(link)) = &folder.cursor else {
                    continue;
                };
                let lying = self.world.tenant.messages(mailbox.address.as_str()).await?;
                let Some(ahead) = self.ahead(mailbox, folder.graph_folder_id.as_str(), link).await else {
                    continue;
                };
                let inbox = lying.iter().filter(|mail| mail.folder == "Inbox");
                let passed: Vec<ImmutableId> = inbox
                    .filter(|mail| !ahead.contains(&mail.immutable_id))
                    .map(|mail| ImmutableId::new(mail.immutable_id.clone()))
                    .collect();
                let known = self.store().known_receipts(mailbox.id, &passed).await?;
                wrong.extend(passed.iter().filter(|id| !known.contains(*id)).map(|id| {
                    format!(
                        "{}: the cursor has passed mail {id}, which has no receipt",
                        mailbox.address
                    )
                }));
            }
        }
        Ok(wrong)
    }

    /// The mails that a walk from this link on would list; nothing where the link is refused.
    async fn ahead(&self, mailbox: &Mailbox, folder: &str, link: &str) -> Option<BTreeSet<String>> {
        let mut link = link.to_owned();
        let mut ahead = BTreeSet::new();
        for _ in 0..MAX_PAGES {
            let from = DeltaFrom::Link {
                link: &link,
                page_size: 50,
            };
            let page = self.observer.delta(&mailbox.graph_user_id, folder, from).await.ok()?;
            ahead.extend(page.items.into_iter().filter_map(|item| match item {
                DeltaItem::Upsert(summary) => Some(summary.id),
                DeltaItem::Removed { .. } => None,
            }));
            match page.next {
                DeltaNext::More(next) => link = next,
                DeltaNext::Done(_) => return Some(ahead),
            }
        }
        None
    }

    /// What is not finished yet.
    pub async fn unfinished(&self) -> Asked<Vec<String>> {
        let mut open = Vec::new();
        if let Some(at) = self.store().next_job_due().await? {
            open.push(format!("a job waits in the outbox until {at}"));
        }
        for mailbox in self.mailboxes {
            for folder in self.store().folders_of(mailbox.id).await? {
                if !matches!(folder.cursor, Cursor::Delta(_)) {
                    open.push(format!("{}: the walk is not at its end", mailbox.address));
                }
            }
            let lying = self.world.tenant.messages(mailbox.address.as_str()).await?;
            for mail in lying.iter().filter(|mail| mail.folder == "Inbox" && !mail.is_read) {
                open.push(format!("{}: {} is not marked read", mailbox.address, mail.immutable_id));
            }
        }
        for accepted in self.world.threads.iter().flat_map(|thread| thread.accepted()) {
            let message = self.store().message(accepted.message).await?;
            let state = message.map_or_else(|| "missing".to_owned(), |message| message.state);
            if state != "sent" {
                open.push(format!("reply {} is {state}", accepted.message));
            }
        }
        let known = self.store().subscriptions().await?;
        let mut known: Vec<String> = known.into_iter().map(|one| one.id.to_string()).collect();
        let mut standing = self.world.tenant.subscriptions().await?;
        known.sort();
        standing.sort();
        let folders = self.store().folders().await?.len();
        if known != standing || known.len() != folders {
            open.push(format!(
                "{folders} folders have the subscriptions {known:?}, and {standing:?} stand"
            ));
        }
        Ok(open)
    }

    /// What is wrong at the end.
    pub async fn at_the_end(&self) -> Asked<Vec<String>> {
        let mut wrong = self.at_any_moment().await?;
        for dead in self.store().dead_jobs(ROWS).await? {
            wrong.push(format!("job {} was given up: {}", dead.id, dead.reason));
        }
        let messages = self.every_message().await?;
        let receipts = self.store().receipts(None, None, ROWS).await?;
        self.judge_mails(&messages, &receipts, &mut wrong).await?;
        self.judge_order(&messages, &mut wrong).await?;
        self.judge_replies(&messages, &mut wrong).await?;
        Ok(wrong)
    }

    /// The mails of a thread that a person has moved away for good.
    async fn away(&self, thread: &Thread) -> Asked<BTreeSet<String>> {
        let mut away = thread.moved();
        for mail in self.world.tenant.messages(&thread.address).await? {
            if mail.folder == "Inbox" {
                away.remove(&mail.immutable_id);
            }
        }
        Ok(away)
    }

    async fn every_message(&self) -> Asked<Vec<Message>> {
        let mut messages = Vec::new();
        let filter = ConversationFilter {
            limit: ROWS,
            ..ConversationFilter::default()
        };
        for conversation in self.store().conversations(&filter).await? {
            messages.extend(self.store().messages(conversation.id, ROWS, None).await?);
        }
        Ok(messages)
    }

    /// Each delivered mail is there once, with its bytes, and nothing else is.
    async fn judge_mails(&self, messages: &[Message], receipts: &[Receipt], wrong: &mut Vec<String>) -> Asked<()> {
        let mut taken_in: BTreeMap<&str, u32> = BTreeMap::new();
        let inbound = || {
            messages
                .iter()
                .filter(|message| message.direction == Direction::Inbound)
        };
        for message in inbound() {
            let id = message.immutable_id.as_ref().map_or("", ImmutableId::as_str);
            *taken_in.entry(id).or_default() += 1;
        }
        let mut expected = 0;
        for thread in &self.world.threads {
            let away = self.away(thread).await?;
            for mail in thread.delivered() {
                expected += 1;
                let id = mail.immutable_id.as_str();
                match taken_in.get(id).copied().unwrap_or(0) {
                    1 => {}
                    // It was not in the folder when it would have been read.
                    0 if away.contains(id) => {
                        expected -= 1;
                        continue;
                    }
                    count => wrong.push(format!("mail {id} is {count} times in the ledger")),
                }
                let receipt = receipts
                    .iter()
                    .find(|receipt| receipt.mailbox == thread.mailbox && receipt.immutable_id.as_str() == id);
                let Some(receipt) = receipt else {
                    wrong.push(format!("mail {id} has no receipt"));
                    continue;
                };
                if let Some(reason) = &receipt.quarantined {
                    wrong.push(format!("mail {id} is in quarantine: {reason}"));
                }
                let stored = match &receipt.mime {
                    Some(blob) => self.store().get_blob(blob).await.ok(),
                    None => None,
                };
                if stored.as_deref() != Some(&*mail.bytes) {
                    wrong.push(format!("the stored bytes of mail {id} are not those that arrived"));
                }
            }
        }
        let count = inbound().count();
        if count != expected {
            wrong.push(format!("{count} mails are in the ledger, {expected} were delivered"));
        }
        Ok(())
    }

    /// The mails of an exchange are one conversation, in the order of their arrival.
    async fn judge_order(&self, messages: &[Message], wrong: &mut Vec<String>) -> Asked<()> {
        let by_id: BTreeMap<MessageId, &Message> = messages.iter().map(|message| (message.id, message)).collect();
        let mut heard: BTreeMap<ConversationId, Vec<&str>> = BTreeMap::new();
        let mut seq = 0;
        loop {
            let events = self.store().events_after(seq, ROWS).await?;
            let Some(last) = events.last() else { break };
            seq = last.seq;
            for event in events.iter().filter(|event| event.kind == EventKind::MessageReceived) {
                let message = event.message.and_then(|id| by_id.get(&id));
                if let (Some(message), Some(conversation)) = (message, event.conversation) {
                    let id = message.immutable_id.as_ref().map_or("", ImmutableId::as_str);
                    heard.entry(conversation).or_default().push(id);
                }
            }
        }
        for thread in &self.world.threads {
            let delivered = thread.delivered();
            let expected: Vec<&str> = delivered.iter().map(|mail| mail.immutable_id.as_str()).collect();
            // What a person moves about comes when it comes.
            if !thread.moved().is_empty() {
                continue;
            }
            let found = heard.values().find(|ids| ids.first() == expected.first());
            if !expected.is_empty() && found.is_none_or(|found| *found != expected) {
                wrong.push(format!(
                    "thread {}: the mails {expected:?} are not one conversation in this order: {heard:?}",
                    thread.number
                ));
            }
        }
        Ok(())
    }

    /// Each accepted reply has reached its customer once, and nothing else has left.
    async fn judge_replies(&self, messages: &[Message], wrong: &mut Vec<String>) -> Asked<()> {
        let accepted: Vec<_> = self.world.threads.iter().flat_map(|thread| thread.accepted()).collect();
        let mut reached: BTreeMap<(String, String), u32> = BTreeMap::new();
        for mail in self.world.tenant.outside().await? {
            let letter = self.world.tenant.read_outside(mail.seq, OWN_HEADER).await?;
            let of = letter.mark.clone();
            for recipient in &mail.recipients {
                *reached.entry((of.clone(), recipient.clone())).or_default() += 1;
            }
            let recorded = messages.iter().find(|message| message.id.to_string() == of);
            let recorded_id = recorded.and_then(|message| message.internet_message_id.as_ref());
            if recorded_id.is_none_or(|id| id.bracketed() != mail.internet_message_id) {
                wrong.push(format!(
                    "reply {of} left as {}, not as recorded",
                    mail.internet_message_id
                ));
            }
            if let Some(recorded) = recorded {
                wrong.extend(differences(recorded, &letter, &accepted));
            }
        }
        for one in &accepted {
            match reached.remove(&(one.message.to_string(), one.customer.clone())) {
                Some(1) => {}
                count => wrong.push(format!(
                    "reply {} reached {} {} times",
                    one.message,
                    one.customer,
                    count.unwrap_or(0)
                )),
            }
        }
        wrong.extend(
            reached
                .keys()
                .map(|(of, to)| format!("`{of}` reached {to}, and nobody sent it")),
        );
        let outbound = messages
            .iter()
            .filter(|message| message.direction == Direction::Outbound)
            .count();
        if outbound != accepted.len() {
            wrong.push(format!(
                "{outbound} replies are in the ledger, {} were accepted",
                accepted.len()
            ));
        }
        Ok(())
    }

    /// A text of the ledger, for the trace.
    pub async fn ledger(&self) -> Asked<Vec<String>> {
        let mut lines: Vec<String> = self
            .every_message()
            .await?
            .iter()
            .map(|message| {
                format!(
                    "{} {} {} {:?}",
                    message.conversation, message.id, message.state, message.immutable_id
                )
            })
            .collect();
        lines.sort();
        Ok(lines)
    }
}

/// What of a reply is not as it was written.
fn differences(recorded: &Message, letter: &Letter, accepted: &[Accepted]) -> Vec<String> {
    let mut wrong = Vec::new();
    let written = accepted.iter().find(|one| one.message == recorded.id);
    if written.is_none_or(|one| !letter.text.contains(&one.text)) {
        wrong.push(format!("reply {} left with another text", recorded.id));
    }
    let attachments = recorded.attachments.iter();
    let attached: Vec<_> = attachments.map(|one| (one.name.clone(), Some(one.size))).collect();
    if letter.attachments != attached {
        wrong.push(format!(
            "reply {} left with {:?} in place of {attached:?}",
            recorded.id, letter.attachments
        ));
    }
    wrong
}

/// How much there was of what.
pub fn counts(threads: &[std::sync::Arc<Thread>]) -> (usize, usize) {
    let mails = threads.iter().map(|thread| thread.delivered().len()).sum();
    let replies = threads.iter().map(|thread| thread.accepted().len()).sum();
    (mails, replies)
}
