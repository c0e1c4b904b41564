//! Change notifications: subscriptions, the validation handshake, and delivery with retries.
//!
//! Owns contract §3. It hears of changes from the mailboxes while they are held still, and only looks at what it is
//! shown then, so a mailbox may publish while it holds its own lock. Every background task is owned by the tracker it
//! is given and ends at shutdown.

mod book;
mod caretaker;
mod content;
mod create;
mod deliver;
mod encryption;
mod endpoints;
mod handshake;
mod health;
mod host;
mod journal;
mod lane;
mod listener;
pub mod mishap;
mod outgoing;
mod pending;
mod resource;
mod subscription;
pub mod tuning;
mod validate;
mod validation_token;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::clock::SandboxClock;
use crate::directory::Directory;
use crate::entropy::Entropy;
use crate::mail::mailbox::{Change, Mailbox};
use crate::notify::deliver::Dispatcher;
use crate::notify::listener::Listener;
use crate::notify::mishap::{Mishaps, Verdict};
use crate::notify::pending::Pending;
use crate::notify::subscription::{Identity, Subscription};
use crate::notify::tuning::Tuning;
use crate::odata::error::ODataError;

pub use host::{Host, Signer};
pub use outgoing::{Posted, Receiver, Reply};

/// What the notification sender is given at start.
#[derive(Debug, Clone)]
pub struct NotifySettings {
    /// Whether `http:` notification URLs are accepted.
    pub plain_http: bool,
    /// PEM certificates trusted besides none: the sandbox's own authority and the configured one.
    pub trusted_pem: Vec<Vec<u8>>,
    /// Mean time between a change and its notification.
    pub latency: Duration,
    /// Owns every background task.
    pub tasks: TaskTracker,
    /// Cancelled at shutdown.
    pub stop: CancellationToken,
    /// Endpoints in this process, which then get everything.
    pub receiver: Option<Arc<dyn Receiver>>,
    /// Signs validation tokens.
    pub signer: Arc<dyn Signer>,
}

/// What a lifecycle notification tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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

/// What survives a restart.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Saved {
    subscriptions: Vec<Subscription>,
    /// What was on its way, each endpoint's in order.
    waiting: Vec<Pending>,
    tuning: Tuning,
}

/// The subscriptions of the tenant and their delivery.
#[derive(Debug)]
pub struct Notifier {
    dispatcher: Arc<Dispatcher>,
    /// Held from the check for duplicates to the entry, so that two equal requests cannot both pass.
    creating: Mutex<Vec<Identity>>,
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
        Self {
            dispatcher: Arc::new(Dispatcher::new(clock, entropy, directory, settings)),
            creating: Mutex::default(),
        }
    }

    /// Tells every matching subscription of changes in a mailbox; never blocks.
    pub fn publish(&self, mailbox: &Mailbox, changes: &[Change]) {
        let dispatcher = &self.dispatcher;
        let book = dispatcher.subscriptions();
        let listeners = book.of_mailbox(mailbox.user);
        if listeners.is_empty() {
            return;
        }
        let (now, tenant) = (dispatcher.clock.now(), dispatcher.directory.tenant_id());
        for change in changes {
            for listener in listeners.iter().filter(|listener| !listener.is_over(now)) {
                let Some(kind) = listener.tells(mailbox, change) else {
                    continue;
                };
                let subscription = &listener.subscription;
                dispatcher.send(Pending {
                    url: subscription.notification_url.clone(),
                    subscription: subscription.id,
                    mailbox: mailbox.user,
                    lifecycle: None,
                    audience: listener.is_rich().then(|| audience(subscription)),
                    body: listener.notification(mailbox, change, kind, tenant, &dispatcher.entropy),
                });
            }
        }
    }

    /// Sends a lifecycle notification to one subscription, or to all; returns how many have a URL for it.
    /// `subscriptionRemoved` also removes them.
    pub fn lifecycle(&self, event: LifecycleEvent, only: Option<Uuid>) -> usize {
        let chosen: Vec<Arc<Listener>> = {
            let book = self.dispatcher.subscriptions();
            book.all()
                .filter(|listener| only.is_none_or(|id| id == listener.subscription.id))
                .cloned()
                .collect()
        };
        let tell = |listener: &&Arc<Listener>| match event {
            LifecycleEvent::SubscriptionRemoved => self.dispatcher.end(listener.subscription.id),
            LifecycleEvent::ReauthorizationRequired | LifecycleEvent::Missed => {
                self.dispatcher.tell(&listener.subscription, event)
            }
        };
        chosen.iter().filter(tell).count()
    }

    /// Sends the last `times` notifications again; returns how many there were.
    pub fn duplicate_last(&self, times: usize) -> usize {
        self.dispatcher.duplicate_last(times)
    }

    /// The attempts so far, oldest first.
    #[must_use]
    pub fn log(&self) -> Vec<Value> {
        self.dispatcher.with_journal(|journal| journal.attempts())
    }

    /// The handshakes so far, oldest first, with what was wrong.
    #[must_use]
    pub fn handshakes(&self) -> Vec<Value> {
        self.dispatcher.with_journal(|journal| journal.handshakes())
    }

    /// All subscriptions of the tenant, as Graph shows them.
    #[must_use]
    pub fn subscriptions(&self) -> Vec<Value> {
        let book = self.dispatcher.subscriptions();
        book.all().map(|listener| listener.subscription.to_json()).collect()
    }

    /// The rules for mishaps.
    #[must_use]
    pub fn mishaps(&self) -> &Mishaps {
        &self.dispatcher.mishaps
    }

    /// The numbers in force.
    #[must_use]
    pub fn tuning(&self) -> Tuning {
        self.dispatcher.tuning()
    }

    /// Puts other numbers in force; the error is for the control interface.
    pub fn tune(&self, tuning: Tuning) -> Result<(), String> {
        tuning.check()?;
        self.dispatcher.tune(tuning);
        Ok(())
    }

    /// Everything that is to survive a restart.
    #[must_use]
    pub fn save(&self) -> Saved {
        let subscriptions = {
            let book = self.dispatcher.subscriptions();
            book.all().map(|listener| listener.subscription.clone()).collect()
        };
        Saved {
            subscriptions,
            waiting: self.dispatcher.all_waiting(),
            tuning: self.dispatcher.tuning(),
        }
    }

    /// Takes up what was saved; to be called inside the runtime, with the mailboxes in place. Subscriptions of
    /// mailboxes that are gone are left out.
    ///
    /// # Errors
    /// When something saved cannot be carried out, which a saved state of this edition never contains.
    pub fn restore(&self, saved: Saved, host: &dyn Host) -> Result<(), ODataError> {
        self.tune(saved.tuning).map_err(validate::invalid)?;
        for subscription in saved.subscriptions {
            let user = subscription.identity.user;
            let mut listener = Some(Listener::new(subscription)?);
            let found = host.look(user, &mut |mailbox| {
                if let Some(listener) = listener.take() {
                    if let Err(reason) = listener.settle(mailbox) {
                        tracing::warn!(message = %reason.message, "a saved filter cannot be applied");
                    }
                    let mut book = self.dispatcher.book.write().unwrap_or_else(PoisonError::into_inner);
                    book.put(listener);
                }
            });
            if found.is_err() {
                tracing::warn!(%user, "a saved subscription watches a mailbox that is gone");
            }
        }
        for pending in saved.waiting {
            self.dispatcher.enqueue(Arc::new(pending), Verdict::default());
        }
        self.dispatcher.care();
        Ok(())
    }
}

/// For whom validation tokens are made.
fn audience(subscription: &Subscription) -> String {
    subscription
        .url_app_id
        .clone()
        .unwrap_or_else(|| subscription.identity.app.to_string())
}
