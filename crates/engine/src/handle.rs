//! What the HTTP layer may ask of the running engine. Nothing here waits for the database or the
//! network: a notification is answered within milliseconds whatever the engine is doing.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
};

use guichet_domain::{FolderId, MailboxId, SubscriptionId};
use subtle::ConstantTimeEq;
use tokio::sync::Notify;

use crate::status::{EngineStatus, Metrics, StatusBoard};

/// Notifications of unknown subscriptions that wait for a look at the store. More are a flood.
const MAX_STRANGERS: usize = 256;

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
    /// Notifications of subscriptions that this node does not know; another may have made them.
    pub strangers: Mutex<Vec<ChangeNotification>>,
    /// Subscriptions that a lifecycle notification named: to be renewed or replaced at once.
    pub suspects: Mutex<HashSet<SubscriptionId>>,
    pub metrics: Metrics,
    pub board: StatusBoard,
    /// Whether other nodes make subscriptions too.
    pub shared_work: AtomicBool,
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
                if !self.keep_for_later(notification) {
                    self.shared.metrics.notifications_refused.inc();
                }
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

    /// Where there are other nodes, a subscription may be younger than what this one knows: the notification
    /// waits until the keeper has looked, as long as few wait.
    fn keep_for_later(&self, notification: &ChangeNotification) -> bool {
        let mut strangers = self.shared.strangers.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = self.shared.shared_work.load(Ordering::Relaxed) && strangers.len() < MAX_STRANGERS;
        if kept {
            strangers.push(notification.clone());
            self.shared.keeper.notify_one();
        }
        kept
    }

    /// Takes in again what waited, now that every subscription is known; what is still unknown is refused.
    pub(crate) fn judge_strangers(&self) {
        let waiting = std::mem::take(&mut *self.shared.strangers.lock().unwrap_or_else(PoisonError::into_inner));
        let known = self.shared.subscriptions.read().unwrap_or_else(PoisonError::into_inner);
        let (now_known, forged): (Vec<_>, Vec<_>) = waiting
            .into_iter()
            .partition(|notification| known.contains_key(&notification.subscription));
        drop(known);
        for _ in forged {
            self.shared.metrics.notifications_refused.inc();
        }
        self.notify(&now_known);
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
    async fn notification_of_another_nodes_subscription_waits_until_that_is_known() {
        let (handle, dirty) = handle_with("right");
        handle.shared.shared_work.store(true, Ordering::Relaxed);
        assert_eq!(
            handle.notify(&[notification("new", "state"), notification("none", "state")]),
            0
        );
        assert_eq!(handle.metrics().notifications_refused.get(), 0);
        let folder = handle.shared.subscriptions.read().unwrap()[&SubscriptionId::new("s")].folder;
        let known = KnownSubscription {
            folder,
            client_state: "state".to_owned(),
        };
        let id = SubscriptionId::new("new");
        handle.shared.subscriptions.write().unwrap().insert(id, known);
        handle.judge_strangers();
        dirty.notified().await;
        assert_eq!(handle.metrics().notifications_refused.get(), 1);
        for _ in 0..2 * MAX_STRANGERS {
            handle.notify(&[notification("none", "state")]);
        }
        assert_eq!(handle.shared.strangers.lock().unwrap().len(), MAX_STRANGERS);
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
