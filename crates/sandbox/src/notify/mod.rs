//! Change notifications: subscriptions, the validation handshake, and delivery with retries.
//!
//! Owns contract §3. It hears of changes from the mailboxes and never asks them back, so a mailbox may publish while
//! it holds its own lock. Every background task is owned by the tracker it is given and ends at shutdown.

mod deliver;
mod endpoints;
mod journal;
mod resource;
mod subscription;
mod validate;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use serde_json::Value;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::clock::SandboxClock;
use crate::directory::Directory;
use crate::entropy::Entropy;
use crate::mail::ids::IdCodec;
use crate::mail::mailbox::Change;
use crate::notify::deliver::{Dispatcher, Pending};
use crate::notify::subscription::{Book, Subscription};

pub use endpoints::Folders;

/// What the notification sender is given at start.
#[derive(Debug, Clone)]
pub struct NotifySettings {
    /// Whether `http:` notification URLs are accepted.
    pub plain_http: bool,
    /// PEM certificates trusted besides none: the sandbox's own authority and the configured one.
    pub trusted_pem: Vec<Vec<u8>>,
    /// How long after a change its notification leaves.
    pub latency: Duration,
    /// Owns every background task.
    pub tasks: TaskTracker,
    /// Cancelled at shutdown.
    pub stop: CancellationToken,
}

/// What a lifecycle notification tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LifecycleEvent {
    /// The client must reauthorize or renew.
    ReauthorizationRequired,
    /// The subscription is gone.
    SubscriptionRemoved,
    /// Notifications were lost.
    Missed,
}

impl LifecycleEvent {
    /// As Graph spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ReauthorizationRequired => "reauthorizationRequired",
            Self::SubscriptionRemoved => "subscriptionRemoved",
            Self::Missed => "missed",
        }
    }
}

/// The subscriptions of the tenant and their delivery.
#[derive(Debug)]
pub struct Notifier {
    clock: Arc<SandboxClock>,
    entropy: Arc<Entropy>,
    directory: Arc<dyn Directory>,
    plain_http: bool,
    book: RwLock<Book>,
    dispatcher: Arc<Dispatcher>,
    /// Held from the check for duplicates to the entry, so that two equal requests cannot both pass.
    creating: Mutex<Vec<subscription::Identity>>,
}

impl Notifier {
    /// No subscriptions yet.
    #[must_use]
    pub fn new(
        clock: Arc<SandboxClock>,
        entropy: Arc<Entropy>,
        directory: Arc<dyn Directory>,
        settings: NotifySettings,
    ) -> Self {
        let plain_http = settings.plain_http;
        let dispatcher = Arc::new(Dispatcher::new(clock.clone(), settings));
        Self {
            clock,
            entropy,
            directory,
            plain_http,
            book: RwLock::default(),
            dispatcher,
            creating: Mutex::default(),
        }
    }

    /// Tells every matching subscription of changes in a mailbox; never blocks.
    pub fn publish(&self, user: Uuid, codec: &IdCodec, changes: &[Change]) {
        let book = self.book.read().unwrap_or_else(PoisonError::into_inner);
        let listeners = book.of_mailbox(user);
        if listeners.is_empty() {
            return;
        }
        let now = self.clock.now();
        for change in changes {
            for subscription in listeners.iter().filter(|listener| listener.wants(change, now)) {
                let body = subscription.notification(change, codec, self.directory.tenant_id());
                self.dispatcher.send(Pending {
                    url: subscription.notification_url.clone(),
                    body,
                });
            }
        }
    }

    /// Sends a lifecycle notification to one subscription, or to all; returns how many have a URL for it.
    /// `subscriptionRemoved` also removes them.
    pub fn lifecycle(&self, event: LifecycleEvent, only: Option<Uuid>) -> usize {
        let chosen: Vec<Arc<Subscription>> = {
            let book = self.book.read().unwrap_or_else(PoisonError::into_inner);
            book.all()
                .filter(|subscription| only.is_none_or(|id| id == subscription.id))
                .cloned()
                .collect()
        };
        let mut sent = 0;
        for subscription in &chosen {
            if event == LifecycleEvent::SubscriptionRemoved {
                self.book
                    .write()
                    .unwrap_or_else(PoisonError::into_inner)
                    .remove(subscription.id);
            }
            sent += usize::from(self.send_lifecycle(subscription, event));
        }
        sent
    }

    fn send_lifecycle(&self, subscription: &Subscription, event: LifecycleEvent) -> bool {
        let Some(url) = subscription.lifecycle_url.clone() else {
            return false;
        };
        let body = subscription.lifecycle_notification(event, self.directory.tenant_id());
        self.dispatcher.send(Pending { url, body });
        true
    }

    /// Sends the last `times` notifications again; returns how many there were.
    pub fn duplicate_last(&self, times: usize) -> usize {
        self.dispatcher.duplicate_last(times)
    }

    /// The attempts so far, oldest first.
    #[must_use]
    pub fn log(&self) -> Vec<Value> {
        self.dispatcher.log()
    }
}
