//! Inbox rules: what a mailbox does with mail that arrives (Graph's `messageRule`).
//!
//! Owns the rule as it is kept, and which predicates and actions exist. A rule is kept as the client wrote it, after
//! every part was understood; one that the sandbox cannot judge is refused when it is written, never ignored.

pub mod actions;
pub mod endpoints;
pub mod facts;
pub mod predicates;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::mail::MailService;

/// One rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MessageRule {
    pub id: String,
    pub display_name: String,
    pub sequence: i32,
    pub is_enabled: bool,
    pub is_read_only: bool,
    /// Its folder is gone, or another of its actions failed.
    pub has_error: bool,
    pub conditions: Map<String, Value>,
    pub exceptions: Map<String, Value>,
    pub actions: Map<String, Value>,
}

impl MessageRule {
    /// The rule as Graph shows it; what is not set is left out, as Exchange does.
    #[must_use]
    pub fn entity(&self) -> Value {
        let mut entity = json!({
            "id": self.id,
            "displayName": self.display_name,
            "sequence": self.sequence,
            "isEnabled": self.is_enabled,
            "hasError": self.has_error,
            "isReadOnly": self.is_read_only,
        });
        for (name, part) in [("conditions", &self.conditions), ("exceptions", &self.exceptions)] {
            if !part.is_empty() {
                entity[name] = part.clone().into();
            }
        }
        entity["actions"] = self.actions.clone().into();
        entity
    }
}

impl MailService {
    /// The rules of a mailbox in their order; nothing when there is no such mailbox.
    #[must_use]
    pub fn inbox_rules(&self, user: Uuid) -> Option<Vec<MessageRule>> {
        let mailbox = self.mailbox(user).ok()?;
        let mut rules = self.read(&mailbox, |mailbox| mailbox.delivery.rules.clone());
        rules.sort_by_key(|rule| rule.sequence);
        Some(rules)
    }

    /// Changes the rules of a mailbox; nothing when there is no such mailbox.
    pub fn change_inbox_rules<T>(&self, user: Uuid, change: impl FnOnce(&mut Vec<MessageRule>) -> T) -> Option<T> {
        let mailbox = self.mailbox(user).ok()?;
        Some(self.write(&mailbox, |mailbox| change(&mut mailbox.delivery.rules)))
    }
}
