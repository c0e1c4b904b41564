//! The life of a conversation.

use serde::{Deserialize, Serialize};

/// State of a conversation. A reply inside the threading window reopens a closed one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConversationState {
    /// Nobody works on it yet; the last word is the customer's.
    Open,
    /// An agent works on it.
    Assigned,
    /// We have answered; the customer has the word.
    Waiting,
    /// Done.
    Closed,
}

impl ConversationState {
    /// The text under which the state is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Assigned => "assigned",
            Self::Waiting => "waiting",
            Self::Closed => "closed",
        }
    }

    /// Reads what [`as_str`](Self::as_str) wrote.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Open, Self::Assigned, Self::Waiting, Self::Closed]
            .into_iter()
            .find(|s| s.as_str() == text)
    }

    /// The state after a customer's mail has joined. An agent who holds the conversation keeps it.
    pub const fn after_inbound(self) -> Self {
        match self {
            Self::Assigned => Self::Assigned,
            Self::Open | Self::Waiting | Self::Closed => Self::Open,
        }
    }

    /// The state after our answer was accepted.
    pub const fn after_reply(self) -> Self {
        match self {
            Self::Closed => Self::Closed,
            Self::Open | Self::Assigned | Self::Waiting => Self::Waiting,
        }
    }
}

/// Who wrote a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From the customer to us.
    Inbound,
    /// From us to the customer.
    Outbound,
}

impl Direction {
    /// The text under which the direction is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inbound => "inbound",
            Self::Outbound => "outbound",
        }
    }

    /// Reads what [`as_str`](Self::as_str) wrote.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Inbound, Self::Outbound].into_iter().find(|d| d.as_str() == text)
    }
}
