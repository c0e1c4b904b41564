//! What a client sends to reply, and what it gets back.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// A reply to a conversation. `text` or `html` is required; with both, `html` is sent.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReplyRequest {
    /// Plain text, at most 1 MB.
    #[serde(default)]
    pub text: Option<String>,
    /// HTML, at most 1 MB. It is sanitised: active and remote content is taken out.
    #[serde(default)]
    pub html: Option<String>,
    /// The inbound message to answer; without it the newest one of the conversation.
    #[serde(default)]
    pub answers: Option<Uuid>,
    /// Files to attach: at most 20, at most 20 MB in all.
    #[serde(default)]
    pub attachments: Vec<ReplyAttachment>,
}

/// A file of a reply.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReplyAttachment {
    /// File name: 1 to 255 characters without slashes and control characters.
    #[schema(example = "waybill.pdf")]
    pub name: String,
    /// Media type.
    #[schema(example = "application/pdf")]
    pub content_type: String,
    /// The bytes in base 64 (RFC 4648 section 4, with padding).
    #[schema(format = Byte)]
    pub content_base64: String,
}

/// The reply was stored and will be sent.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReplyAccepted {
    /// The outbound message; its `state` at `/v1/messages/{id}` tells how it goes on.
    pub message_id: Uuid,
    /// Always `queued`: the state in which it was accepted.
    pub state: &'static str,
}
