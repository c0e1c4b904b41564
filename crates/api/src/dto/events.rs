//! Events as the stream carries them.

use guichet_store as store;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// The data of an event.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Event {
    /// Place in the total order; also the `id` of the frame.
    pub seq: i64,
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// `conversation.opened`, `conversation.reopened`, `conversation.changed`, `message.received`,
    /// `message.quarantined`, `reply.accepted`, `reply.sent` or `reply.failed`; also the `event` of the
    /// frame. More kinds may come: ignore unknown ones.
    pub kind: &'static str,
    pub mailbox_id: Uuid,
    pub conversation_id: Option<Uuid>,
    pub message_id: Option<Uuid>,
}

impl From<&store::Event> for Event {
    fn from(row: &store::Event) -> Self {
        Self {
            seq: row.seq,
            at: row.at,
            kind: row.kind.as_str(),
            mailbox_id: row.mailbox.as_uuid(),
            conversation_id: row.conversation.map(|id| id.as_uuid()),
            message_id: row.message.map(|id| id.as_uuid()),
        }
    }
}
