//! What the control interface changes about one mailbox's deliveries.
//!
//! Owns the form of the change: what is absent stays, null clears.

use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use crate::mail::MailService;
use crate::mail::mailbox::Mailbox;
use crate::mail::transport::delivery_state::Forwarding;

/// Senders in one list, as Exchange bounds them.
const MAX_LISTED: usize = 1_024;

/// A change of a mailbox's deliveries.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeliveryPatch {
    #[serde(deserialize_with = "present")]
    pub quota_bytes: Option<Option<u64>>,
    #[serde(deserialize_with = "present")]
    pub forwarding: Option<Option<Forwarding>>,
    pub blocked_senders: Option<Vec<String>>,
    pub safe_senders: Option<Vec<String>>,
}

/// Tells null from absent.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

impl DeliveryPatch {
    /// Whether it makes sense.
    ///
    /// # Errors
    /// What does not.
    pub fn check(&self) -> Result<(), String> {
        if let Some(Some(forwarding)) = &self.forwarding
            && !forwarding.address.contains('@')
        {
            return Err(format!("'{}' is not a mail address", forwarding.address));
        }
        let too_many = [&self.blocked_senders, &self.safe_senders]
            .into_iter()
            .flatten()
            .any(|list| list.len() > MAX_LISTED);
        if too_many {
            return Err(format!("at most {MAX_LISTED} senders are listed"));
        }
        Ok(())
    }
}

impl MailService {
    /// What a mailbox does with its mail; nothing when there is no such mailbox.
    #[must_use]
    pub fn delivery_for_control(&self, address: &str) -> Option<Value> {
        let (_, mailbox) = self.mailbox_of(address)?;
        Some(self.read(&mailbox, |mailbox| shown(mailbox, self.now())))
    }

    /// Changes what a mailbox does with its mail.
    pub fn change_delivery(&self, address: &str, patch: DeliveryPatch) -> Option<Value> {
        let (_, mailbox) = self.mailbox_of(address)?;
        let now = self.now();
        Some(self.write(&mailbox, |mailbox| {
            let state = &mut mailbox.delivery;
            state.quota_bytes = patch.quota_bytes.unwrap_or(state.quota_bytes);
            if let Some(forwarding) = patch.forwarding {
                state.forwarding = forwarding;
            }
            if let Some(list) = patch.blocked_senders {
                state.blocked_senders = list;
            }
            if let Some(list) = patch.safe_senders {
                state.safe_senders = list;
            }
            shown(mailbox, now)
        }))
    }
}

fn shown(mailbox: &Mailbox, now: i64) -> Value {
    let state = &mailbox.delivery;
    json!({
        "quota_bytes": state.quota_bytes,
        "used_bytes": mailbox.used_bytes(),
        "forwarding": state.forwarding,
        "blocked_senders": state.blocked_senders,
        "safe_senders": state.safe_senders,
        "rules": state.rules.len(),
        "recipients_of_day": state.sent.recipients_of_day(now),
        "automatically_answered": state.answered.senders,
    })
}
