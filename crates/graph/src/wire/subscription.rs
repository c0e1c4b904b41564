//! Subscriptions to change notifications.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::lenient;

/// A subscription to ask for.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewSubscription {
    /// What to watch, such as `users/{id}/mailFolders('inbox')/messages`.
    pub resource: String,
    /// `created`, `updated`, `deleted`, separated by commas.
    pub change_type: String,
    /// Public https address.
    pub notification_url: String,
    /// Public https address for lifecycle notifications; cannot be added later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifecycle_notification_url: Option<String>,
    /// Secret that every notification repeats; at most 128 characters.
    pub client_state: String,
    /// When it ends unless renewed; at most 10,080 minutes ahead for messages.
    #[serde(rename = "expirationDateTime", serialize_with = "super::whole_seconds")]
    pub expires_at: Timestamp,
}

/// A subscription that exists.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subscription {
    #[serde(deserialize_with = "lenient::id")]
    pub id: String,
    #[serde(default, deserialize_with = "lenient::text")]
    pub resource: String,
    #[serde(default, deserialize_with = "lenient::option")]
    pub change_type: Option<String>,
    #[serde(default, deserialize_with = "lenient::option")]
    pub notification_url: Option<String>,
    #[serde(default, deserialize_with = "lenient::option")]
    pub lifecycle_notification_url: Option<String>,
    #[serde(default, deserialize_with = "lenient::option")]
    pub client_state: Option<String>,
    /// Client id of the application that owns it.
    #[serde(default, deserialize_with = "lenient::option")]
    pub application_id: Option<String>,
    #[serde(rename = "expirationDateTime", default, deserialize_with = "lenient::option")]
    pub expires_at: Option<Timestamp>,
}

impl fmt::Debug for NewSubscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewSubscription")
            .field("resource", &self.resource)
            .field("change_type", &self.change_type)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription")
            .field("id", &self.id)
            .field("resource", &self.resource)
            .field("change_type", &self.change_type)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}
