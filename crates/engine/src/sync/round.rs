//! A round: one walk over the delta pages of a folder, each page committed with its cursor.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use futures::{StreamExt, stream};
use guichet_domain::{
    FolderId, ImmutableId,
    round::{After, Cursor, Outcome, after},
};
use guichet_graph::{Class, DeltaFrom, DeltaItem, DeltaNext, DeltaPage, MessageSummary};
use guichet_store::records::{FolderLease, Item, Mailbox, Page};
use jiff::Timestamp;

use crate::{
    context::{Context, EngineConfig},
    ingest::{self, PrepareError, Prepared},
};

/// Mails of a page that are fetched at the same time. One less than the mailbox's concurrency, so
/// that a reply never waits for an import.
const FETCHES: usize = 3;
/// Items asked for in one page.
const PAGE_SIZE: u32 = 50;
/// A mail that fails this often on its own account is set aside.
const ATTEMPTS_BEFORE_QUARANTINE: u32 = 3;
/// Resyncs that one round takes before it reports a failure.
const MAX_REBASELINES: u32 = 2;
/// Failing mails remembered in a folder; more than a page never fail one by one.
const MAX_REMEMBERED: usize = 1000;

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
    #[error("another process owns the folder")]
    OwnedElsewhere,
    #[error("the mailbox asked for a resync {0} times in one round")]
    EndlessResync(u32),
    #[error("mail {id} could not be fetched, attempt {attempt} of {ATTEMPTS_BEFORE_QUARANTINE}: {source}")]
    Mail {
        id: ImmutableId,
        attempt: u32,
        source: PrepareError,
    },
}

impl RoundError {
    /// The server's own waiting time, if it gave one.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Graph(error)
            | Self::Mail {
                source: PrepareError::Graph(error),
                ..
            } => match error.class {
                Class::Retry { after } => Some(after),
                _ => None,
            },
            _ => None,
        }
    }
}

/// The rounds of one folder.
pub(crate) struct Rounds {
    context: Arc<Context>,
    folder: FolderId,
    /// How often a mail failed on its own account. Kept in memory only: after a restart it has its
    /// full number of attempts again.
    failed: HashMap<ImmutableId, u32>,
}

impl Rounds {
    pub fn new(context: Arc<Context>, folder: FolderId) -> Self {
        Self {
            context,
            folder,
            failed: HashMap::new(),
        }
    }

    /// Walks to the end of the delta. On an error the cursor stands before the first mail that is
    /// not in the ledger.
    pub async fn run(&mut self) -> Result<(), RoundError> {
        let mut lease = self.acquire().await?;
        let result = self.walk(&mut lease).await;
        // A release that fails only costs the rest of the lease.
        if let Err(error) = self.context.store.release_folder(self.folder, lease.epoch).await {
            tracing::debug!(folder = %self.folder, %error, "lease not released");
        }
        result
    }

    async fn acquire(&self) -> Result<FolderLease, RoundError> {
        let now = self.context.now();
        let until = now + EngineConfig::LEASE;
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
            if lease_is_old(lease, self.context.now()) {
                *lease = self.acquire().await?;
            }
            let outcome = match self.read_page(&mailbox, lease).await {
                Ok(page) => self.commit(&mailbox, lease, page).await?,
                Err(error) if error.class == Class::Resync => {
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
        let (items, steps) = self.prepare_all(mailbox, fresh).await?;
        let page = Page {
            folder: self.folder,
            mailbox: mailbox.id,
            epoch: lease.epoch,
            items,
            steps,
            cursor: cursor.clone(),
            now: self.context.now(),
        };
        let committed = self.context.store.commit_page(page).await?;
        lease.folder.cursor = cursor;
        let metrics = self.context.handle.metrics();
        metrics.ingested.inc_by(committed.ingested.len() as u64);
        metrics.known.inc_by(committed.known as u64);
        metrics.quarantined.inc_by(committed.quarantined as u64);
        if !committed.ingested.is_empty() {
            tracing::info!(mailbox = %mailbox.address, mails = committed.ingested.len(), "mails committed");
            self.context.handle.outbox_changed();
        }
        Ok(outcome)
    }

    /// The listed mails without a receipt, each once. A mail may be listed again after any change,
    /// and a page may be replayed: neither is news.
    async fn unknown_items(
        &self,
        mailbox: &Mailbox,
        items: Vec<DeltaItem>,
    ) -> Result<Vec<MessageSummary>, guichet_store::Error> {
        let mut listed = Vec::new();
        let mut ids = HashSet::new();
        for item in items {
            match item {
                // Drafts are somebody's unfinished work; they come again when they are sent.
                DeltaItem::Upsert(summary) if summary.is_draft == Some(true) => {}
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

    async fn prepare_all(
        &mut self,
        mailbox: &Mailbox,
        fresh: Vec<MessageSummary>,
    ) -> Result<(Vec<Item>, Vec<guichet_store::records::TraceStep>), RoundError> {
        let context = &self.context;
        let prepared: Vec<(MessageSummary, Prepared)> = stream::iter(fresh)
            .map(|summary| async move {
                let prepared = ingest::prepare(context, mailbox, summary.clone()).await;
                (summary, prepared)
            })
            .buffered(FETCHES)
            .collect()
            .await;
        let (mut items, mut steps) = (Vec::new(), Vec::new());
        let mut failure = None;
        for (summary, outcome) in prepared {
            match outcome {
                Prepared::Item(item) => items.push(item),
                Prepared::Gone(step) => steps.push(step),
                Prepared::Failed(id, source) => match self.count_failure(&id, &source) {
                    attempt if attempt >= ATTEMPTS_BEFORE_QUARANTINE => {
                        let reason = format!("could not be fetched in {attempt} attempts: {source}");
                        let now = self.context.now();
                        items.push(ingest::quarantine(mailbox, &summary, None, reason, Vec::new(), now));
                        self.failed.remove(&id);
                    }
                    attempt => failure = Some(RoundError::Mail { id, attempt, source }),
                },
            }
        }
        match failure {
            Some(failure) => Err(failure),
            None => Ok((items, steps)),
        }
    }

    /// Counts a failure that is the mail's own. Throttling, outages and our own store are not: they
    /// count as attempt 0 and are repeated for as long as they last.
    fn count_failure(&mut self, id: &ImmutableId, error: &PrepareError) -> u32 {
        let its_own = match error {
            PrepareError::Store(_) => false,
            PrepareError::Graph(error) => match error.class {
                Class::Invalid | Class::Bug => true,
                // A 500 or 504 for one mail again and again is the mail; a cut connection is not.
                Class::Retry { .. } => error.status.is_some_and(|status| status == 500 || status == 504),
                Class::Reauthorise | Class::Resync | Class::Denied | Class::Gone => false,
            },
        };
        if !its_own {
            return 0;
        }
        if self.failed.len() >= MAX_REMEMBERED {
            self.failed.clear();
        }
        let attempts = self.failed.entry(id.clone()).or_insert(0);
        *attempts += 1;
        *attempts
    }
}

fn lease_is_old(lease: &FolderLease, now: Timestamp) -> bool {
    lease.until.duration_since(now) < EngineConfig::LEASE / 2
}
