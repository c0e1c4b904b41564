//! One mailbox as it is saved: its head, its messages, what left its folders, and its conversations.
//!
//! Owns which changes of a mailbox are not yet saved, and the rebuilding of everything that follows from what is. It
//! touches no disk. Invariant: what one call of [`Mailbox::take_unsaved`] gives, together with everything given before,
//! is one consistent mailbox.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::mail::change_log::{Entry, Seq};
use crate::mail::conversation::Joined;
use crate::mail::folder::Folder;
use crate::mail::ids::{FolderKey, IdCodec, ItemKey};
use crate::mail::mailbox::Mailbox;
use crate::mail::message::{Content, Message};
use crate::persist::bodies::{Raw, Stored};

/// A message that left a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    #[serde(rename = "f")]
    pub folder: FolderKey,
    #[serde(rename = "s")]
    pub seq: Seq,
    #[serde(rename = "i")]
    pub item: ItemKey,
    #[serde(rename = "m")]
    pub moves: u16,
    #[serde(rename = "e")]
    pub entered: Seq,
}

/// What changed in a mailbox since it was last saved. Its head changes with everything.
#[derive(Debug, Default)]
pub struct Unsaved {
    /// Messages that came, changed or went.
    pub items: HashSet<ItemKey>,
    /// Oldest first.
    pub left: Vec<Left>,
    /// New entries of the index of conversations.
    pub joined: Vec<Joined>,
}

impl Mailbox {
    /// From here on, notes what is not yet saved.
    pub fn watch(&mut self) {
        self.unsaved.get_or_insert_default();
        self.conversations.unsaved.get_or_insert_default();
    }

    /// What changed since the last call.
    pub fn take_unsaved(&mut self) -> Unsaved {
        let mut unsaved = self.unsaved.replace(Unsaved::default()).unwrap_or_default();
        if let Some(joined) = self.conversations.unsaved.replace(Vec::new()) {
            unsaved.joined.extend(joined);
        }
        unsaved
    }

    /// Takes back what could not be saved.
    pub fn put_back(&mut self, mut taken: Unsaved) {
        let since = self.take_unsaved();
        taken.items.extend(since.items);
        taken.left.extend(since.left);
        taken.joined.extend(since.joined);
        self.unsaved = Some(taken);
    }

    /// Notes that all messages and everything else are to be saved.
    pub fn mark_all_unsaved(&mut self) {
        let mut left: Vec<Left> = Vec::new();
        for folder in self.folders.values() {
            left.extend(folder.log.departed_entries().filter_map(|(seq, entry)| match entry {
                Entry::Departed { item, moves, entered } => Some(Left {
                    folder: folder.key,
                    seq,
                    item,
                    moves,
                    entered,
                }),
                Entry::Present(_) => None,
            }));
        }
        self.take_unsaved();
        self.unsaved = Some(Unsaved {
            items: self.messages.keys().copied().collect(),
            left,
            joined: self.conversations.all().collect(),
        });
    }

    /// The bytes of a message if they are in memory only.
    #[must_use]
    pub fn held(&self, item: ItemKey) -> Option<Bytes> {
        match &self.get(item)?.content {
            Content::Mime(raw) => raw.held().cloned(),
            Content::Draft(_) => None,
        }
    }

    /// Notes that the bytes of a message are on disk now, unless it has other bytes meanwhile.
    pub fn settle(&mut self, item: ItemKey, bytes: &Bytes, stored: &Arc<Stored>) {
        if let Some(Content::Mime(raw)) = self.messages.get_mut(&item).map(|message| &mut message.content)
            && raw
                .held()
                .is_some_and(|held| held.as_ptr() == bytes.as_ptr() && held.len() == bytes.len())
        {
            *raw = Raw::Stored(Arc::clone(stored));
        }
    }

    /// Messages whose bytes lie in a segment.
    #[must_use]
    pub fn lying_in(&self, segment: u32) -> Vec<(ItemKey, Raw)> {
        let lying = self
            .messages
            .iter()
            .filter_map(|(item, message)| match &message.content {
                Content::Mime(raw) if raw.segment() == Some(segment) => Some((*item, raw.clone())),
                Content::Mime(_) | Content::Draft(_) => None,
            });
        lying.collect()
    }

    /// Notes that bytes which lay in one place on disk lie in another now; the message has to be saved again.
    pub fn resettle(&mut self, item: ItemKey, from: &Raw, to: &Arc<Stored>) {
        if let (Some(Content::Mime(raw)), Raw::Stored(from)) =
            (self.messages.get_mut(&item).map(|message| &mut message.content), from)
            && matches!(raw, Raw::Stored(now) if Arc::ptr_eq(now, from))
        {
            *raw = Raw::Stored(Arc::clone(to));
            self.unsaved.get_or_insert_default().items.insert(item);
        }
    }

    /// A mailbox from what was saved of it.
    ///
    /// # Errors
    /// When the parts contradict each other.
    pub fn restore(
        head: &str,
        messages: HashMap<ItemKey, Box<Message>>,
        left: Vec<Left>,
        joined: impl IntoIterator<Item = Joined>,
    ) -> Result<Self, String> {
        let mut mailbox: Self = serde_json::from_str(head).map_err(|error| format!("its head: {error}"))?;
        mailbox.codec = IdCodec::new(mailbox.user);
        mailbox.conversations.refill(joined);
        mailbox.by_time = messages
            .values()
            .map(|message| (message.received, message.key))
            .collect();
        let mut present: HashMap<FolderKey, Vec<&Message>> = HashMap::new();
        for message in messages.values() {
            mailbox.next_item = mailbox.next_item.max(message.key.0);
            mailbox.seq = mailbox.seq.max(message.log_seq);
            mailbox.change = mailbox.change.max(message.change);
            if !mailbox.folders.contains_key(&message.folder) {
                return Err(format!(
                    "the message {} lies in the folder {}, which there is not",
                    message.key.0, message.folder.0
                ));
            }
            present.entry(message.folder).or_default().push(message);
        }
        let mut gone: HashMap<FolderKey, Vec<(Seq, Entry)>> = HashMap::new();
        for left in left {
            mailbox.seq = mailbox.seq.max(left.seq);
            let Left {
                item, moves, entered, ..
            } = left;
            gone.entry(left.folder)
                .or_default()
                .push((left.seq, Entry::Departed { item, moves, entered }));
        }
        for folder in mailbox.folders.values_mut() {
            let mut departures = gone.remove(&folder.key).unwrap_or_default();
            departures.sort_by_key(|(seq, _)| *seq);
            refill(
                folder,
                present.get(&folder.key).map(Vec::as_slice).unwrap_or_default(),
                &departures,
            );
        }
        mailbox.messages = messages;
        Ok(mailbox)
    }
}

fn refill(folder: &mut Folder, messages: &[&Message], departures: &[(Seq, Entry)]) {
    folder.by_time = messages.iter().map(|message| (message.received, message.key)).collect();
    folder.unread = messages.iter().filter(|message| !message.is_read).count();
    folder.size = messages.iter().map(|message| u64::from(message.size)).sum();
    let present = messages.iter().map(|message| (message.log_seq, message.key));
    folder.log.refill(present, departures);
}

#[cfg(test)]
mod tests;
