//! Attachments: those of a draft, which are kept, and those of a mail, which are read from its MIME when asked for.
//!
//! Owns the common view of both. Numbers count from one in the order of the MIME, so an attachment keeps its id for
//! the life of the message.

use std::sync::Arc;

use bytes::Bytes;
use mail_parser::{MimeHeaders, PartType};
use serde::{Deserialize, Serialize};

use crate::mail::message::{Content, Message, Seconds};

/// Attachments one draft may have; Exchange's own bound is 250.
pub const MAX_ATTACHMENTS: usize = 250;

/// A file, or another message.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum AttachmentKind {
    /// Bytes with a content type.
    File,
    /// A message as MIME.
    Item,
    /// An item that is not a message (an event, a contact): kept as the JSON it was given.
    OtherItem(#[serde(with = "crate::persist::encoding::shared")] Arc<serde_json::Value>),
}

/// An attachment of a draft.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DraftAttachment {
    pub number: u32,
    pub name: String,
    pub content_type: String,
    pub kind: AttachmentKind,
    #[serde(with = "crate::persist::encoding::base64")]
    pub bytes: Bytes,
    pub placement: Placement,
    pub content_id: Option<String>,
    pub content_location: Option<String>,
    pub modified: Seconds,
}

/// Where an attachment shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Placement {
    /// In the list of attachments.
    Attached,
    /// In the body, by `cid:`.
    Inline,
}

/// The attachments of a message, in order.
#[must_use]
pub fn of(message: &Message) -> Vec<Arc<DraftAttachment>> {
    match &message.content {
        Content::Draft(draft) => draft.attachments.clone(),
        Content::Mime(raw) => from_mime(&raw.bytes(), message.modified),
    }
}

/// Reads the attachments of a MIME message; their bytes are decoded copies.
#[must_use]
pub fn from_mime(bytes: &[u8], modified: Seconds) -> Vec<Arc<DraftAttachment>> {
    let Some(parsed) = crate::mail::mime::parse(bytes) else {
        return Vec::new();
    };
    parsed
        .attachments
        .iter()
        .filter_map(|id| parsed.parts.get(usize::try_from(*id).ok()?))
        .zip(1..)
        .map(|(part, number)| Arc::new(read_part(part, number, modified)))
        .collect()
}

fn read_part(part: &mail_parser::MessagePart<'_>, number: u32, modified: Seconds) -> DraftAttachment {
    let content_type = content_type(part);
    let (kind, bytes) = match &part.body {
        PartType::Message(inner) => (AttachmentKind::Item, Bytes::copy_from_slice(message_bytes(part, inner))),
        PartType::Text(text) | PartType::Html(text) => (AttachmentKind::File, Bytes::copy_from_slice(text.as_bytes())),
        PartType::Binary(bytes) | PartType::InlineBinary(bytes) => {
            (AttachmentKind::File, Bytes::copy_from_slice(bytes))
        }
        PartType::Multipart(_) => (AttachmentKind::File, Bytes::new()),
    };
    let name = part.attachment_name().map(str::to_owned).or_else(|| match &part.body {
        PartType::Message(inner) => inner.subject().map(str::to_owned),
        _ => None,
    });
    DraftAttachment {
        number,
        name: name
            .map(|name| name.replace('\0', ""))
            .unwrap_or_else(|| default_name(&content_type, number)),
        content_type,
        kind,
        bytes,
        placement: placement(part),
        content_id: part.content_id().map(str::to_owned),
        content_location: part.content_location().map(str::to_owned),
        modified,
    }
}

/// The bytes of an attached message. A nested message that was not transfer-encoded keeps offsets into the whole mail.
fn message_bytes<'a>(part: &mail_parser::MessagePart<'_>, inner: &'a mail_parser::Message<'_>) -> &'a [u8] {
    let raw = inner.raw_message.as_ref();
    let range = usize::try_from(part.offset_body)
        .ok()
        .zip(usize::try_from(part.offset_end).ok());
    match part.encoding {
        mail_parser::Encoding::None => range.and_then(|(start, end)| raw.get(start..end)).unwrap_or(raw),
        mail_parser::Encoding::Base64 | mail_parser::Encoding::QuotedPrintable => raw,
    }
}

fn content_type(part: &mail_parser::MessagePart<'_>) -> String {
    match part.content_type() {
        Some(found) => match &found.c_subtype {
            Some(subtype) => format!("{}/{subtype}", found.c_type).to_ascii_lowercase(),
            None => found.c_type.to_ascii_lowercase(),
        },
        None if part.is_text() => "text/plain".to_owned(),
        None => "application/octet-stream".to_owned(),
    }
}

/// A part is inline when it says so, or when the body can name it and it does not insist on being an attachment.
#[must_use]
pub fn placement(part: &mail_parser::MessagePart<'_>) -> Placement {
    let disposition = part.content_disposition();
    let named = part.content_id().is_some();
    match disposition {
        Some(found) if found.is_attachment() => Placement::Attached,
        Some(found) if found.is_inline() => Placement::Inline,
        _ if named && !matches!(part.body, PartType::Message(_)) => Placement::Inline,
        _ => Placement::Attached,
    }
}

fn default_name(content_type: &str, number: u32) -> String {
    let extension = match content_type {
        "text/plain" => "txt",
        "text/html" => "htm",
        "text/calendar" => "ics",
        "message/rfc822" => "eml",
        "image/png" => "png",
        "image/jpeg" => "jpg",
        "image/gif" => "gif",
        "application/pdf" => "pdf",
        _ => "dat",
    };
    format!("ATT{number:05}.{extension}")
}
