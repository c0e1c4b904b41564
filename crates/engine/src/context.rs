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

use crate::{gate::Gates, handle::Handle};

/// How the engine works. All times are plain durations; none is a deadline of somebody else.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// Pause between two rounds of a folder that nothing woke.
    pub poll_interval: Duration,
    /// Routes, in the order of the configuration.
    pub routes: Vec<Route>,
    /// Whether mails are marked read in the mailbox after they are committed.
    pub mark_read: bool,
    /// Whether replies carry a visible reference line with the conversation token.
    pub reference_line: bool,
    /// Public https address of the notification endpoint; `None` for polling only.
    pub notification_url: Option<Url>,
    /// Name of this process among the owners of leases.
    pub owner: String,
}

impl EngineConfig {
    /// How long a folder or job belongs to its owner without renewal.
    pub(crate) const LEASE: SignedDuration = SignedDuration::from_secs(300);
    /// How long a reply may be tried before it is given up.
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
}

impl Context {
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn mailbox(&self, id: MailboxId) -> Option<&Mailbox> {
        self.mailboxes.get(&id)
    }

    /// Sleeps, or returns `false` at once when the engine is stopping.
    pub async fn sleep(&self, duration: Duration) -> bool {
        tokio::select! {
            () = self.stop.cancelled() => false,
            () = self.time.sleep(duration) => true,
        }
    }
}
