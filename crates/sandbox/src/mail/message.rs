//! One message as the store keeps it: what was read from the MIME once, and the bytes.
//!
//! Owns the compact record (below a kilobyte besides the raw bytes for a usual mail, so that a million fit in memory)
//! and never re-encodes what arrived: a received mail's bytes are [`Content::Mime`] for ever. Only a draft has
//! structured content that can change.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::mail::attachment::DraftAttachment;
use crate::mail::change_log::Seq;
use crate::mail::extended::ExtendedProperty;
use crate::mail::ids::{FolderKey, ItemKey, Place};
use crate::mail::meeting::ItemKind;
use crate::persist::bodies::Raw;

/// Seconds since 1970 UTC; Graph shows mail times to the second.
pub type Seconds = i64;

/// A name and an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Shown name; the address where none was given.
    pub name: Box<str>,
    /// Address, as written.
    pub address: Box<str>,
}

/// Who a message is from and to.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct People {
    pub from: Option<Box<Person>>,
    /// Only where it differs from `from`.
    pub sender: Option<Box<Person>>,
    pub to: Box<[Person]>,
    pub cc: Box<[Person]>,
    /// Kept on drafts and in Sent Items, never on the wire.
    pub bcc: Box<[Person]>,
    pub reply_to: Box<[Person]>,
}

impl People {
    /// The sender that Graph shows: `sender`, else `from`.
    #[must_use]
    pub fn shown_sender(&self) -> Option<&Person> {
        self.sender.as_deref().or(self.from.as_deref())
    }

    /// Everyone the message is addressed to.
    pub fn recipients(&self) -> impl Iterator<Item = &Person> {
        self.to.iter().chain(&self.cc).chain(&self.bcc)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub enum Importance {
    Low,
    #[default]
    Normal,
    High,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Inference {
    #[default]
    Focused,
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum FlagStatus {
    #[default]
    NotFlagged,
    Complete,
    Flagged,
}

/// A follow-up flag; its dates are kept as the client wrote them.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Flag {
    pub status: FlagStatus,
    pub start: Option<serde_json::Value>,
    pub due: Option<serde_json::Value>,
    pub completed: Option<serde_json::Value>,
}

/// Whether a message went through transport: one that never did has no Internet headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Origin {
    /// Created through the API and not sent.
    Created,
    /// Sent or received.
    Transported,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum BodyKind {
    Text,
    Html,
}

/// A body as written by the client or read from the MIME.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Body {
    pub kind: BodyKind,
    pub content: String,
}

/// The parts of a draft that its record does not hold.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DraftContent {
    pub body: Body,
    /// `x-` headers.
    pub headers: Vec<(String, String)>,
    #[serde(with = "crate::persist::encoding::shared_list")]
    pub attachments: Vec<Arc<DraftAttachment>>,
    /// Message-ID of the mail this one answers, with angle brackets.
    pub in_reply_to: Option<String>,
    /// Ancestors, oldest first, with angle brackets.
    pub references: Vec<String>,
    /// Number of the next attachment; never reused.
    pub next_attachment: u32,
}

impl DraftContent {
    /// A draft without attachments or ancestors.
    #[must_use]
    pub fn new(body: Body) -> Self {
        Self {
            body,
            headers: Vec::new(),
            attachments: Vec::new(),
            in_reply_to: None,
            references: Vec::new(),
            next_attachment: 1,
        }
    }
}

/// What a message is made of.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Content {
    /// Bytes exactly as they arrived or were sent.
    Mime(Raw),
    /// A draft; its MIME is composed when asked for.
    Draft(Box<DraftContent>),
}

/// One message.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Message {
    pub key: ItemKey,
    pub folder: FolderKey,
    /// How often it was moved; part of the default id.
    pub moves: u16,
    /// Number of its last change; becomes `changeKey`.
    pub change: u32,
    /// Where its entry stands in its folder's log.
    pub log_seq: Seq,
    /// When it came into its folder.
    pub entered: Seq,
    pub created: Seconds,
    pub modified: Seconds,
    pub received: Seconds,
    pub sent: Seconds,
    pub size: u32,
    pub is_read: bool,
    pub is_draft: bool,
    pub has_attachments: bool,
    pub read_receipt: bool,
    pub delivery_receipt: bool,
    pub importance: Importance,
    pub inference: Inference,
    pub origin: Origin,
    pub kind: ItemKind,
    pub subject: Box<str>,
    pub preview: Box<str>,
    pub internet_message_id: Box<str>,
    pub people: People,
    #[serde(with = "crate::persist::encoding::base64")]
    pub conversation: [u8; 16],
    #[serde(with = "crate::persist::encoding::base64")]
    pub conversation_index: Box<[u8]>,
    pub categories: Box<[String]>,
    pub flag: Option<Box<Flag>>,
    pub extended: Vec<ExtendedProperty>,
    pub content: Content,
}

impl Message {
    /// Where it lies, for its default id.
    #[must_use]
    pub fn place(&self) -> Place {
        Place {
            folder: self.folder,
            moves: self.moves,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_record_stays_compact() {
        assert!(size_of::<Message>() <= 512, "{}", size_of::<Message>());
    }
}
