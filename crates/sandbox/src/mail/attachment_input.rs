//! Attachments as a client writes them in JSON.
//!
//! Owns the three kinds (a file, a message, another item) and the decoding of their bytes. It stores nothing; a number
//! is given when an attachment is added to a draft.

use std::sync::Arc;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use serde_json::Value;

use crate::mail::attachment::{AttachmentKind, DraftAttachment, Placement};
use crate::mail::compose;
use crate::mail::draft;
use crate::mail::fields::Fields;
use crate::mail::message::Seconds;
use crate::mail::message_input::{MessageInput, one_line};
use crate::mail::refusal;
use crate::odata::error::ODataError;

/// Messages attached to messages attached to messages.
pub(super) const MAX_ITEM_DEPTH: usize = 4;

/// Base64 as clients send it: padded or not.
pub const LENIENT_BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// An attachment as a client writes it; its number is given when it is added.
pub fn read(value: &Value, now: Seconds) -> Result<DraftAttachment, ODataError> {
    read_at(value, now, MAX_ITEM_DEPTH)
}

/// The same with `depth` levels of attached messages left.
pub(super) fn read_at(value: &Value, now: Seconds, depth: usize) -> Result<DraftAttachment, ODataError> {
    let depth = depth
        .checked_sub(1)
        .ok_or_else(|| ODataError::bad_request("Item attachments are nested too deeply."))?;
    let fields = Fields::of(value)?;
    let kind = value
        .get("@odata.type")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_ascii_lowercase();
    if kind.ends_with("referenceattachment") {
        return Err(ODataError::unsupported("reference attachments"));
    }
    let name = one_line(fields.text("name")?.unwrap_or_default());
    let placement = if fields.boolean("isInline")?.unwrap_or(false) {
        Placement::Inline
    } else {
        Placement::Attached
    };
    let content_id = fields
        .text("contentId")?
        .map(|id| one_line(id).trim_matches(['<', '>']).to_owned());
    let (kind, bytes, content_type) = if kind.ends_with("itemattachment") || fields.get("item").is_some() {
        let (kind, bytes) = item(fields, now, depth)?;
        (kind, bytes, "message/rfc822".to_owned())
    } else {
        let encoded = fields
            .text("contentBytes")?
            .ok_or_else(|| ODataError::bad_request("A file attachment needs the property 'contentBytes'."))?;
        let given = fields
            .text("contentType")?
            .map(one_line)
            .filter(|given| given.contains('/'));
        (
            AttachmentKind::File,
            decode(encoded, "contentBytes")?,
            given.unwrap_or_else(|| type_by_name(&name).to_owned()),
        )
    };
    Ok(DraftAttachment {
        number: 0,
        name: if name.is_empty() { "attachment".to_owned() } else { name },
        content_type,
        kind,
        bytes,
        placement,
        content_id,
        content_location: fields.text("contentLocation")?.map(one_line),
        modified: now,
    })
}

fn item(fields: Fields<'_>, now: Seconds, depth: usize) -> Result<(AttachmentKind, Bytes), ODataError> {
    let item = fields
        .get("item")
        .ok_or_else(|| ODataError::bad_request("An item attachment needs the property 'item'."))?;
    let kind = item
        .get("@odata.type")
        .and_then(Value::as_str)
        .unwrap_or("message")
        .to_ascii_lowercase();
    if !kind.ends_with("message") {
        let bytes = serde_json::to_vec(item).map_err(|_| refusal::bad_property("item", "an object"))?;
        return Ok((AttachmentKind::OtherItem(Arc::new(item.clone())), bytes.into()));
    }
    let input = MessageInput::read_at(Fields::of(item)?, now, depth)?;
    let id = input
        .internet_message_id
        .clone()
        .unwrap_or_else(|| "<attached@item.invalid>".to_owned());
    let message = draft::from_input(
        input,
        draft::Making {
            at: now,
            message_id: id,
            conversation: [0; 16],
        },
    )?;
    Ok((AttachmentKind::Item, compose::message(&message)))
}

/// Decodes base64 in a JSON property.
pub fn decode(encoded: &str, name: &str) -> Result<Bytes, ODataError> {
    let compact: Vec<u8> = encoded.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    LENIENT_BASE64
        .decode(compact)
        .map(Bytes::from)
        .map_err(|_| refusal::bad_property(name, "base64"))
}

/// The content type that a file name suggests.
#[must_use]
pub fn type_by_name(name: &str) -> &'static str {
    let extension = name
        .rsplit_once('.')
        .map(|(_, extension)| extension.to_ascii_lowercase())
        .unwrap_or_default();
    match extension.as_str() {
        "txt" | "log" => "text/plain",
        "htm" | "html" => "text/html",
        "csv" => "text/csv",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "pdf" => "application/pdf",
        "zip" => "application/zip",
        "ics" => "text/calendar",
        "xml" => "text/xml",
        "json" => "application/json",
        "docx" => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn attachments_are_decoded_leniently() {
        let file = read(&json!({"name": "smile.gif", "contentBytes": "R0lGODdhEAYEAA7"}), 0).unwrap();
        assert_eq!(file.content_type, "image/gif");
        assert!(read(&json!({"name": "x", "contentBytes": "%%%"}), 0).is_err());
        let item = json!({"@odata.type": "#microsoft.graph.itemAttachment", "name": "n", "item": {"@odata.type": "microsoft.graph.message", "subject": "inner"}});
        let item = read(&item, 0).unwrap();
        assert!(String::from_utf8_lossy(&item.bytes).contains("Subject: inner"));
    }
}
