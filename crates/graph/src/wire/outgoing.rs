//! What callers ask to be written into a mailbox.
//!
//! Owns the shapes of drafts and their JSON. Invariant: header fields of our own start with `x-`
//! and are few, since Exchange refuses others.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::attachment::NewAttachment;
use super::message::{ExtendedProperty, Header, ItemBody, Recipient};
use crate::class::Class;
use crate::error::{Error, Result};

/// Header fields of our own that Exchange takes on one message.
const MAX_HEADERS: usize = 5;

/// Who a reply is addressed to by Exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Audience {
    /// Whoever the original names in `Reply-To`, else its sender.
    #[default]
    Sender,
    /// The sender and every other recipient.
    Everyone,
}

/// Whether a sent mail is kept in the sent items.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SentCopy {
    /// Kept.
    #[default]
    Keep,
    /// Not kept.
    Discard,
}

/// A reply to be drafted.
#[derive(Clone, Default)]
pub struct ReplyDraft {
    /// The whole body as HTML, quoted history included.
    pub html: String,
    /// Who Exchange addresses it to.
    pub audience: Audience,
    /// Recipients to name in the request. Exchange's pages do not say clearly whether they join or
    /// replace those of the audience; to be sure set them with a [`DraftPatch`] afterwards.
    pub extra_to: Vec<Recipient>,
    /// As `extra_to`.
    pub extra_cc: Vec<Recipient>,
    /// Extended properties to stamp, as id and value.
    pub extended_properties: Vec<(String, String)>,
    /// Header fields of our own; names start with `x-`, at most five.
    pub headers: Vec<(String, String)>,
}

/// What to change on a draft. `None` leaves as it is, an empty list clears.
#[derive(Clone, Default)]
pub struct DraftPatch {
    pub subject: Option<String>,
    pub html: Option<String>,
    pub from: Option<Recipient>,
    pub to: Option<Vec<Recipient>>,
    pub cc: Option<Vec<Recipient>>,
    pub bcc: Option<Vec<Recipient>>,
    pub reply_to: Option<Vec<Recipient>>,
    /// Extended properties to stamp, as id and value.
    pub extended_properties: Vec<(String, String)>,
}

/// A new mail.
#[derive(Clone, Default)]
pub struct NewMessage {
    pub subject: String,
    /// The body; HTML if `html` is set, else `text`.
    pub html: Option<String>,
    pub text: String,
    pub from: Option<Recipient>,
    pub to: Vec<Recipient>,
    pub cc: Vec<Recipient>,
    pub bcc: Vec<Recipient>,
    pub reply_to: Vec<Recipient>,
    /// Header fields of our own; names start with `x-`, at most five.
    pub headers: Vec<(String, String)>,
    /// Extended properties to stamp, as id and value.
    pub extended_properties: Vec<(String, String)>,
    /// Small files only: the whole request must stay below 4 MB.
    pub attachments: Vec<NewAttachment>,
}

/// The writable part of a message; what is `None` or empty is not sent.
#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WireMessage<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<ItemBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<&'a Recipient>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to_recipients: Option<&'a [Recipient]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cc_recipients: Option<&'a [Recipient]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bcc_recipients: Option<&'a [Recipient]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_to: Option<&'a [Recipient]>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    internet_message_headers: Vec<Header>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    single_value_extended_properties: Vec<ExtendedProperty>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attachments: Vec<WireAttachment<'a>>,
}

/// A file attachment with its content.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WireAttachment<'a> {
    #[serde(rename = "@odata.type")]
    odata_type: &'static str,
    name: &'a str,
    content_type: &'a str,
    is_inline: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_id: Option<&'a str>,
    content_bytes: String,
}

impl ReplyDraft {
    pub(crate) fn wire(&self) -> Result<WireMessage<'_>> {
        Ok(WireMessage {
            body: Some(html_body(&self.html)),
            to_recipients: some_if_any(&self.extra_to),
            cc_recipients: some_if_any(&self.extra_cc),
            internet_message_headers: headers(&self.headers)?,
            single_value_extended_properties: properties(&self.extended_properties),
            ..WireMessage::default()
        })
    }
}

impl DraftPatch {
    pub(crate) fn wire(&self) -> WireMessage<'_> {
        WireMessage {
            subject: self.subject.as_deref(),
            body: self.html.as_deref().map(html_body),
            from: self.from.as_ref(),
            to_recipients: self.to.as_deref(),
            cc_recipients: self.cc.as_deref(),
            bcc_recipients: self.bcc.as_deref(),
            reply_to: self.reply_to.as_deref(),
            single_value_extended_properties: properties(&self.extended_properties),
            ..WireMessage::default()
        }
    }
}

impl NewMessage {
    pub(crate) fn wire(&self) -> Result<WireMessage<'_>> {
        let text = || ItemBody {
            content_type: "text".to_owned(),
            content: self.text.clone(),
        };
        Ok(WireMessage {
            subject: Some(&self.subject),
            body: Some(self.html.as_deref().map_or_else(text, html_body)),
            from: self.from.as_ref(),
            to_recipients: some_if_any(&self.to),
            cc_recipients: some_if_any(&self.cc),
            bcc_recipients: some_if_any(&self.bcc),
            reply_to: some_if_any(&self.reply_to),
            internet_message_headers: headers(&self.headers)?,
            single_value_extended_properties: properties(&self.extended_properties),
            attachments: self.attachments.iter().map(NewAttachment::wire).collect(),
        })
    }
}

impl NewAttachment {
    pub(crate) fn wire(&self) -> WireAttachment<'_> {
        WireAttachment {
            odata_type: "#microsoft.graph.fileAttachment",
            name: &self.name,
            content_type: &self.content_type,
            is_inline: self.is_inline,
            content_id: self.content_id.as_deref(),
            content_bytes: STANDARD.encode(&self.content),
        }
    }
}

fn html_body(html: &str) -> ItemBody {
    ItemBody {
        content_type: "html".to_owned(),
        content: html.to_owned(),
    }
}

fn some_if_any(recipients: &[Recipient]) -> Option<&[Recipient]> {
    (!recipients.is_empty()).then_some(recipients)
}

fn properties(pairs: &[(String, String)]) -> Vec<ExtendedProperty> {
    pairs
        .iter()
        .map(|(id, value)| ExtendedProperty {
            id: id.clone(),
            value: value.clone(),
        })
        .collect()
}

fn headers(pairs: &[(String, String)]) -> Result<Vec<Header>> {
    let refuse = |why: String| Err(Error::new(Class::Invalid, "write message", "unusable_header", why));
    if pairs.len() > MAX_HEADERS {
        return refuse(format!(
            "{} header fields of our own; Exchange takes {MAX_HEADERS}",
            pairs.len()
        ));
    }
    if let Some((name, _)) = pairs
        .iter()
        .find(|(name, _)| !name.to_ascii_lowercase().starts_with("x-"))
    {
        return refuse(format!("header field `{name}`; names of our own must start with x-"));
    }
    if let Some((name, _)) = pairs.iter().find(|(_, value)| value.contains(['\r', '\n'])) {
        return refuse(format!("header field `{name}` holds a line break"));
    }
    Ok(pairs
        .iter()
        .map(|(name, value)| Header {
            name: name.clone(),
            value: value.clone(),
        })
        .collect())
}

impl fmt::Debug for ReplyDraft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplyDraft")
            .field("html_bytes", &self.html.len())
            .field("audience", &self.audience)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for DraftPatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DraftPatch")
            .field("html_bytes", &self.html.as_ref().map(String::len))
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for NewMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let recipients = self.to.len() + self.cc.len() + self.bcc.len();
        f.debug_struct("NewMessage")
            .field("recipients", &recipients)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reply_names_only_what_is_set() {
        let draft = ReplyDraft {
            html: "<p>hi</p>".into(),
            extended_properties: vec![("String {guid} Name X".into(), "1".into())],
            ..ReplyDraft::default()
        };
        assert_eq!(
            serde_json::to_value(draft.wire().unwrap()).unwrap(),
            serde_json::json!({
                "body": {"contentType": "html", "content": "<p>hi</p>"},
                "singleValueExtendedProperties": [{"id": "String {guid} Name X", "value": "1"}],
            })
        );
    }

    #[test]
    fn patch_can_clear_recipients() {
        let patch = DraftPatch {
            cc: Some(Vec::new()),
            ..DraftPatch::default()
        };
        assert_eq!(
            serde_json::to_value(patch.wire()).unwrap(),
            serde_json::json!({"ccRecipients": []})
        );
    }

    #[test]
    fn headers_that_exchange_refuses_are_refused_first() {
        let with = |headers: Vec<(&str, &str)>| ReplyDraft {
            headers: headers.into_iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect(),
            ..ReplyDraft::default()
        };
        assert!(with(vec![("X-Ours", "1")]).wire().is_ok());
        assert!(with(vec![("References", "<a@b>")]).wire().is_err());
        assert!(with(vec![("x-ours", "a\r\nBcc: b@c")]).wire().is_err());
        assert!(with(vec![("x-a", "1"); 6]).wire().is_err());
    }
}
