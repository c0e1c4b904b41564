//! Conversations as clients see them.

use guichet_domain::conversation as domain;
use guichet_store as store;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::Party;

/// State of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ConversationState {
    /// Nobody works on it yet; the customer had the last word.
    Open,
    /// An agent works on it.
    Assigned,
    /// We have answered; the customer has the word.
    Waiting,
    /// Done. A reply within the threading window reopens it.
    Closed,
}

impl From<domain::ConversationState> for ConversationState {
    fn from(state: domain::ConversationState) -> Self {
        match state {
            domain::ConversationState::Open => Self::Open,
            domain::ConversationState::Assigned => Self::Assigned,
            domain::ConversationState::Waiting => Self::Waiting,
            domain::ConversationState::Closed => Self::Closed,
        }
    }
}

impl From<ConversationState> for domain::ConversationState {
    fn from(state: ConversationState) -> Self {
        match state {
            ConversationState::Open => Self::Open,
            ConversationState::Assigned => Self::Assigned,
            ConversationState::Waiting => Self::Waiting,
            ConversationState::Closed => Self::Closed,
        }
    }
}

/// A conversation: what an agent works on.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Conversation {
    pub id: Uuid,
    pub mailbox_id: Uuid,
    /// Subject of its first mail.
    pub subject: String,
    pub state: ConversationState,
    /// Queue of conversations that it is in.
    pub queue: String,
    /// Route that put it there; null if none matched.
    pub route: Option<String>,
    /// 0 is the highest, 9 the lowest.
    pub priority: u8,
    /// Days after its close within which a reply reopens it.
    pub threading_window_days: u16,
    /// The customer.
    pub contact: Party,
    /// The conversation that this one continues after its threading window had passed.
    pub continues: Option<Uuid>,
    pub message_count: i64,
    #[schema(value_type = String, format = DateTime)]
    pub opened_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub last_activity_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub closed_at: Option<Timestamp>,
}

impl From<&store::Conversation> for Conversation {
    fn from(row: &store::Conversation) -> Self {
        Self {
            id: row.id.as_uuid(),
            mailbox_id: row.mailbox.as_uuid(),
            subject: row.subject.clone(),
            state: row.state.into(),
            queue: row.queue.clone(),
            route: row.route.clone(),
            priority: row.priority,
            threading_window_days: row.threading_window_days,
            contact: (&row.contact).into(),
            continues: row.continues.map(|id| id.as_uuid()),
            message_count: row.message_count,
            opened_at: row.opened_at,
            last_activity_at: row.last_activity_at,
            closed_at: row.closed_at,
        }
    }
}

/// What to change of a conversation.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConversationChange {
    /// Its new state.
    pub state: ConversationState,
}
