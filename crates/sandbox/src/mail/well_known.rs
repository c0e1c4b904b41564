//! The folders every mailbox has from the start.
//!
//! Owns the names usable as ids (contract §2.4), the names shown to people, and where each folder hangs.

use serde::{Deserialize, Serialize};

/// A folder that exists in every mailbox and can be addressed by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum WellKnown {
    Root,
    MessageFolderRoot,
    Archive,
    Clutter,
    Conflicts,
    ConversationHistory,
    DeletedItems,
    Drafts,
    Inbox,
    JunkEmail,
    LocalFailures,
    Outbox,
    RecoverableItemsDeletions,
    Scheduled,
    SearchFolders,
    SentItems,
    ServerFailures,
    SyncIssues,
}

/// Whether a listing shows a folder only when asked for hidden ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Visibility {
    Shown,
    Hidden,
}

/// How one well-known folder is created.
#[derive(Debug, Clone, Copy)]
pub struct Definition {
    pub folder: WellKnown,
    /// The name usable as an id; empty for the root, which has none.
    pub id_name: &'static str,
    pub display_name: &'static str,
    pub parent: WellKnown,
    pub visibility: Visibility,
}

const fn shown(folder: WellKnown, id_name: &'static str, display_name: &'static str) -> Definition {
    Definition {
        folder,
        id_name,
        display_name,
        parent: WellKnown::MessageFolderRoot,
        visibility: Visibility::Shown,
    }
}

const fn hidden(folder: WellKnown, id_name: &'static str, display_name: &'static str, parent: WellKnown) -> Definition {
    Definition {
        folder,
        id_name,
        display_name,
        parent,
        visibility: Visibility::Hidden,
    }
}

/// Parents stand before their children.
pub const DEFINITIONS: [Definition; 18] = [
    hidden(WellKnown::Root, "", "Root", WellKnown::Root),
    hidden(
        WellKnown::MessageFolderRoot,
        "msgfolderroot",
        "Top of Information Store",
        WellKnown::Root,
    ),
    shown(WellKnown::Archive, "archive", "Archive"),
    shown(
        WellKnown::ConversationHistory,
        "conversationhistory",
        "Conversation History",
    ),
    shown(WellKnown::DeletedItems, "deleteditems", "Deleted Items"),
    shown(WellKnown::Drafts, "drafts", "Drafts"),
    shown(WellKnown::Inbox, "inbox", "Inbox"),
    shown(WellKnown::JunkEmail, "junkemail", "Junk Email"),
    shown(WellKnown::Outbox, "outbox", "Outbox"),
    shown(WellKnown::SentItems, "sentitems", "Sent Items"),
    hidden(WellKnown::Clutter, "clutter", "Clutter", WellKnown::MessageFolderRoot),
    hidden(
        WellKnown::Scheduled,
        "scheduled",
        "Scheduled",
        WellKnown::MessageFolderRoot,
    ),
    hidden(
        WellKnown::SyncIssues,
        "syncissues",
        "Sync Issues",
        WellKnown::MessageFolderRoot,
    ),
    hidden(WellKnown::Conflicts, "conflicts", "Conflicts", WellKnown::SyncIssues),
    hidden(
        WellKnown::LocalFailures,
        "localfailures",
        "Local Failures",
        WellKnown::SyncIssues,
    ),
    hidden(
        WellKnown::ServerFailures,
        "serverfailures",
        "Server Failures",
        WellKnown::SyncIssues,
    ),
    hidden(WellKnown::SearchFolders, "searchfolders", "Finder", WellKnown::Root),
    hidden(
        WellKnown::RecoverableItemsDeletions,
        "recoverableitemsdeletions",
        "Deletions",
        WellKnown::Root,
    ),
];

impl WellKnown {
    /// The name usable as an id; the root has none.
    #[must_use]
    pub fn id_name(self) -> Option<&'static str> {
        DEFINITIONS
            .iter()
            .find(|definition| definition.folder == self)
            .map(|definition| definition.id_name)
            .filter(|name| !name.is_empty())
    }

    /// The folder that a name in an URL stands for; case does not matter.
    #[must_use]
    pub fn from_id_name(name: &str) -> Option<Self> {
        DEFINITIONS
            .iter()
            .find(|definition| !definition.id_name.is_empty() && definition.id_name.eq_ignore_ascii_case(name))
            .map(|definition| definition.folder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_parent_stands_before_its_children() {
        for (index, definition) in DEFINITIONS.iter().enumerate() {
            let parent = DEFINITIONS
                .iter()
                .position(|other| other.folder == definition.parent)
                .unwrap();
            assert!(parent <= index, "{:?}", definition.folder);
        }
    }

    #[test]
    fn names_ignore_case_and_the_root_has_none() {
        assert_eq!(WellKnown::from_id_name("SentItems"), Some(WellKnown::SentItems));
        assert_eq!(WellKnown::from_id_name(""), None);
    }
}
