//! A round: one walk over the delta pages of a folder, each page committed with its cursor.

use std::{collections::HashSet, sync::Arc, time::Duration};

use futures::{StreamExt, stream};
use guichet_domain::{
    FolderId, ImmutableId, InternetMessageId,
    round::{After, Cursor, Outcome, after},
};
use guichet_graph::{Class, DeltaFrom, DeltaItem, DeltaNext, DeltaPage, MessageSummary};
use guichet_store::records::{FolderLease, Item, Mailbox, Page};

use super::patience::{Patience, Verdict};
use crate::{
    context::Context,
    fetch,
    ingest::{self, PrepareError, Prepared},
    lease::hold,
};

/// Groups of mails of a page that are worked on at the same time. One less than the mailbox's concurrency, so
/// that a reply waits for one batch of an import at most.
const FETCHES: usize = 3;
/// Items asked for in one page.
const PAGE_SIZE: u32 = 50;
/// Resyncs that one round takes before it reports a failure.
const MAX_REBASELINES: u32 = 2;
/// Rounds in a row in which a stored link is refused before it is taken for lost. Graph names a lost
/// link in many ways, and a walk from the beginning doubles nothing.
const REFUSALS_BEFORE_REBASELINE: u32 = 3;

const SELECT: &[&str] = &[
    "id",
    "receivedDateTime",
    "isRead",
    "isDraft",
    "internetMessageId",
    "conversationId",
    "parentFolderId",
];

#[derive(Debug, thiserror::Error)]
pub(crate) enum RoundError {
    #[error(transparent)]
    Graph(#[from] guichet_graph::Error),
    #[error(transparent)]
    Store(#[from] guichet_store::Error),
    #[error("mailbox of the folder is unknown or disabled")]
    NoMailbox,
    #[error("another node owns the folder")]
    OwnedElsewhere,
    #[error("the mailbox asked for a resync {0} times in one round")]
    EndlessResync(u32),
    #[error("mail {id} could not be fetched, attempt {attempt}: {source}")]
    Mail {
        id: ImmutableId,
        attempt: u32,
        source: PrepareError,
    },
}

impl RoundError {
    /// Whether a mail failed on its own account, and the mailbox works.
    pub fn is_of_one_mail(&self) -> bool {
        matches!(self, Self::Mail { attempt, .. } if *attempt > 0)
    }

    /// The server's own waiting time, if it gave one.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Graph(error)
            | Self::Mail {
                source: PrepareError::Graph(error),
                ..
            } => error.retry_after(),
            _ => None,
        }
    }
}

/// The rounds of one folder.
pub(crate) struct Rounds {
    context: Arc<Context>,
    folder: FolderId,
    patience: Patience,
    /// The mail that was fetched last: fetching it again shows whether the mailbox gives out mail.
    control: Option<ImmutableId>,
    /// Rounds in a row in which the stored link was refused.
    refusals: u32,
    /// Mails that the last round took in.
    taken: usize,
}

/// The mails of a page as far as they could be had.
#[derive(Default)]
struct Prepare {
    items: Vec<Item>,
    steps: Vec<guichet_store::records::TraceStep>,
    /// Mails that have to be tried again: the cursor stays before them.
    failed: Vec<MessageSummary>,
    failure: Option<RoundError>,
}

impl Rounds {
    pub fn new(context: Arc<Context>, folder: FolderId) -> Self {
        Self {
            context,
            folder,
            patience: Patience::default(),
            control: None,
            refusals: 0,
            taken: 0,
        }
    }

    /// Mails that the last round took in.
    pub fn taken(&self) -> usize {
        self.taken
    }

    /// Walks to the end of the delta. On an error the cursor stands before the first mail that is
    /// not in the ledger.
    pub async fn run(&mut self) -> Result<(), RoundError> {
        self.taken = 0;
        let mut lease = self.acquire().await?;
        let (context, folder, epoch) = (self.context.clone(), self.folder, lease.epoch);
        let renew = || context.store.renew_folder(folder, epoch, context.lease_end());
        let held = context.config.nodes.lease();
        let result = hold(&*context.time, held, self.walk(&mut lease), renew).await;
        let result = result.unwrap_or_else(|error| Err(error.into()));
        // A release that fails only costs the rest of the lease.
        if let Err(error) = self.context.store.release_folder(self.folder, lease.epoch).await {
            tracing::debug!(folder = %self.folder, %error, "lease not released");
        }
        result
    }

    async fn acquire(&self) -> Result<FolderLease, RoundError> {
        let now = self.context.now();
        let until = self.context.lease_end();
        let lease = self
            .context
            .store
            .acquire_folder(self.folder, now, until, &self.context.config.owner)
            .await?;
        lease.ok_or(RoundError::OwnedElsewhere)
    }

    async fn walk(&mut self, lease: &mut FolderLease) -> Result<(), RoundError> {
        let mailbox = self
            .context
            .mailbox(lease.folder.mailbox)
            .cloned()
            .ok_or(RoundError::NoMailbox)?;
        let mut rebaselines = 0;
        loop {
            let outcome = match self.read_page(&mailbox, lease).await {
                Ok(page) => {
                    self.refusals = 0;
                    self.commit(&mailbox, lease, page).await?
                }
                Err(error) if error.class == Class::Resync || self.link_is_lost(&error, lease) => {
                    rebaselines += 1;
                    tracing::info!(folder = %self.folder, code = %error.code, "the mailbox asked for a resync");
                    Outcome::ResyncAsked
                }
                Err(error) => return Err(error.into()),
            };
            match after(outcome) {
                After::Continue => {}
                After::Done | After::Backoff(_) => return Ok(()),
                After::Rebaseline if rebaselines > MAX_REBASELINES => {
                    return Err(RoundError::EndlessResync(rebaselines));
                }
                After::Rebaseline => {
                    let now = self.context.now();
                    self.context
                        .store
                        .set_cursor(self.folder, lease.epoch, Cursor::Start, now)
                        .await?;
                    lease.folder.cursor = Cursor::Start;
                }
            }
        }
    }

    /// Whether a stored link was refused so often, and in such a way, that it must be lost.
    fn link_is_lost(&mut self, error: &guichet_graph::Error, lease: &FolderLease) -> bool {
        let refused = matches!(error.class, Class::Invalid | Class::Gone | Class::Bug) || error.status == Some(400);
        if lease.folder.cursor == Cursor::Start || !refused || error.is_of_sign_in() {
            return false;
        }
        self.refusals = self.refusals.saturating_add(1);
        let lost = self.refusals >= REFUSALS_BEFORE_REBASELINE;
        if lost {
            self.refusals = 0;
        }
        lost
    }

    async fn read_page(&self, mailbox: &Mailbox, lease: &FolderLease) -> Result<DeltaPage, guichet_graph::Error> {
        let _permit = self.context.gates.enter(mailbox.id).await;
        let from = match &lease.folder.cursor {
            Cursor::Start => DeltaFrom::Start {
                select: SELECT,
                page_size: PAGE_SIZE,
            },
            Cursor::Next(link) | Cursor::Delta(link) => DeltaFrom::Link {
                link,
                page_size: PAGE_SIZE,
            },
        };
        self.context
            .graph
            .delta(&mailbox.graph_user_id, lease.folder.graph_folder_id.as_str(), from)
            .await
    }

    async fn commit(
        &mut self,
        mailbox: &Mailbox,
        lease: &mut FolderLease,
        page: DeltaPage,
    ) -> Result<Outcome, RoundError> {
        let (cursor, outcome) = match page.next {
            DeltaNext::More(link) => (Cursor::Next(link), Outcome::CommittedPage),
            DeltaNext::Done(link) => (Cursor::Delta(link), Outcome::CommittedLast),
        };
        let fresh = self.unknown_items(mailbox, page.items).await?;
        let mut prepared = self.prepare_all(mailbox, fresh).await;
        let (cursor, steps) = match prepared.failure {
            None => (cursor, prepared.steps),
            // What can be had is committed; the cursor stays before what can't.
            Some(_) => {
                hold_back_conversations(&mut prepared.items, &prepared.failed);
                (lease.folder.cursor.clone(), Vec::new())
            }
        };
        if prepared.failure.is_none() || !prepared.items.is_empty() {
            let page = Page {
                folder: self.folder,
                mailbox: mailbox.id,
                epoch: lease.epoch,
                items: prepared.items,
                steps,
                cursor: cursor.clone(),
                now: self.context.now(),
            };
            self.store_page(mailbox, page).await?;
            lease.folder.cursor = cursor;
        }
        prepared.failure.map_or(Ok(outcome), Err)
    }

    async fn store_page(&mut self, mailbox: &Mailbox, page: Page) -> Result<(), RoundError> {
        let committed = self.context.store.commit_page(page).await?;
        self.taken += committed.ingested.len();
        let metrics = self.context.handle.metrics();
        metrics.ingested.inc_by(committed.ingested.len() as u64);
        metrics.known.inc_by(committed.known as u64);
        metrics.quarantined.inc_by(committed.quarantined as u64);
        if !committed.ingested.is_empty() {
            tracing::info!(mailbox = %mailbox.address, mails = committed.ingested.len(), "mails committed");
            self.context.handle.outbox_changed();
        }
        Ok(())
    }

    /// The listed mails without a receipt, each once. A mail may be listed again after any change,
    /// and a page may be replayed: neither is news.
    async fn unknown_items(
        &self,
        mailbox: &Mailbox,
        items: Vec<DeltaItem>,
    ) -> Result<Vec<MessageSummary>, guichet_store::Error> {
        let import = self.context.config.import;
        let mut listed = Vec::new();
        let mut ids = HashSet::new();
        for item in items {
            match item {
                // Drafts are somebody's unfinished work; they come again when they are sent.
                DeltaItem::Upsert(summary) if summary.is_draft == Some(true) => {}
                DeltaItem::Upsert(summary) if !import.takes(&summary, mailbox.created_at) => {}
                DeltaItem::Upsert(summary) => {
                    if ids.insert(ImmutableId::new(summary.id.clone())) {
                        listed.push(summary);
                    }
                }
                // The ledger keeps what was once received, wherever the mail went.
                DeltaItem::Removed { .. } => {}
            }
        }
        let ids: Vec<ImmutableId> = ids.into_iter().collect();
        let known = self.context.store.known_receipts(mailbox.id, &ids).await?;
        self.context.handle.metrics().known.inc_by(known.len() as u64);
        listed.retain(|summary| !known.contains(&ImmutableId::new(summary.id.clone())));
        Ok(listed)
    }

    async fn prepare_all(&mut self, mailbox: &Mailbox, fresh: Vec<MessageSummary>) -> Prepare {
        let context = &self.context;
        let mut outcomes: Vec<(usize, MessageSummary, Prepared)> = stream::iter(fetch::groups(fresh))
            .map(|group| fetch::prepare_group(context, mailbox, group))
            .buffered(FETCHES)
            .flat_map(stream::iter)
            .collect()
            .await;
        // In the order of the page, whatever was fetched together.
        outcomes.sort_by_key(|(place, ..)| *place);
        let mut all = Prepare::default();
        let mut failed = Vec::new();
        for (_, summary, outcome) in outcomes {
            match outcome {
                Prepared::Item(item) => {
                    let id = ImmutableId::new(summary.id);
                    self.patience.forget(&id);
                    self.control = Some(id);
                    all.items.push(item);
                }
                Prepared::Nothing(step) => all.steps.push(step),
                Prepared::Failed(id, source) => failed.push((summary, id, source)),
            }
        }
        for (summary, id, source) in failed {
            let (attempt, aside) = match self.patience.failed(&id, &source) {
                Verdict::Again(attempt) => (attempt, false),
                Verdict::Aside(attempt) => (attempt, true),
                Verdict::AsideIfOthersWork(attempt) => (attempt, self.others_work(mailbox).await),
            };
            if aside {
                let reason = format!("could not be fetched in {attempt} attempts: {source}");
                let now = self.context.now();
                all.items
                    .push(ingest::quarantine(mailbox, &summary, None, reason, Vec::new(), now));
                self.patience.forget(&id);
            } else {
                all.failed.push(summary);
                all.failure = Some(RoundError::Mail { id, attempt, source });
            }
        }
        all
    }

    /// Whether the mailbox gives out mail now: tried with one that it gave out before. An answer that
    /// this one is gone shows it as well.
    async fn others_work(&self, mailbox: &Mailbox) -> bool {
        let Some(control) = &self.control else {
            return false;
        };
        match ingest::fetch(&self.context, mailbox, control).await {
            Ok(_) => true,
            Err(error) => error.class == Class::Gone,
        }
    }
}

/// Takes out what belongs to a conversation with a mail that is not to be had yet: it waits with it, so
/// that a conversation is read in its order.
fn hold_back_conversations(items: &mut Vec<Item>, failed: &[MessageSummary]) {
    let mut conversations: HashSet<String> = HashSet::new();
    let mut ids: HashSet<InternetMessageId> = HashSet::new();
    for mail in failed {
        conversations.extend(mail.conversation_id.clone());
        ids.extend(mail.internet_message_id.as_deref().and_then(InternetMessageId::parse));
    }
    // Until nothing changes: what waits may itself be answered in this page.
    loop {
        let before = items.len();
        items.retain(|item| {
            let Item::Ingest(mail) = item else { return true };
            let graph_conversation = mail.graph_conversation_id.as_ref();
            let waits = graph_conversation.is_some_and(|id| conversations.contains(id))
                || mail.threading.ancestors().iter().any(|id| ids.contains(id));
            if waits {
                ids.extend(mail.internet_message_id.clone());
            }
            !waits
        });
        if items.len() == before {
            return;
        }
    }
}
