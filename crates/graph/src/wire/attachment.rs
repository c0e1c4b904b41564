//! Attachments and the sessions that upload large ones.

use std::fmt;

use bytes::Bytes;
use jiff::Timestamp;
use serde::Deserialize;
use url::Url;

use super::lenient;

/// What Graph tells of an attachment, without its content.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AttachmentInfo {
    #[serde(deserialize_with = "lenient::id")]
    pub id: String,
    /// Empty where there is none.
    #[serde(default, deserialize_with = "lenient::text")]
    pub name: String,
    #[serde(default, deserialize_with = "lenient::option")]
    pub content_type: Option<String>,
    /// Size in bytes as stored, which is larger than the file.
    #[serde(default, deserialize_with = "lenient::option")]
    pub size: Option<u64>,
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub is_inline: bool,
    /// Name under which HTML refers to it (`cid:`); file attachments only.
    #[serde(default, deserialize_with = "lenient::option")]
    pub content_id: Option<String>,
    #[serde(rename = "@odata.type", default, deserialize_with = "lenient::or_default")]
    pub kind: AttachmentKind,
}

/// The kinds of attachment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AttachmentKind {
    /// A file.
    File,
    /// A message, event or contact.
    Item,
    /// A link to a file in the cloud.
    Reference,
    /// Not told, or unknown.
    #[default]
    Unknown,
}

/// A file to attach.
#[derive(Clone, PartialEq, Eq)]
pub struct NewAttachment {
    pub name: String,
    pub content_type: String,
    /// Name under which HTML refers to it (`cid:`).
    pub content_id: Option<String>,
    pub is_inline: bool,
    pub content: Bytes,
}

/// A started upload. Its address authorises whoever has it.
#[derive(Clone)]
pub struct UploadSession {
    pub(crate) url: Url,
    /// When the session ends.
    pub expires_at: Option<Timestamp>,
    /// First byte that is expected.
    pub expected: u64,
}

/// How far an upload is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UploadProgress {
    /// The session expects bytes from this offset on.
    Expects(u64),
    /// Everything has arrived.
    Complete {
        /// The new attachment's id, where the answer tells it.
        id: Option<String>,
    },
}

/// `{uploadUrl, expirationDateTime, nextExpectedRanges}`; the upload host spells the names with a
/// capital.
#[derive(Deserialize)]
pub(crate) struct WireSession {
    #[serde(rename = "uploadUrl", alias = "UploadUrl", default)]
    pub upload_url: Option<Url>,
    #[serde(
        rename = "expirationDateTime",
        alias = "ExpirationDateTime",
        default,
        deserialize_with = "lenient::option"
    )]
    pub expires_at: Option<Timestamp>,
    #[serde(
        rename = "nextExpectedRanges",
        alias = "NextExpectedRanges",
        default,
        deserialize_with = "lenient::list"
    )]
    pub ranges: Vec<String>,
}

impl WireSession {
    /// The first expected byte: `0-`, `2097152` or `5-9`.
    pub(crate) fn expected(&self) -> Option<u64> {
        self.ranges.first()?.split('-').next()?.trim().parse().ok()
    }
}

impl<'de> Deserialize<'de> for AttachmentKind {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // With or without the leading `#`; both occur.
        Ok(match String::deserialize(deserializer)?.trim_start_matches('#') {
            "microsoft.graph.fileAttachment" => Self::File,
            "microsoft.graph.itemAttachment" => Self::Item,
            "microsoft.graph.referenceAttachment" => Self::Reference,
            _ => Self::Unknown,
        })
    }
}

impl fmt::Debug for AttachmentInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // File names are mail content.
        f.debug_struct("AttachmentInfo")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for NewAttachment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewAttachment")
            .field("content_type", &self.content_type)
            .field("is_inline", &self.is_inline)
            .field("bytes", &self.content.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for UploadSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UploadSession")
            .field("host", &self.url.host_str())
            .field("expires_at", &self.expires_at)
            .field("expected", &self.expected)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expected_byte_is_read_in_every_spelling() {
        for (json, expected) in [
            (r#"{"nextExpectedRanges":["0-"]}"#, Some(0)),
            (r#"{"NextExpectedRanges":["2097152"]}"#, Some(2_097_152)),
            (r#"{"nextExpectedRanges":["5-9","20-"]}"#, Some(5)),
            (r#"{"nextExpectedRanges":[]}"#, None),
        ] {
            let session: WireSession = serde_json::from_str(json).unwrap();
            assert_eq!(session.expected(), expected, "{json}");
        }
    }
}
