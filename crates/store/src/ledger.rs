//! The ledger: one page of a folder becomes receipts, messages, conversations, events and the new
//! cursor in one transaction.
//!
//! Never fetches or parses anything: items come ready. Invariants: a mail has one receipt for ever;
//! the cursor moves only with the page it follows; a page under an old epoch writes nothing.

use std::collections::{HashMap, HashSet};

use guichet_domain::{
    ConversationId, ImmutableId, InternetMessageId, MailboxId,
    conversation::Direction,
    event::{EventKind, NewEvent},
    threading::{Decision, Reason, Rule},
    trace::Step,
};
use jiff::{SignedDuration, Timestamp};

use crate::{
    Error, Result, Store,
    connection::{Connection, params},
    conversations::{self, Joined},
    counters,
    dialect::LOCKED,
    events, folders,
    messages::{self, NewMessage},
    outbox, receipts,
    records::{CommittedPage, IngestItem, Item, JobKind, Page, TraceStep},
    threads, trace,
};

/// Items of one page: Graph gives at most this many, and the transaction stays short.
pub(crate) const MAX_ITEMS: usize = 1000;
/// How long the outbox tries to mark a mail read. After a week nobody is helped by it.
const MARK_READ_DEADLINE: SignedDuration = SignedDuration::from_hours(24 * 7);

impl Store {
    /// Commits a page: all of it, or nothing. Items whose receipt exists are skipped. Items are
    /// taken so that a mail comes after the mails of the page that it answers.
    ///
    /// # Errors
    /// [`Error::Fenced`] if the folder has another owner by now; [`Error::Invalid`] if the page has
    /// more than 1000 items or names another mailbox than its folder's.
    pub async fn commit_page(&self, page: Page) -> Result<CommittedPage> {
        if page.items.len() > MAX_ITEMS {
            let count = page.items.len();
            return Err(Error::Invalid(format!(
                "a page has {count} items: at most {MAX_ITEMS} are taken"
            )));
        }
        self.write(move |c| Box::pin(async move { commit(c, &page).await }))
            .await
    }
}

/// Pages of one mailbox are committed one after the other, so that a mail finds the conversation that a mail of
/// another folder has just opened.
pub(crate) async fn mailboxes_turn(c: &mut dyn Connection, mailbox: MailboxId) -> Result<()> {
    let sql = format!("SELECT id FROM mailbox WHERE id = $1{LOCKED}");
    c.query(&sql, params![mailbox]).await.map(drop)
}

/// What the items of a page have come to so far.
#[derive(Default)]
struct Outcome {
    committed: CommittedPage,
    events: Vec<NewEvent>,
    opened: i64,
}

impl Outcome {
    /// Counts what was taken in, and tells the event stream.
    async fn book(self, c: &mut dyn Connection, now: Timestamp) -> Result<CommittedPage> {
        let ingested = i64::try_from(self.committed.ingested.len()).unwrap_or(i64::MAX);
        counters::add(c, counters::CONVERSATIONS, self.opened).await?;
        events::append(c, &self.events, now).await?;
        counters::add(c, counters::INBOUND, ingested).await?;
        Ok(self.committed)
    }
}

/// Where and when mails are taken in.
#[derive(Clone, Copy)]
struct Place {
    mailbox: MailboxId,
    now: Timestamp,
}

/// Takes in a mail whose receipt the caller has written, in the caller's transaction, and in its mailbox's turn.
///
/// # Errors
/// Those of the database.
pub(crate) async fn take_in(
    c: &mut dyn Connection,
    mailbox: MailboxId,
    item: &IngestItem,
    now: Timestamp,
) -> Result<()> {
    let mut outcome = Outcome::default();
    thread(c, Place { mailbox, now }, item, &mut outcome).await?;
    outcome.book(c, now).await.map(drop)
}

async fn commit(c: &mut dyn Connection, page: &Page) -> Result<CommittedPage> {
    // First, so that a fenced page costs nothing and a competing page of this folder waits here.
    let mailbox = folders::advance(c, page.folder, page.epoch, &page.cursor, page.now).await?;
    if mailbox != page.mailbox {
        let wanted = page.mailbox;
        return Err(Error::Invalid(format!(
            "the folder belongs to mailbox {mailbox}, not {wanted}"
        )));
    }
    mailboxes_turn(c, mailbox).await?;
    let place = Place { mailbox, now: page.now };
    let mut outcome = Outcome::default();
    for at in processing_order(&page.items) {
        match page.items.get(at) {
            Some(Item::Ingest(item)) => ingest(c, place, item, &mut outcome).await?,
            Some(quarantine @ Item::Quarantine { .. }) => set_aside(c, place, quarantine, &mut outcome).await?,
            None => {}
        }
    }
    trace::add(c, &page.steps).await?;
    let committed = outcome.book(c, page.now).await?;
    let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    let receipts = count(committed.ingested.len()) + count(committed.quarantined);
    counters::add(c, counters::RECEIPTS, receipts).await?;
    counters::add(c, counters::QUARANTINED, count(committed.quarantined)).await?;
    Ok(committed)
}

async fn ingest(c: &mut dyn Connection, place: Place, item: &IngestItem, outcome: &mut Outcome) -> Result<()> {
    let receipt = receipts::New {
        mailbox: place.mailbox,
        immutable_id: &item.immutable_id,
        internet_message_id: item.internet_message_id.as_ref(),
        message: Some(item.message),
        quarantined: None,
        mime: Some(&item.mime),
        size: item.size,
        at: place.now,
    };
    if !receipts::insert(c, &receipt).await? {
        outcome.committed.known += 1;
        return Ok(());
    }
    thread(c, place, item, outcome).await
}

/// Finds or opens the conversation, and stores the message.
async fn thread(c: &mut dyn Connection, place: Place, item: &IngestItem, outcome: &mut Outcome) -> Result<()> {
    let found = threads::candidates(c, place.mailbox, &item.threading).await?;
    let decision = threads::choose(&found, item.received_at);
    let event = |kind, conversation| NewEvent {
        kind,
        mailbox: place.mailbox,
        conversation: Some(conversation),
        message: Some(item.message),
    };
    let conversation = match &decision {
        Decision::Join(conversation, _) => {
            if conversations::join(c, *conversation, item.received_at).await? == Joined::Reopened {
                outcome
                    .events
                    .push(event(EventKind::ConversationReopened, *conversation));
            }
            *conversation
        }
        Decision::Open(reason) => {
            conversations::open(c, place.mailbox, item, reason.continues).await?;
            outcome.opened += 1;
            outcome
                .events
                .push(event(EventKind::ConversationOpened, item.new_conversation));
            item.new_conversation
        }
    };
    outcome.events.push(event(EventKind::MessageReceived, conversation));
    store_message(c, place, item, conversation, decision.reason()).await?;
    if item.mark_read {
        let job = outbox::NewJob {
            id: item.mark_read_job,
            mailbox: place.mailbox,
            kind: &JobKind::MarkRead {
                immutable_id: item.immutable_id.clone(),
            },
            now: place.now,
            deadline: place.now.saturating_add(MARK_READ_DEADLINE).unwrap_or(Timestamp::MAX),
        };
        outbox::enqueue(c, &job).await?;
    }
    trace::add(c, &item.steps).await?;
    let own = |step, detail| own_step(place, &item.immutable_id, step, detail);
    let threaded = threaded_detail(&decision, conversation);
    let committed = format!("message {} in conversation {conversation}", item.message);
    trace::add(c, &[own(Step::Threaded, threaded), own(Step::Committed, committed)]).await?;
    outcome.committed.ingested.push((item.message, conversation));
    Ok(())
}

async fn store_message(
    c: &mut dyn Connection,
    place: Place,
    item: &IngestItem,
    conversation: ConversationId,
    reason: &Reason,
) -> Result<()> {
    let message = NewMessage {
        id: item.message,
        conversation,
        mailbox: place.mailbox,
        direction: Direction::Inbound,
        state: "received",
        immutable_id: Some(&item.immutable_id),
        internet_message_id: item.internet_message_id.as_ref(),
        graph_conversation_id: item.graph_conversation_id.as_deref(),
        content: &item.content,
        mime: Some(&item.mime),
        size: item.size,
        received_at: item.received_at,
        sent_at: item.sent_at,
        threading: Some(reason),
        verdict: Some(&item.verdict),
        answers: None,
        attachments: &item.attachments,
    };
    messages::insert(c, &message).await?;
    if let Some(id) = &item.internet_message_id {
        threads::remember(c, place.mailbox, id, conversation, item.received_at).await?;
    }
    Ok(())
}

async fn set_aside(c: &mut dyn Connection, place: Place, item: &Item, outcome: &mut Outcome) -> Result<()> {
    let Item::Quarantine {
        immutable_id,
        internet_message_id,
        mime,
        size,
        reason,
        steps,
    } = item
    else {
        return Ok(());
    };
    let receipt = receipts::New {
        mailbox: place.mailbox,
        immutable_id,
        internet_message_id: internet_message_id.as_ref(),
        message: None,
        quarantined: Some(reason),
        mime: mime.as_ref(),
        size: *size,
        at: place.now,
    };
    if !receipts::insert(c, &receipt).await? {
        outcome.committed.known += 1;
        return Ok(());
    }
    trace::add(c, steps).await?;
    if !steps.iter().any(|s| s.step == Step::Quarantined) {
        let step = own_step(place, immutable_id, Step::Quarantined, reason.clone());
        trace::add(c, &[step]).await?;
    }
    outcome.committed.quarantined += 1;
    outcome.events.push(NewEvent {
        kind: EventKind::MessageQuarantined,
        mailbox: place.mailbox,
        conversation: None,
        message: None,
    });
    Ok(())
}

fn own_step(place: Place, immutable_id: &ImmutableId, step: Step, detail: String) -> TraceStep {
    TraceStep {
        mailbox: place.mailbox,
        immutable_id: immutable_id.clone(),
        at: place.now,
        step,
        detail,
    }
}

fn threaded_detail(decision: &Decision, conversation: ConversationId) -> String {
    let reason = decision.reason();
    let rule = match reason.rule {
        Rule::InReplyTo => "in-reply-to",
        Rule::References => "references",
        Rule::Token => "token",
        Rule::NoEvidence => "no evidence",
    };
    let what = match (decision, reason.continues) {
        (Decision::Join(..), _) => format!("joined conversation {conversation}"),
        (Decision::Open(_), Some(earlier)) => format!("opened conversation {conversation}, which continues {earlier}"),
        (Decision::Open(_), None) => format!("opened conversation {conversation}"),
    };
    format!("{what} ({rule}: {})", reason.evidence)
}

/// The order in which the items of a page are taken: by time of arrival, but a mail after the mails
/// of the page that it names as its ancestors. Graph gives a page in no order that means anything.
fn processing_order(items: &[Item]) -> Vec<usize> {
    let item = |at: usize| match items.get(at) {
        Some(Item::Ingest(item)) => Some(item.as_ref()),
        _ => None,
    };
    let mut by_time: Vec<usize> = (0..items.len()).collect();
    by_time.sort_by_key(|at| item(*at).map(|i| i.received_at));
    let mut by_id: HashMap<&InternetMessageId, usize> = HashMap::new();
    for at in &by_time {
        if let Some(id) = item(*at).and_then(|i| i.internet_message_id.as_ref()) {
            by_id.entry(id).or_insert(*at);
        }
    }
    let mut order = Vec::with_capacity(items.len());
    let mut entered = HashSet::new();
    // Depth first without recursion; `true` marks an item whose ancestors are all placed.
    let mut stack: Vec<(usize, bool)> = Vec::new();
    for start in by_time {
        stack.push((start, false));
        while let Some((at, ancestors_placed)) = stack.pop() {
            if ancestors_placed {
                order.push(at);
            } else if entered.insert(at) {
                stack.push((at, true));
                let ancestors = item(at).map(|i| i.threading.ancestors()).unwrap_or_default();
                stack.extend(ancestors.iter().filter_map(|id| by_id.get(id)).map(|at| (*at, false)));
            }
        }
    }
    order
}
