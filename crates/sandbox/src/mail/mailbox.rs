//! One mailbox: its messages, and the only ways in which they come, change, move and go.
//!
//! Owns the history: every coming, change and going of a message takes the next position, is entered in the log of
//! its folder and is noted for change notifications. Invariant: a message is in exactly one folder, and that folder's
//! log has exactly one entry for it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::mail::categories::{self, Category};
use crate::mail::change_log::Seq;
use crate::mail::conversation::Conversations;
use crate::mail::folder::Folder;
use crate::mail::ids::{FolderKey, IdCodec, IdError, ItemKey, ParsedId, Place};
use crate::mail::mailbox_settings::MailboxSettings;
use crate::mail::message::{Message, Seconds};
use crate::mail::refusal;
use crate::mail::saved::{Left, Unsaved};
use crate::mail::shown::ShownBodies;
use crate::mail::transport::delivery_state::DeliveryState;
use crate::mail::well_known::{DEFINITIONS, WellKnown};
use crate::odata::error::ODataError;

/// What a notification tells about a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    Created,
    Updated,
    Deleted,
}

/// One change that a subscription may want to hear of.
#[derive(Debug, Clone, Copy)]
pub struct Change {
    pub kind: ChangeKind,
    pub item: ItemKey,
    /// Where it is, or was before it went.
    pub place: Place,
    /// Number behind its etag.
    pub change: u32,
}

/// Whether a change shows in `changeKey` and `lastModifiedDateTime`. Reading a message does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Touch {
    Content,
    ReadState,
}

/// One mailbox.
#[derive(Debug, Serialize, Deserialize)]
pub struct Mailbox {
    pub user: Uuid,
    #[serde(skip)]
    pub codec: IdCodec,
    pub folders: BTreeMap<FolderKey, Folder>,
    #[serde(skip)]
    pub conversations: Conversations,
    pub settings: MailboxSettings,
    pub categories: Vec<Category>,
    #[serde(default)]
    pub delivery: DeliveryState,
    /// Folders that are gone, for the folder delta.
    pub gone_folders: Vec<(Seq, FolderKey)>,
    /// Tokens of the folder delta of another generation are expired.
    pub folder_generation: u32,
    #[serde(skip)]
    pub(super) messages: HashMap<ItemKey, Box<Message>>,
    /// All messages but the recoverable ones, oldest first.
    #[serde(skip)]
    pub(super) by_time: BTreeSet<(Seconds, ItemKey)>,
    well_known: HashMap<WellKnown, FolderKey>,
    next_folder: u32,
    pub(super) next_item: u32,
    pub(super) seq: Seq,
    pub(super) change: u32,
    #[serde(skip)]
    changes: Vec<Change>,
    /// Bodies as they were shown, over all mailboxes.
    #[serde(skip)]
    pub shown: Arc<ShownBodies>,
    /// What changed since the last save, where anything is saved.
    #[serde(skip)]
    pub unsaved: Option<Unsaved>,
}

impl Mailbox {
    /// An empty mailbox with the folders every mailbox has.
    #[must_use]
    pub fn new(user: Uuid) -> Self {
        let mut mailbox = Self {
            user,
            codec: IdCodec::new(user),
            folders: BTreeMap::new(),
            conversations: Conversations::default(),
            settings: MailboxSettings::default(),
            categories: categories::defaults(user),
            delivery: DeliveryState::default(),
            gone_folders: Vec::new(),
            folder_generation: 0,
            messages: HashMap::new(),
            by_time: BTreeSet::new(),
            well_known: HashMap::new(),
            next_folder: 0x0107,
            next_item: 0x0001_0000,
            seq: 0,
            change: 0,
            changes: Vec::new(),
            shown: Arc::default(),
            unsaved: None,
        };
        for definition in DEFINITIONS {
            let parent = mailbox.well_known.get(&definition.parent).copied();
            let key = mailbox.new_folder_key();
            let seq = mailbox.next_seq();
            let mut folder = Folder::new(
                key,
                parent,
                definition.display_name.to_owned(),
                definition.visibility,
                seq,
            );
            folder.well_known = Some(definition.folder);
            mailbox.well_known.insert(definition.folder, key);
            mailbox.folders.insert(key, folder);
        }
        mailbox
    }

    /// The next folder's key.
    pub fn new_folder_key(&mut self) -> FolderKey {
        self.next_folder += 1;
        FolderKey(self.next_folder)
    }

    /// The next position in the history.
    pub fn next_seq(&mut self) -> Seq {
        self.seq += 1;
        self.seq
    }

    /// The present position.
    #[must_use]
    pub fn seq(&self) -> Seq {
        self.seq
    }

    /// Key of a folder every mailbox has.
    #[must_use]
    pub fn well_known(&self, folder: WellKnown) -> FolderKey {
        *self
            .well_known
            .get(&folder)
            .expect("every mailbox is made with all well-known folders")
    }

    /// A folder by key.
    pub fn folder(&self, key: FolderKey) -> Result<&Folder, ODataError> {
        self.folders.get(&key).ok_or_else(refusal::item_not_found)
    }

    /// A folder by id or well-known name.
    pub fn resolve_folder(&self, id: &str) -> Result<FolderKey, ODataError> {
        if let Some(folder) = WellKnown::from_id_name(id) {
            return Ok(self.well_known(folder));
        }
        match self.codec.parse(id) {
            Ok(ParsedId::Folder(key)) => self.folder(key).map(|folder| folder.key),
            Ok(ParsedId::Message { .. } | ParsedId::Attachment { .. }) | Err(IdError::Malformed) => {
                Err(refusal::id_not_read(id))
            }
            Err(IdError::Foreign) => Err(refusal::item_not_found()),
        }
    }

    /// A message by either form of id.
    pub fn resolve(&self, id: &str) -> Result<&Message, ODataError> {
        match self.codec.parse(id) {
            Ok(ParsedId::Message { item, place }) => self.placed(item, place),
            Ok(ParsedId::Folder(_) | ParsedId::Attachment { .. }) | Err(IdError::Malformed) => {
                Err(refusal::id_not_read(id))
            }
            Err(IdError::Foreign) => Err(refusal::item_not_found()),
        }
    }

    /// A message, if it still lies where its default id says.
    pub fn placed(&self, item: ItemKey, place: Option<Place>) -> Result<&Message, ODataError> {
        self.get(item)
            .filter(|message| place.is_none_or(|place| place == message.place()))
            .ok_or_else(refusal::item_not_found)
    }

    /// A message by key.
    #[must_use]
    pub fn get(&self, item: ItemKey) -> Option<&Message> {
        self.messages.get(&item).map(Box::as_ref)
    }

    /// How many messages there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    /// Messages of one folder, or of all, newest first.
    pub fn newest_first(&self, folder: Option<FolderKey>) -> impl DoubleEndedIterator<Item = &Message> + '_ {
        let index = match folder {
            Some(key) => self.folders.get(&key).map(|folder| &folder.by_time),
            None => Some(&self.by_time),
        };
        index
            .into_iter()
            .flatten()
            .rev()
            .filter_map(|(_, item)| self.get(*item))
    }

    /// Puts a new message into a folder; its key, place and change number are given here.
    pub fn insert(&mut self, mut message: Message, folder: FolderKey) -> Result<ItemKey, ODataError> {
        self.folder(folder)?;
        self.next_item += 1;
        let key = ItemKey(self.next_item);
        let seq = self.next_seq();
        self.change += 1;
        message.key = key;
        message.folder = folder;
        message.moves = 0;
        message.change = self.change;
        message.log_seq = seq;
        message.entered = seq;
        if let Some(folder) = self.folders.get_mut(&folder) {
            folder.count_in(&message);
            folder.log.present(seq, key, None);
        }
        self.by_time.insert((message.received, key));
        self.note(ChangeKind::Created, &message);
        self.messages.insert(key, Box::new(message));
        Ok(key)
    }

    /// Changes a message in place.
    pub fn touch(&mut self, item: ItemKey, touch: Touch, now: Seconds, edit: impl FnOnce(&mut Message)) {
        let Some(mut message) = self.messages.remove(&item) else {
            return;
        };
        if let Some(folder) = self.folders.get_mut(&message.folder) {
            folder.count_out(&message);
        }
        self.by_time.remove(&(message.received, item));
        edit(&mut message);
        if touch == Touch::Content {
            self.change += 1;
            message.change = self.change;
            message.modified = now;
        }
        let seq = self.next_seq();
        if let Some(folder) = self.folders.get_mut(&message.folder) {
            folder.count_in(&message);
            folder.log.present(seq, item, Some(message.log_seq));
        }
        message.log_seq = seq;
        self.by_time.insert((message.received, item));
        self.note(ChangeKind::Updated, &message);
        self.messages.insert(item, message);
    }

    /// Moves a message, changing it on the way; its default id changes, its immutable id does not.
    pub fn relocate(
        &mut self,
        item: ItemKey,
        to: FolderKey,
        now: Seconds,
        edit: impl FnOnce(&mut Message),
    ) -> Result<(), ODataError> {
        self.folder(to)?;
        let mut message = self.messages.remove(&item).ok_or_else(refusal::item_not_found)?;
        self.depart(&message);
        self.by_time.remove(&(message.received, item));
        edit(&mut message);
        self.by_time.insert((message.received, item));
        let seq = self.next_seq();
        self.change += 1;
        message.folder = to;
        message.moves = message.moves.wrapping_add(1);
        message.change = self.change;
        message.modified = now;
        message.log_seq = seq;
        message.entered = seq;
        if let Some(folder) = self.folders.get_mut(&to) {
            folder.count_in(&message);
            folder.log.present(seq, item, None);
        }
        self.note(ChangeKind::Created, &message);
        self.messages.insert(item, message);
        Ok(())
    }

    /// Removes a message for good.
    pub fn remove(&mut self, item: ItemKey) {
        if let Some(message) = self.messages.remove(&item) {
            self.depart(&message);
            self.by_time.remove(&(message.received, item));
        }
    }

    fn depart(&mut self, message: &Message) {
        let seq = self.next_seq();
        if let Some(folder) = self.folders.get_mut(&message.folder) {
            folder.count_out(message);
            folder
                .log
                .departed(seq, message.key, message.moves, message.entered, message.log_seq);
        }
        if let Some(unsaved) = &mut self.unsaved {
            unsaved.left.push(Left {
                folder: message.folder,
                seq,
                item: message.key,
                moves: message.moves,
                entered: message.entered,
            });
        }
        self.note(ChangeKind::Deleted, message);
    }

    fn note(&mut self, kind: ChangeKind, message: &Message) {
        if let Some(unsaved) = &mut self.unsaved {
            unsaved.items.insert(message.key);
        }
        self.changes.push(Change {
            kind,
            item: message.key,
            place: message.place(),
            change: message.change,
        });
    }

    /// The changes since the last call, for notifications.
    pub fn take_changes(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.changes)
    }
}

#[cfg(test)]
mod tests;
