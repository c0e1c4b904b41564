//! What kind of mailbox a user has, in which condition it is, and who else may use it.
//!
//! Owns the administrator's side of a mailbox: kind, licence, aliases, delegates, forwarding. It never holds mail, and
//! it decides nothing: Exchange's rules read it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Kinds of mailboxes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailboxKind {
    /// A person's.
    #[default]
    User,
    /// Several people's; needs no licence.
    Shared,
    /// A room's.
    Room,
    /// A thing's.
    Equipment,
}

impl MailboxKind {
    /// Exchange's `RecipientTypeDetails`.
    #[must_use]
    pub fn recipient_type_details(self) -> &'static str {
        match self {
            Self::User => "UserMailbox",
            Self::Shared => "SharedMailbox",
            Self::Room => "RoomMailbox",
            Self::Equipment => "EquipmentMailbox",
        }
    }

    /// Graph's `userPurpose`.
    #[must_use]
    pub fn purpose(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Shared => "shared",
            Self::Room => "room",
            Self::Equipment => "equipment",
        }
    }
}

/// Whether the mailbox can be reached through Graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailboxCondition {
    /// It can.
    #[default]
    Active,
    /// It was removed and could still be restored.
    SoftDeleted,
    /// It lies on a server of the organisation's own.
    OnPremises,
    /// Exchange's own record of where it lies is out of date: by sign-in name it is not found for good, by object id
    /// it works (contract §5, `MailboxInfoStale`).
    StaleByName,
    /// It is being moved or is half provisioned: `MailboxInfoStale` however it is addressed.
    Moving,
}

/// Where mail for a mailbox goes as well, or instead.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forwarding {
    /// A recipient of the tenant.
    pub recipient: Option<Uuid>,
    /// Any address.
    pub address: Option<String>,
    /// Whether the mailbox keeps a copy.
    pub keep_copy: bool,
}

/// One mailbox as an administrator sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MailboxProfile {
    /// Kind.
    pub kind: MailboxKind,
    /// Whether an Exchange plan is assigned.
    pub licensed: bool,
    /// Whether it can be reached.
    pub condition: MailboxCondition,
    /// Further addresses.
    pub aliases: Vec<String>,
    /// Object ids of those who may open it.
    pub full_access: Vec<Uuid>,
    /// Object ids of those who may send as it.
    pub send_as: Vec<Uuid>,
    /// Object ids of those who may send on its behalf.
    pub send_on_behalf: Vec<Uuid>,
    /// Forwarding.
    pub forwarding: Forwarding,
    /// Further recipient properties by their Exchange name, such as `CustomAttribute1` or `Department`.
    pub attributes: BTreeMap<String, String>,
}

impl Default for MailboxProfile {
    fn default() -> Self {
        Self {
            kind: MailboxKind::User,
            licensed: true,
            condition: MailboxCondition::Active,
            aliases: Vec::new(),
            full_access: Vec::new(),
            send_as: Vec::new(),
            send_on_behalf: Vec::new(),
            forwarding: Forwarding::default(),
            attributes: BTreeMap::new(),
        }
    }
}

impl MailboxProfile {
    /// Whether Graph reaches the mailbox when it is addressed by object id.
    #[must_use]
    pub fn is_reachable(&self) -> bool {
        let alive = !matches!(
            self.condition,
            MailboxCondition::SoftDeleted | MailboxCondition::OnPremises
        );
        alive && (self.licensed || self.kind != MailboxKind::User)
    }
}
