//! A notification on its way.
//!
//! Owns plain data that can be saved. What it tells is fixed when it is made; where it goes may change with the
//! subscription.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::notify::LifecycleEvent;
use crate::notify::mishap::Sight;

/// A notification on its way.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Pending {
    pub url: String,
    pub subscription: Uuid,
    pub mailbox: Uuid,
    /// None for a change.
    pub lifecycle: Option<LifecycleEvent>,
    /// For whom a validation token goes along: set when the notification carries data.
    pub audience: Option<String>,
    /// One element of `value`.
    pub body: Value,
}

impl Pending {
    /// What rules for mishaps look at.
    #[must_use]
    pub fn sight(&self) -> Sight<'_> {
        let name = if self.lifecycle.is_some() {
            "lifecycleEvent"
        } else {
            "changeType"
        };
        Sight {
            subscription: self.subscription,
            mailbox: self.mailbox,
            url: &self.url,
            event: self.body[name].as_str().unwrap_or_default(),
            is_lifecycle: self.lifecycle.is_some(),
        }
    }
}

/// A notification in a queue.
#[derive(Debug, Clone)]
pub struct Waiting {
    pub pending: Arc<Pending>,
    /// When it was first tried.
    pub tried: Option<Timestamp>,
}
