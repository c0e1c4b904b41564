//! Events: what subscribers of the event stream are told, in one total order.

use serde::{Deserialize, Serialize};

use crate::{ConversationId, MailboxId, MessageId};

/// Kind of an event. The text form is part of the public API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum EventKind {
    /// A conversation began.
    #[serde(rename = "conversation.opened")]
    ConversationOpened,
    /// A closed or waiting conversation has the customer's word again.
    #[serde(rename = "conversation.reopened")]
    ConversationReopened,
    /// Its state changed by hand.
    #[serde(rename = "conversation.changed")]
    ConversationChanged,
    /// A customer's mail was committed to the ledger.
    #[serde(rename = "message.received")]
    MessageReceived,
    /// A mail was set aside with its bytes and the reason.
    #[serde(rename = "message.quarantined")]
    MessageQuarantined,
    /// A reply was accepted into the outbox.
    #[serde(rename = "reply.accepted")]
    ReplyAccepted,
    /// A reply was confirmed in the mailbox.
    #[serde(rename = "reply.sent")]
    ReplySent,
    /// A reply can't be sent; it is in the dead letters.
    #[serde(rename = "reply.failed")]
    ReplyFailed,
}

impl EventKind {
    const ALL: [Self; 8] = [
        Self::ConversationOpened,
        Self::ConversationReopened,
        Self::ConversationChanged,
        Self::MessageReceived,
        Self::MessageQuarantined,
        Self::ReplyAccepted,
        Self::ReplySent,
        Self::ReplyFailed,
    ];

    /// The public name, `noun.verb`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ConversationOpened => "conversation.opened",
            Self::ConversationReopened => "conversation.reopened",
            Self::ConversationChanged => "conversation.changed",
            Self::MessageReceived => "message.received",
            Self::MessageQuarantined => "message.quarantined",
            Self::ReplyAccepted => "reply.accepted",
            Self::ReplySent => "reply.sent",
            Self::ReplyFailed => "reply.failed",
        }
    }

    /// Reads what [`as_str`](Self::as_str) wrote.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.as_str() == text)
    }
}

/// An event before the store gave it its place in the order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEvent {
    /// What happened.
    pub kind: EventKind,
    /// The mailbox it happened in.
    pub mailbox: MailboxId,
    /// The conversation, if one is concerned.
    pub conversation: Option<ConversationId>,
    /// The message, if one is concerned.
    pub message: Option<MessageId>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_text_and_public_text_are_one() {
        for kind in EventKind::ALL {
            assert_eq!(EventKind::parse(kind.as_str()), Some(kind));
            assert_eq!(serde_json::to_value(kind).ok(), Some(kind.as_str().into()));
        }
    }
}
