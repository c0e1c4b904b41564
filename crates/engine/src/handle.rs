//! What the HTTP layer may ask of the running engine. Nothing here waits for the database or the
//! network: a notification is answered within milliseconds whatever the engine is doing.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use guichet_domain::{FolderId, MailboxId, SubscriptionId};
use subtle::ConstantTimeEq;
use tokio::sync::Notify;

use crate::status::{EngineStatus, Metrics, StatusBoard};

/// One item of a change notification or lifecycle notification, as Graph posts it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeNotification {
    /// `subscriptionId`.
    pub subscription: SubscriptionId,
    /// `clientState`; empty if absent.
    pub client_state: String,
    /// `lifecycleEvent`, if it is a lifecycle notification.
    pub lifecycle_event: Option<String>,
}

#[derive(Debug)]
pub(crate) struct KnownSubscription {
    pub folder: FolderId,
    pub client_state: String,
}

#[derive(Debug)]
pub(crate) struct KnownFolder {
    pub mailbox: MailboxId,
    pub dirty: Arc<Notify>,
}

#[derive(Debug, Default)]
pub(crate) struct Shared {
    pub subscriptions: RwLock<HashMap<SubscriptionId, KnownSubscription>>,
    pub folders: RwLock<HashMap<FolderId, KnownFolder>>,
    /// Wakes the delivery from the outbox.
    pub outbox: Notify,
    /// Wakes the keeper of the subscriptions.
    pub keeper: Notify,
    /// Subscriptions that a lifecycle notification named: to be renewed or replaced at once.
    pub suspects: Mutex<HashSet<SubscriptionId>>,
    pub metrics: Metrics,
    pub board: StatusBoard,
}

/// A cheap, cloneable handle to the running engine.
#[derive(Clone, Debug, Default)]
pub struct Handle {
    pub(crate) shared: Arc<Shared>,
}

impl Handle {
    /// Takes notifications in. Each one whose `clientState` is right marks its folder dirty; many
    /// for one folder coalesce into one round. Returns how many were genuine.
    pub fn notify(&self, notifications: &[ChangeNotification]) -> usize {
        let known = self.shared.subscriptions.read().unwrap_or_else(PoisonError::into_inner);
        let mut genuine = 0;
        for notification in notifications {
            let Some(subscription) = known.get(&notification.subscription) else {
                self.shared.metrics.notifications_refused.inc();
                continue;
            };
            let right = subscription
                .client_state
                .as_bytes()
                .ct_eq(notification.client_state.as_bytes());
            if !bool::from(right) {
                self.shared.metrics.notifications_refused.inc();
                continue;
            }
            genuine += 1;
            self.shared.metrics.notifications.inc();
            if notification.lifecycle_event.is_some() {
                let mut suspects = self.shared.suspects.lock().unwrap_or_else(PoisonError::into_inner);
                suspects.insert(notification.subscription.clone());
                self.shared.keeper.notify_one();
            }
            self.mark_dirty(subscription.folder);
        }
        genuine
    }

    /// Asks for a round of every folder of this mailbox, or of all mailboxes. Returns how many
    /// folders were marked dirty.
    pub fn sync_now(&self, mailbox: Option<MailboxId>) -> usize {
        let folders = self.shared.folders.read().unwrap_or_else(PoisonError::into_inner);
        let mut marked = 0;
        for folder in folders.values() {
            if mailbox.is_none_or(|wanted| wanted == folder.mailbox) {
                folder.dirty.notify_one();
                marked += 1;
            }
        }
        marked
    }

    /// Tells the delivery that a job was put into the outbox.
    pub fn outbox_changed(&self) {
        self.shared.outbox.notify_one();
    }

    /// The state of each folder, for `doctor`, the API and the console.
    pub fn status(&self) -> EngineStatus {
        self.shared.board.snapshot()
    }

    /// The engine's counters, to be registered with the metrics endpoint.
    pub fn metrics(&self) -> &Metrics {
        &self.shared.metrics
    }

    /// Forgets what an engine that has ended followed: nothing wakes it any more.
    pub(crate) fn forget(&self) {
        self.shared
            .subscriptions
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
        self.shared
            .folders
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
        self.shared.board.clear();
    }

    pub(crate) fn mark_dirty(&self, folder: FolderId) {
        let folders = self.shared.folders.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = folders.get(&folder) {
            known.dirty.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn handle_with(client_state: &str) -> (Handle, Arc<Notify>) {
        let handle = Handle::default();
        let folder = FolderId::from_uuid(Uuid::from_u128(1));
        let dirty = Arc::new(Notify::new());
        let mailbox = MailboxId::from_uuid(Uuid::from_u128(2));
        handle.shared.folders.write().unwrap().insert(
            folder,
            KnownFolder {
                mailbox,
                dirty: dirty.clone(),
            },
        );
        let known = KnownSubscription {
            folder,
            client_state: client_state.to_owned(),
        };
        handle
            .shared
            .subscriptions
            .write()
            .unwrap()
            .insert(SubscriptionId::new("s"), known);
        (handle, dirty)
    }

    fn notification(subscription: &str, client_state: &str) -> ChangeNotification {
        ChangeNotification {
            subscription: SubscriptionId::new(subscription),
            client_state: client_state.to_owned(),
            lifecycle_event: None,
        }
    }

    #[tokio::test]
    async fn genuine_notifications_coalesce_into_one_wake_up() {
        let (handle, dirty) = handle_with("right");
        assert_eq!(
            handle.notify(&[notification("s", "right"), notification("s", "right")]),
            2
        );
        dirty.notified().await;
        assert!(futures::poll!(std::pin::pin!(dirty.notified())).is_pending());
    }

    #[tokio::test]
    async fn forged_notification_wakes_nothing() {
        let (handle, dirty) = handle_with("right");
        assert_eq!(
            handle.notify(&[notification("s", "wrong"), notification("other", "right")]),
            0
        );
        assert!(futures::poll!(std::pin::pin!(dirty.notified())).is_pending());
        assert_eq!(handle.metrics().notifications_refused.get(), 2);
    }
}
