//! Messages as clients see them, with the reasons of what was decided about them.

use guichet_domain::{loop_guard::Verdict as LoopVerdict, threading::Reason};
use guichet_store as store;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{meetings::Meeting, parts::MessagePart};

/// A name and an address as they stood in the mail; the address may be malformed.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Party {
    pub name: String,
    pub address: String,
}

impl From<&store::Party> for Party {
    fn from(party: &store::Party) -> Self {
        Self {
            name: party.name.clone(),
            address: party.address.clone(),
        }
    }
}

/// Why a message is in its conversation.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Threading {
    /// `in_reply_to`, `references`, `token` or `no_evidence`.
    #[schema(value_type = String, example = "in_reply_to")]
    pub rule: guichet_domain::threading::Rule,
    /// What matched, or what was looked for in vain.
    pub evidence: String,
    /// The earlier conversation that the mail continues after its threading window had passed.
    pub continues: Option<Uuid>,
}

impl From<&Reason> for Threading {
    fn from(reason: &Reason) -> Self {
        Self {
            rule: reason.rule,
            evidence: reason.evidence.clone(),
            continues: reason.continues.map(|id| id.as_uuid()),
        }
    }
}

/// Whether a person or a machine wrote the mail.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Verdict {
    /// `person`, `auto_reply`, `report`, `list` or `own`.
    pub author: &'static str,
    /// Whether it may be answered automatically; a person may always answer by hand.
    pub may_auto_answer: bool,
    /// What led to the verdict.
    pub reasons: Vec<String>,
}

impl From<&LoopVerdict> for Verdict {
    fn from(verdict: &LoopVerdict) -> Self {
        Self {
            author: verdict.author.as_str(),
            may_auto_answer: verdict.may_auto_answer,
            reasons: verdict.reasons.clone(),
        }
    }
}

/// An attachment; its bytes are at `/v1/messages/{message}/attachments/{id}`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Attachment {
    pub id: Uuid,
    pub name: String,
    /// Media type as the sender declared it.
    pub content_type: String,
    /// Content-ID without angle brackets, by which HTML refers to it.
    pub content_id: Option<String>,
    /// Whether it is part of the text, for example a logo.
    pub inline: bool,
    /// Bytes.
    pub size: i64,
}

impl From<&store::NewAttachment> for Attachment {
    fn from(row: &store::NewAttachment) -> Self {
        Self {
            id: row.id.as_uuid(),
            name: row.name.clone(),
            content_type: row.content_type.clone(),
            content_id: row.content_id.clone(),
            inline: row.inline,
            size: row.size,
        }
    }
}

/// A message of a conversation.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Message {
    pub id: Uuid,
    pub conversation_id: Uuid,
    pub mailbox_id: Uuid,
    /// `inbound` (from the customer) or `outbound`.
    pub direction: &'static str,
    /// `received` for inbound; `queued`, `sent` or `failed` for outbound.
    pub state: String,
    /// Why it failed; empty otherwise.
    pub state_reason: String,
    /// Graph's immutable id; null until an outbound message is sent.
    pub immutable_id: Option<String>,
    /// Message-ID without angle brackets.
    pub internet_message_id: Option<String>,
    pub from: Vec<Party>,
    pub to: Vec<Party>,
    pub cc: Vec<Party>,
    pub reply_to: Vec<Party>,
    pub subject: String,
    /// Plain text.
    pub text: String,
    /// Sanitised HTML, if there is HTML. Show it in a sandboxed frame nevertheless.
    pub html: Option<String>,
    /// `text` in parts: joined in their order, they are `text`. What is forwarded is new, and so are quoted
    /// lines between which the author answered.
    pub text_parts: Vec<MessagePart>,
    /// `html` in parts, likewise; empty if there is no HTML. A part alone may leave elements open.
    pub html_parts: Vec<MessagePart>,
    /// Language of the new text, as a code of ISO 639-1; null if it is too short or not clear.
    #[schema(example = "fr")]
    pub language: Option<String>,
    /// `smime` or `pgp` if it has a signature, which nobody verified; null if it has none.
    #[schema(example = "smime")]
    pub signed: Option<&'static str>,
    /// `smime` or `pgp` if it, or a part of it, is encrypted: look for it among the attachments, or in the
    /// text. Null if nothing is.
    pub encrypted: Option<&'static str>,
    /// The meeting that it is about; null if it is about none.
    pub meeting: Option<Meeting>,
    /// Ways in which the mail deviates from the standards.
    pub deviations: Vec<String>,
    /// Whether `/v1/messages/{id}/mime` has its bytes.
    pub has_mime: bool,
    /// Bytes of the MIME.
    pub size: i64,
    #[schema(value_type = String, format = DateTime)]
    pub received_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub sent_at: Option<Timestamp>,
    /// Why it is in its conversation; null for outbound.
    pub threading: Option<Threading>,
    /// Who wrote it; null for outbound.
    pub verdict: Option<Verdict>,
    pub attachments: Vec<Attachment>,
}

impl From<&store::Message> for Message {
    fn from(row: &store::Message) -> Self {
        let parties = |list: &[store::Party]| list.iter().map(Into::into).collect();
        let content = &row.content;
        Self {
            id: row.id.as_uuid(),
            conversation_id: row.conversation.as_uuid(),
            mailbox_id: row.mailbox.as_uuid(),
            direction: row.direction.as_str(),
            state: row.state.clone(),
            state_reason: row.state_reason.clone(),
            immutable_id: row.immutable_id.as_ref().map(ToString::to_string),
            internet_message_id: row.internet_message_id.as_ref().map(ToString::to_string),
            from: parties(&content.from),
            to: parties(&content.to),
            cc: parties(&content.cc),
            reply_to: parties(&content.reply_to),
            subject: content.subject.clone(),
            text: content.text.clone(),
            html: content.html.clone(),
            text_parts: MessagePart::cut(&content.text, &content.text_parts),
            html_parts: MessagePart::cut(content.html.as_deref().unwrap_or_default(), &content.html_parts),
            language: content.language.clone(),
            signed: content.protection.signed.map(scheme),
            encrypted: content.protection.encrypted.map(scheme),
            meeting: content.meeting.as_ref().map(Into::into),
            deviations: content.deviations.clone(),
            has_mime: row.mime.is_some(),
            size: row.size,
            received_at: row.received_at,
            sent_at: row.sent_at,
            threading: row.threading.as_ref().map(Into::into),
            verdict: row.verdict.as_ref().map(Into::into),
            attachments: row.attachments.iter().map(Into::into).collect(),
        }
    }
}

const fn scheme(scheme: store::Scheme) -> &'static str {
    match scheme {
        store::Scheme::Smime => "smime",
        store::Scheme::Pgp => "pgp",
    }
}
