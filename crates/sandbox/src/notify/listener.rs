//! A subscription at work: which changes it tells, and how.
//!
//! Owns what is worked out from a [`Subscription`]: the parsed filter, the set of messages that pass it, the view and
//! the key of rich notifications. A filter makes a window: a message that comes to pass it is told as created, one
//! that no longer does as deleted (contract §3). The set is kept whatever kinds of change are wanted.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::entropy::Entropy;
use crate::mail::ids::ItemKey;
use crate::mail::mailbox::{Change, ChangeKind, Mailbox};
use crate::mail::message_subject::{self, MessageSubject};
use crate::mail::permissions::Depth;
use crate::mail::render::{self, View};
use crate::mail::well_known::WellKnown;
use crate::notify::encryption::Sealer;
use crate::notify::subscription::Subscription;
use crate::notify::{content, resource, validate};
use crate::odata::error::ODataError;
use crate::odata::filter::Filter;

/// A subscription at work.
#[derive(Debug)]
pub struct Listener {
    pub subscription: Subscription,
    filter: Option<Filter>,
    inside: Mutex<HashSet<ItemKey>>,
    rich: Option<Rich>,
}

#[derive(Debug)]
struct Rich {
    view: View,
    sealer: Sealer,
}

impl Listener {
    /// Works out what the subscription needs; refuses what cannot be.
    pub fn new(subscription: Subscription) -> Result<Self, ODataError> {
        let options = resource::parse(&subscription.resource)?.options;
        let depth = if subscription.authority.basic {
            Depth::Basic
        } else {
            Depth::Full
        };
        let rich = match &subscription.data {
            None => None,
            Some(data) => Some(Rich {
                view: content::view(&options, subscription.form(), depth)?,
                sealer: Sealer::new(data).map_err(|reason| {
                    validate::invalid(format!("The property 'encryptionCertificate' is not usable: {reason}."))
                })?,
            }),
        };
        Ok(Self {
            subscription,
            filter: options.filter,
            inside: Mutex::default(),
            rich,
        })
    }

    /// The same with a change; it takes over what the old one knew, which must not be used any more.
    pub fn changed(&self, edit: impl FnOnce(&mut Subscription)) -> Result<Self, ODataError> {
        let mut subscription = self.subscription.clone();
        edit(&mut subscription);
        let changed = Self::new(subscription)?;
        let inside = std::mem::take(&mut *self.inside.lock().unwrap_or_else(PoisonError::into_inner));
        *changed.inside.lock().unwrap_or_else(PoisonError::into_inner) = inside;
        Ok(changed)
    }

    /// Takes in which messages pass the filter now; fails when the filter asks for what messages do not have.
    pub fn settle(&self, mailbox: &Mailbox) -> Result<(), ODataError> {
        let Some(filter) = &self.filter else { return Ok(()) };
        let folder = self.subscription.identity.folder();
        // Whether a filter is wrong must not depend on what there is to filter.
        let example = message_subject::example();
        filter.check(&MessageSubject {
            mailbox,
            message: &example,
        })?;
        let mut inside = HashSet::new();
        for message in mailbox.newest_first(folder) {
            if filter.accepts(&MessageSubject { mailbox, message })? {
                inside.insert(message.key);
            }
        }
        *self.inside.lock().unwrap_or_else(PoisonError::into_inner) = inside;
        Ok(())
    }

    /// Whether it has ended.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.subscription.expires <= now
    }

    /// Whether its notifications carry data.
    #[must_use]
    pub fn is_rich(&self) -> bool {
        self.rich.is_some()
    }

    /// As what the change is told, if at all.
    #[must_use]
    pub fn tells(&self, mailbox: &Mailbox, change: &Change) -> Option<ChangeKind> {
        let identity = &self.subscription.identity;
        let here = match identity.folder() {
            Some(folder) => folder == change.place.folder,
            // What lies in the recoverable items is deleted to everyone who looks at the mailbox.
            None => change.place.folder != mailbox.well_known(WellKnown::RecoverableItemsDeletions),
        };
        if !here {
            return None;
        }
        let kind = match &self.filter {
            None => change.kind,
            Some(filter) => self.through(filter, mailbox, change)?,
        };
        identity.types.has(kind).then_some(kind)
    }

    fn through(&self, filter: &Filter, mailbox: &Mailbox, change: &Change) -> Option<ChangeKind> {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        let passes = change.kind != ChangeKind::Deleted
            && mailbox
                .get(change.item)
                .filter(|message| message.place() == change.place)
                .is_some_and(|message| filter.accepts(&MessageSubject { mailbox, message }).unwrap_or(false));
        let passed = if passes {
            !inside.insert(change.item)
        } else {
            inside.remove(&change.item)
        };
        match (passed, passes) {
            (false, true) => Some(ChangeKind::Created),
            (true, true) => Some(ChangeKind::Updated),
            (true, false) => Some(ChangeKind::Deleted),
            (false, false) => None,
        }
    }

    /// One element of a notification's `value`.
    #[must_use]
    pub fn notification(
        &self,
        mailbox: &Mailbox,
        change: &Change,
        kind: ChangeKind,
        tenant: Uuid,
        entropy: &Entropy,
    ) -> Value {
        let subscription = &self.subscription;
        let user = subscription.identity.user;
        let id = mailbox.codec.message(subscription.form(), change.item, change.place);
        let etag = render::etag(&mailbox.codec.change_key(change.change));
        let kind_name = match kind {
            ChangeKind::Created => "created",
            ChangeKind::Updated => "updated",
            ChangeKind::Deleted => "deleted",
        };
        let (path, type_name) = match &self.rich {
            None => (format!("Users/{user}/Messages/{id}"), "#Microsoft.Graph.Message"),
            Some(_) => (format!("Users('{user}')/messages('{id}')"), "#microsoft.graph.message"),
        };
        let mut body = json!({
            "subscriptionId": subscription.id,
            "subscriptionExpirationDateTime": subscription.expires.to_string(),
            "changeType": kind_name,
            "resource": path,
            "resourceData": {
                "@odata.type": type_name,
                "@odata.id": path,
                "@odata.etag": etag,
                "id": id,
            },
            "clientState": subscription.client_state,
            "tenantId": tenant,
        });
        if let Some(rich) = &self.rich
            && kind != ChangeKind::Deleted
            && let Some(document) = content::document(mailbox, change, &rich.view, &path, &id)
        {
            match rich.sealer.seal(document.to_string().as_bytes(), entropy) {
                Ok(content) => body["encryptedContent"] = content,
                Err(_) => tracing::error!(subscription = %subscription.id, "resource data could not be encrypted"),
            }
        }
        body
    }
}
