//! What the engine says of itself: one line a folder, and counters.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use guichet_domain::{FolderId, MailboxId};
use jiff::Timestamp;
use prometheus_client::{metrics::counter::Counter, registry::Registry};
use serde::Serialize;

/// How a followed folder is doing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FolderStatus {
    /// Its mailbox.
    pub mailbox: MailboxId,
    /// Address of the mailbox.
    pub address: String,
    /// Configured name of the folder, for example `inbox`.
    pub folder: String,
    /// End of the last round that reached the end of the delta walk.
    pub synced_at: Option<Timestamp>,
    /// Failed rounds in a row; 0 if the last one succeeded.
    pub failures: u32,
    /// Why the last round failed; empty if it succeeded.
    pub last_error: String,
    /// Whether a live subscription wakes the folder; otherwise it is polled only.
    pub notified: bool,
}

impl FolderStatus {
    /// Failed rounds in a row after which a folder counts as failing: one failure is weather.
    const FAILING_AFTER: u32 = 2;

    /// Whether the folder can't be read, as far as the last rounds tell.
    pub fn is_failing(&self) -> bool {
        self.failures >= Self::FAILING_AFTER
    }
}

/// The state of the engine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct EngineStatus {
    /// One entry a followed folder.
    pub folders: Vec<FolderStatus>,
    /// Tasks that ended in a panic since the start. Anything but 0 is a defect.
    pub panics: u64,
}

#[derive(Debug, Default)]
pub(crate) struct StatusBoard {
    folders: Mutex<BTreeMap<FolderId, FolderStatus>>,
    panics: std::sync::atomic::AtomicU64,
}

impl StatusBoard {
    pub fn snapshot(&self) -> EngineStatus {
        EngineStatus {
            folders: self.lock().values().cloned().collect(),
            panics: self.panics.load(std::sync::atomic::Ordering::Relaxed),
        }
    }

    /// Forgets every folder; the counters stay.
    pub fn clear(&self) {
        self.lock().clear();
    }

    pub fn insert(&self, folder: FolderId, status: FolderStatus) {
        self.lock().insert(folder, status);
    }

    pub fn update(&self, folder: FolderId, change: impl FnOnce(&mut FolderStatus)) {
        if let Some(status) = self.lock().get_mut(&folder) {
            change(status);
        }
    }

    /// Whether a live subscription wakes the folder.
    pub fn is_notified(&self, folder: FolderId) -> bool {
        self.lock().get(&folder).is_some_and(|status| status.notified)
    }

    pub fn count_panic(&self) {
        self.panics.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<FolderId, FolderStatus>> {
        self.folders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counters of the engine.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    /// Genuine change notifications.
    pub notifications: Counter,
    /// Notifications with an unknown subscription or a wrong client state.
    pub notifications_refused: Counter,
    /// Finished rounds.
    pub rounds: Counter,
    /// Failed rounds.
    pub rounds_failed: Counter,
    /// Mails committed to the ledger.
    pub ingested: Counter,
    /// Items of delta pages whose receipt existed already.
    pub known: Counter,
    /// Mails set aside.
    pub quarantined: Counter,
    /// Replies confirmed in the mailbox.
    pub replies_sent: Counter,
    /// Attempts of outbox jobs that failed.
    pub attempts_failed: Counter,
    /// Jobs given up.
    pub dead_letters: Counter,
    /// Requests sent to Microsoft Graph, each call of a batch counted.
    pub requests: Counter,
    /// Those that were refused for their number.
    pub requests_throttled: Counter,
    /// Requests that were held back before they were sent.
    pub requests_held: Counter,
}

impl Metrics {
    /// Registers every counter under the prefix `guichet_`.
    pub fn register(&self, registry: &mut Registry) {
        let registry = registry.sub_registry_with_prefix("guichet");
        for (name, help, counter) in [
            ("notifications", "genuine change notifications", &self.notifications),
            (
                "notifications_refused",
                "notifications with a wrong client state",
                &self.notifications_refused,
            ),
            ("rounds", "finished delta rounds", &self.rounds),
            ("rounds_failed", "failed delta rounds", &self.rounds_failed),
            ("ingested", "mails committed to the ledger", &self.ingested),
            ("known_items", "listed items whose receipt existed", &self.known),
            ("quarantined", "mails set aside", &self.quarantined),
            ("replies_sent", "replies confirmed in the mailbox", &self.replies_sent),
            (
                "attempts_failed",
                "failed attempts of outbox jobs",
                &self.attempts_failed,
            ),
            ("dead_letters", "outbox jobs given up", &self.dead_letters),
            ("graph_requests", "requests sent to Microsoft Graph", &self.requests),
            (
                "graph_requests_throttled",
                "requests that Microsoft Graph refused for their number",
                &self.requests_throttled,
            ),
            (
                "graph_requests_held",
                "requests held back because they would have been refused",
                &self.requests_held,
            ),
        ] {
            registry.register(name, help, counter.clone());
        }
    }
}
