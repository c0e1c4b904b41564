//! The book of all subscriptions.
//!
//! Owns the ways in which they are found: by id, by mailbox, by end. Every entry is in all three.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

use crate::notify::listener::Listener;
use crate::notify::subscription::Subscription;
use crate::odata::error::ODataError;

/// All subscriptions.
#[derive(Debug, Default)]
pub struct Book {
    by_id: BTreeMap<Uuid, Arc<Listener>>,
    by_mailbox: HashMap<Uuid, Vec<Arc<Listener>>>,
    by_end: BTreeSet<(Timestamp, Uuid)>,
}

impl Book {
    /// Enters or replaces a subscription.
    pub fn put(&mut self, listener: Listener) -> Arc<Listener> {
        let listener = Arc::new(listener);
        let subscription = &listener.subscription;
        self.remove(subscription.id);
        self.by_end.insert((subscription.expires, subscription.id));
        self.by_mailbox
            .entry(subscription.identity.user)
            .or_default()
            .push(listener.clone());
        self.by_id.insert(subscription.id, listener.clone());
        listener
    }

    /// Removes a subscription; gives it when there was one.
    pub fn remove(&mut self, id: Uuid) -> Option<Arc<Listener>> {
        let gone = self.by_id.remove(&id)?;
        self.by_end.remove(&(gone.subscription.expires, id));
        let user = gone.subscription.identity.user;
        if let Some(list) = self.by_mailbox.get_mut(&user) {
            list.retain(|other| other.subscription.id != id);
            if list.is_empty() {
                self.by_mailbox.remove(&user);
            }
        }
        Some(gone)
    }

    /// Changes a subscription in place; none when there is no such subscription.
    pub fn update(
        &mut self,
        id: Uuid,
        edit: impl FnOnce(&mut Subscription),
    ) -> Option<Result<Arc<Listener>, ODataError>> {
        let present = self.by_id.get(&id)?;
        Some(present.changed(edit).map(|changed| self.put(changed)))
    }

    /// Whether anything is expired.
    #[must_use]
    pub fn has_expired(&self, now: Timestamp) -> bool {
        self.by_end.first().is_some_and(|(end, _)| *end <= now)
    }

    /// Forgets what is expired.
    pub fn prune(&mut self, now: Timestamp) {
        while let Some((end, id)) = self.by_end.first().copied() {
            if end > now {
                return;
            }
            self.remove(id);
        }
    }

    pub fn get(&self, id: Uuid) -> Option<&Arc<Listener>> {
        self.by_id.get(&id)
    }

    pub fn all(&self) -> impl Iterator<Item = &Arc<Listener>> {
        self.by_id.values()
    }

    /// In order of id, those behind `id`.
    pub fn after(&self, id: Option<Uuid>) -> impl Iterator<Item = &Arc<Listener>> {
        let start = id.map_or(Bound::Unbounded, Bound::Excluded);
        self.by_id
            .range((start, Bound::Unbounded))
            .map(|(_, listener)| listener)
    }

    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    pub fn of_mailbox(&self, user: Uuid) -> &[Arc<Listener>] {
        self.by_mailbox.get(&user).map(Vec::as_slice).unwrap_or_default()
    }
}
