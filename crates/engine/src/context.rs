//! What every task of the engine works with.

use std::{sync::Arc, time::Duration};

use guichet_domain::{
    EmailAddress, MailboxId,
    ports::{Clock, Entropy},
    routing::Route,
    token::TokenKey,
};
use guichet_graph::{GraphClient, Time};
use guichet_store::{Store, records::Mailbox};
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::{gate::Gates, handle::Handle, import::Import};

/// How the engine works. All times are plain durations; none is a deadline of somebody else.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// Pause between two rounds of a folder that nothing woke.
    pub poll_interval: Duration,
    /// The same for a folder that a live subscription wakes. Anything shorter than `poll_interval` counts as that.
    pub quiet_poll_interval: Duration,
    /// Routes, in the order of the configuration.
    pub routes: Vec<Route>,
    /// What is taken in of the mail that was there before.
    pub import: Import,
    /// Whether mails are marked read in the mailbox after they are committed.
    pub mark_read: bool,
    /// Whether replies carry a visible reference line with the conversation token.
    pub reference_line: bool,
    /// Public https address of the notification endpoint; `None` for polling only.
    pub notification_url: Option<Url>,
    /// Name of this process among the owners of leases.
    pub owner: String,
    /// Whether other nodes work on the same store.
    pub nodes: Nodes,
}

/// Who works on the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Nodes {
    /// This process alone. A lease only bridges its own restarts, which end it anyway.
    #[default]
    One,
    /// Any number of processes. Leases are short, so that the work of a dead node is soon free.
    Many,
}

impl Nodes {
    /// How long a folder or job belongs to its owner without renewal.
    pub const fn lease(self) -> SignedDuration {
        match self {
            Self::One => SignedDuration::from_secs(300),
            Self::Many => SignedDuration::from_secs(6),
        }
    }
}

impl EngineConfig {
    /// How long a reply is tried. A day outlasts ordinary outages; later an answer may do harm, so an
    /// operator decides.
    pub const REPLY_DEADLINE: SignedDuration = SignedDuration::from_hours(24);
}

/// What the engine is made from.
#[derive(Debug)]
pub struct Parts {
    pub store: Store,
    pub graph: GraphClient,
    pub time: Arc<dyn Time>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub tokens: Arc<TokenKey>,
    pub config: EngineConfig,
}

/// Shared by all tasks.
#[derive(Debug)]
pub(crate) struct Context {
    pub store: Store,
    pub graph: GraphClient,
    pub time: Arc<dyn Time>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub tokens: Arc<TokenKey>,
    pub config: EngineConfig,
    pub gates: Gates,
    pub handle: Handle,
    pub own_addresses: Vec<EmailAddress>,
    pub mailboxes: std::collections::HashMap<MailboxId, Mailbox>,
    pub stop: CancellationToken,
    pub parsing: Parsing,
}

/// Where mails are parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Parsing {
    /// On threads of their own, which a mail that takes long to parse does not take from others.
    OnThreads,
    /// In the task that wants it, so that a simulation is the same in every run.
    InPlace,
}

impl Context {
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// When a lease taken or renewed now ends.
    pub fn lease_end(&self) -> Timestamp {
        self.now() + self.config.nodes.lease()
    }

    pub fn mailbox(&self, id: MailboxId) -> Option<&Mailbox> {
        self.mailboxes.get(&id)
    }

    /// Sleeps, or returns `false` at once when the engine is stopping.
    pub async fn sleep(&self, duration: Duration) -> bool {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => false,
            () = self.time.sleep(duration) => true,
        }
    }
}
