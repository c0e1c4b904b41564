//! A mail folder.

use serde::Deserialize;

use super::lenient;

/// A mail folder. Folders keep ordinary ids; only items have immutable ones.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MailFolder {
    #[serde(deserialize_with = "lenient::id")]
    pub id: String,
    /// Name in the mailbox's language.
    #[serde(default, deserialize_with = "lenient::text")]
    pub display_name: String,
    #[serde(default, deserialize_with = "lenient::option")]
    pub parent_folder_id: Option<String>,
    #[serde(default, deserialize_with = "lenient::option")]
    pub child_folder_count: Option<u64>,
    #[serde(default, deserialize_with = "lenient::option")]
    pub total_item_count: Option<u64>,
    #[serde(default, deserialize_with = "lenient::option")]
    pub unread_item_count: Option<u64>,
    #[serde(default, deserialize_with = "lenient::flag")]
    pub is_hidden: Option<bool>,
}
