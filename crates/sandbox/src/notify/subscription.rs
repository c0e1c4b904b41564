//! One subscription: what it is made of, and how Graph shows it.
//!
//! Owns plain data that can be saved; everything that is worked out from it lives in [`super::listener`]. The form of
//! ids in notifications is fixed when the subscription is made (contract §3).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::mail::ids::{FolderKey, IdForm};
use crate::mail::mailbox::ChangeKind;
use crate::notify::LifecycleEvent;

/// Which kinds of change are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ChangeTypes {
    pub created: bool,
    pub updated: bool,
    pub deleted: bool,
}

impl ChangeTypes {
    /// Whether this kind is wanted.
    #[must_use]
    pub fn has(self, kind: ChangeKind) -> bool {
        match kind {
            ChangeKind::Created => self.created,
            ChangeKind::Updated => self.updated,
            ChangeKind::Deleted => self.deleted,
        }
    }
}

/// What makes two subscriptions the same: same application, same resource, same changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    pub app: Uuid,
    pub user: Uuid,
    /// Number of the folder's key; none for the whole mailbox.
    pub folder: Option<u32>,
    pub types: ChangeTypes,
    /// Query options in one spelling.
    pub query: String,
}

impl Identity {
    /// The watched folder.
    #[must_use]
    pub fn folder(&self) -> Option<FolderKey> {
        self.folder.map(FolderKey)
    }
}

/// On whose authority it was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authority {
    /// The signed-in user; none for an application of its own right.
    pub user: Option<Uuid>,
    /// The mail permissions that the token carried. None at all means that something else allowed it.
    pub permissions: Vec<String>,
    /// Only Mail.ReadBasic: content of messages is left out.
    pub basic: bool,
}

/// What makes notifications carry data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceData {
    /// Base64 of an X.509 certificate, as the client wrote it.
    pub certificate: String,
    /// The client's name for it.
    pub certificate_id: String,
}

/// A subscription.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Subscription {
    pub id: Uuid,
    pub identity: Identity,
    pub authority: Authority,
    /// As the client wrote it.
    pub resource: String,
    /// As the client wrote it.
    pub change_type: String,
    pub creator: String,
    pub notification_url: String,
    pub lifecycle_url: Option<String>,
    pub client_state: Option<String>,
    pub expires: Timestamp,
    /// Whether notifications carry immutable ids.
    pub immutable: bool,
    pub tls_version: String,
    pub content_type: Option<String>,
    pub url_app_id: Option<String>,
    pub include_resource_data: Option<bool>,
    pub data: Option<ResourceData>,
    /// When it was last made, renewed or reauthorized.
    pub authorized: Timestamp,
    /// When the client was last told to reauthorize.
    pub challenged: Option<Timestamp>,
}

impl Subscription {
    /// Which form of id its notifications carry.
    #[must_use]
    pub fn form(&self) -> IdForm {
        if self.immutable {
            IdForm::Immutable
        } else {
            IdForm::Default
        }
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
            "notificationContentType": self.content_type,
            "lifecycleNotificationUrl": self.lifecycle_url,
            "expirationDateTime": self.expires.to_string(),
            "creatorId": self.creator,
            "includeResourceData": self.include_resource_data,
            "latestSupportedTlsVersion": self.tls_version,
            "encryptionCertificate": self.data.as_ref().map(|data| &data.certificate),
            "encryptionCertificateId": self.data.as_ref().map(|data| &data.certificate_id),
            "notificationUrlAppId": self.url_app_id,
        })
    }
}
