//! One folder: its place in the tree, its messages by time, its counts and its log.
//!
//! Owns the counts, which are kept as messages come and go. It never holds messages themselves.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::mail::change_log::{ChangeLog, Seq};
use crate::mail::ids::{FolderKey, ItemKey};
use crate::mail::message::{Message, Seconds};
use crate::mail::well_known::{Visibility, WellKnown};

/// A folder of a mailbox.
#[derive(Debug, Serialize, Deserialize)]
pub struct Folder {
    pub key: FolderKey,
    /// Only the root has none.
    pub parent: Option<FolderKey>,
    pub name: String,
    pub well_known: Option<WellKnown>,
    pub visibility: Visibility,
    /// Oldest first.
    #[serde(skip)]
    pub by_time: BTreeSet<(Seconds, ItemKey)>,
    #[serde(skip)]
    pub unread: usize,
    #[serde(skip)]
    pub size: u64,
    pub log: ChangeLog,
    /// When the folder itself (name, place) last changed.
    pub changed: Seq,
}

impl Folder {
    /// An empty folder.
    #[must_use]
    pub fn new(key: FolderKey, parent: Option<FolderKey>, name: String, visibility: Visibility, changed: Seq) -> Self {
        Self {
            key,
            parent,
            name,
            well_known: None,
            visibility,
            by_time: BTreeSet::new(),
            unread: 0,
            size: 0,
            log: ChangeLog::default(),
            changed,
        }
    }

    /// Counts a message in.
    pub fn count_in(&mut self, message: &Message) {
        self.by_time.insert((message.received, message.key));
        self.unread += usize::from(!message.is_read);
        self.size += u64::from(message.size);
    }

    /// Counts a message out.
    pub fn count_out(&mut self, message: &Message) {
        self.by_time.remove(&(message.received, message.key));
        self.unread = self.unread.saturating_sub(usize::from(!message.is_read));
        self.size = self.size.saturating_sub(u64::from(message.size));
    }
}
