//! A page of a delta round.

use std::fmt;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::lenient;
use super::message::ExtendedProperty;

/// Where a delta page starts.
#[derive(Debug, Clone, Copy)]
pub enum DeltaFrom<'a> {
    /// At the beginning of the folder.
    Start {
        /// Properties wanted for each message; the round keeps them to its end.
        select: &'a [&'a str],
        /// Most items for one page, from 1.
        page_size: u32,
    },
    /// At a link that an earlier page gave.
    Link {
        /// The link, unchanged.
        link: &'a str,
        /// Most items for one page; Graph forgets it unless it is repeated.
        page_size: u32,
    },
}

/// One page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeltaPage {
    /// What changed, in the order of the page. May be empty although more pages follow.
    pub items: Vec<DeltaItem>,
    /// How to go on.
    pub next: DeltaNext,
    /// Items that had no id and were left out. Never seen so far; worth a warning.
    pub unreadable: usize,
}

/// One change. Microsoft replays changes now and then, so the same item may come again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeltaItem {
    /// The message is new in the folder or has changed.
    Upsert(MessageSummary),
    /// The message has left the folder: deleted, or moved.
    Removed {
        /// Immutable id.
        id: String,
    },
}

/// How a round goes on. Keep the link as it is.
#[derive(Clone, PartialEq, Eq)]
pub enum DeltaNext {
    /// More pages of this round.
    More(String),
    /// The round is complete; the link starts the next one.
    Done(String),
}

/// What a delta page tells of a message.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MessageSummary {
    /// Immutable id.
    #[serde(deserialize_with = "lenient::id")]
    pub id: String,
    #[serde(default, deserialize_with = "lenient::option")]
    pub subject: Option<String>,
    /// Exchange's conversation.
    #[serde(default, deserialize_with = "lenient::option")]
    pub conversation_id: Option<String>,
    /// Value of the `Message-ID` header, in angle brackets.
    #[serde(default, deserialize_with = "lenient::option")]
    pub internet_message_id: Option<String>,
    #[serde(default, deserialize_with = "lenient::option")]
    pub parent_folder_id: Option<String>,
    #[serde(rename = "receivedDateTime", default, deserialize_with = "lenient::option")]
    pub received_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "lenient::flag")]
    pub is_read: Option<bool>,
    #[serde(default, deserialize_with = "lenient::flag")]
    pub is_draft: Option<bool>,
    #[serde(default, deserialize_with = "lenient::flag")]
    pub has_attachments: Option<bool>,
    /// Extended properties; of a round that began at the start, the size alone.
    #[serde(
        rename = "singleValueExtendedProperties",
        default,
        deserialize_with = "lenient::list"
    )]
    extended_properties: Vec<ExtendedProperty>,
}

impl MessageSummary {
    /// Of a message of which only the id is known.
    pub fn new(id: String) -> Self {
        Self {
            id,
            subject: None,
            conversation_id: None,
            internet_message_id: None,
            parent_folder_id: None,
            received_at: None,
            is_read: None,
            is_draft: None,
            has_attachments: None,
            extended_properties: Vec::new(),
        }
    }

    /// Size in bytes as Exchange counts it (`PidTagMessageSize`), which is near that of the MIME; unknown in rounds
    /// that began before it was asked for.
    pub fn size(&self) -> Option<u64> {
        self.extended_properties
            .iter()
            .find_map(|property| property.value.parse().ok())
    }
}

/// A page as it comes; the items one by one, so that an odd one spoils no other.
#[derive(Deserialize)]
pub(crate) struct WirePage {
    #[serde(default)]
    pub value: Vec<Value>,
    #[serde(rename = "@odata.nextLink", default)]
    pub next_link: Option<String>,
    #[serde(rename = "@odata.deltaLink", default)]
    pub delta_link: Option<String>,
}

impl WirePage {
    /// The items, and the number of those that could not be read.
    pub(crate) fn items(values: Vec<Value>) -> (Vec<DeltaItem>, usize) {
        let total = values.len();
        let items: Vec<DeltaItem> = values.into_iter().filter_map(item).collect();
        let unreadable = total - items.len();
        (items, unreadable)
    }
}

fn item(value: Value) -> Option<DeltaItem> {
    if value.get("@removed").is_some() {
        let id = value.get("id")?.as_str().filter(|id| !id.is_empty())?;
        return Some(DeltaItem::Removed { id: id.to_owned() });
    }
    serde_json::from_value(value).ok().map(DeltaItem::Upsert)
}

impl fmt::Debug for DeltaNext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The links hold the cursor, which reads the folder for whoever also has a token.
        f.write_str(match self {
            Self::More(_) => "More(…)",
            Self::Done(_) => "Done(…)",
        })
    }
}

impl fmt::Debug for MessageSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageSummary")
            .field("id", &self.id)
            .field("received_at", &self.received_at)
            .field("is_read", &self.is_read)
            .field("is_draft", &self.is_draft)
            .finish_non_exhaustive()
    }
}
