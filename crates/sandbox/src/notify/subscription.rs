//! One subscription, and the book of all.
//!
//! Owns what a subscription matches and what its notifications look like. The form of ids in notifications is fixed
//! when the subscription is made (contract §3).

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::mail::ids::{FolderKey, IdCodec, IdForm};
use crate::mail::mailbox::{Change, ChangeKind};
use crate::notify::LifecycleEvent;

/// Which kinds of change are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct ChangeTypes {
    pub created: bool,
    pub updated: bool,
    pub deleted: bool,
}

impl ChangeTypes {
    fn has(self, kind: ChangeKind) -> bool {
        match kind {
            ChangeKind::Created => self.created,
            ChangeKind::Updated => self.updated,
            ChangeKind::Deleted => self.deleted,
        }
    }
}

/// What makes two subscriptions the same: same application, same resource, same changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    pub app: Uuid,
    pub user: Uuid,
    pub folder: Option<FolderKey>,
    pub types: ChangeTypes,
}

/// A subscription.
#[derive(Debug, Clone)]
pub struct Subscription {
    pub id: Uuid,
    pub identity: Identity,
    /// As the client wrote it.
    pub resource: String,
    /// As the client wrote it.
    pub change_type: String,
    pub creator: String,
    pub notification_url: String,
    pub lifecycle_url: Option<String>,
    pub client_state: Option<String>,
    pub expires: Timestamp,
    pub form: IdForm,
    pub tls_version: String,
}

impl Subscription {
    /// Whether it hears of this change.
    #[must_use]
    pub fn wants(&self, change: &Change, now: Timestamp) -> bool {
        self.expires > now
            && self.identity.types.has(change.kind)
            && self.identity.folder.is_none_or(|folder| folder == change.place.folder)
    }

    /// One element of a notification's `value`.
    #[must_use]
    pub fn notification(&self, change: &Change, codec: &IdCodec, tenant: Uuid) -> Value {
        let id = codec.message(self.form, change.item, change.place);
        let kind = match change.kind {
            ChangeKind::Created => "created",
            ChangeKind::Updated => "updated",
            ChangeKind::Deleted => "deleted",
        };
        let path = format!("Users/{}/Messages/{id}", self.identity.user);
        json!({
            "subscriptionId": self.id,
            "subscriptionExpirationDateTime": self.expires.to_string(),
            "changeType": kind,
            "resource": path,
            "resourceData": {
                "@odata.type": "#Microsoft.Graph.Message",
                "@odata.id": path,
                "@odata.etag": crate::mail::render::etag(&codec.change_key(change.change)),
                "id": id,
            },
            "clientState": self.client_state,
            "tenantId": tenant,
        })
    }

    /// One element of a lifecycle notification's `value`.
    #[must_use]
    pub fn lifecycle_notification(&self, event: LifecycleEvent, tenant: Uuid) -> Value {
        json!({
            "subscriptionId": self.id,
            "subscriptionExpirationDateTime": self.expires.to_string(),
            "tenantId": tenant,
            "clientState": self.client_state,
            "lifecycleEvent": event.as_str(),
        })
    }

    /// The resource as Graph shows it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "id": self.id,
            "resource": self.resource,
            "applicationId": self.identity.app,
            "changeType": self.change_type,
            "clientState": self.client_state,
            "notificationUrl": self.notification_url,
            "notificationQueryOptions": null,
            "notificationContentType": null,
            "lifecycleNotificationUrl": self.lifecycle_url,
            "expirationDateTime": self.expires.to_string(),
            "creatorId": self.creator,
            "includeResourceData": null,
            "latestSupportedTlsVersion": self.tls_version,
            "encryptionCertificate": null,
            "encryptionCertificateId": null,
            "notificationUrlAppId": null,
        })
    }
}

/// All subscriptions.
#[derive(Debug, Default)]
pub struct Book {
    by_id: BTreeMap<Uuid, Arc<Subscription>>,
    by_mailbox: HashMap<Uuid, Vec<Arc<Subscription>>>,
}

impl Book {
    /// Enters or replaces a subscription.
    pub fn put(&mut self, subscription: Subscription) -> Arc<Subscription> {
        let subscription = Arc::new(subscription);
        self.remove(subscription.id);
        self.by_mailbox
            .entry(subscription.identity.user)
            .or_default()
            .push(subscription.clone());
        self.by_id.insert(subscription.id, subscription.clone());
        subscription
    }

    /// Removes a subscription; whether there was one.
    pub fn remove(&mut self, id: Uuid) -> bool {
        let Some(gone) = self.by_id.remove(&id) else {
            return false;
        };
        if let Some(list) = self.by_mailbox.get_mut(&gone.identity.user) {
            list.retain(|other| other.id != id);
        }
        true
    }

    /// Forgets what is expired.
    pub fn prune(&mut self, now: Timestamp) {
        let expired: Vec<Uuid> = self
            .all()
            .filter(|subscription| subscription.expires <= now)
            .map(|gone| gone.id)
            .collect();
        for id in expired {
            self.remove(id);
        }
    }

    pub fn get(&self, id: Uuid) -> Option<&Arc<Subscription>> {
        self.by_id.get(&id)
    }

    pub fn all(&self) -> impl Iterator<Item = &Arc<Subscription>> {
        self.by_id.values()
    }

    pub fn of_mailbox(&self, user: Uuid) -> &[Arc<Subscription>] {
        self.by_mailbox.get(&user).map(Vec::as_slice).unwrap_or_default()
    }
}
