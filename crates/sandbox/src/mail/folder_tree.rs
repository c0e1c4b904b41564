//! The tree of folders: creating, renaming, moving, copying and deleting.
//!
//! Owns the rules that names are unique below one parent (case ignored), that no folder becomes its own descendant,
//! and that the folders every mailbox has stay where they are.

use crate::mail::change_log::Seq;
use crate::mail::folder::Folder;
use crate::mail::ids::{FolderKey, ItemKey};
use crate::mail::locale;
use crate::mail::mailbox::Mailbox;
use crate::mail::message::Seconds;
use crate::mail::refusal;
use crate::mail::well_known::{Visibility, WellKnown};
use crate::odata::error::ODataError;

/// Folders per mailbox; Exchange's own bound.
const MAX_FOLDERS: usize = 10_000;
/// Characters of a display name; Exchange's own bound.
const MAX_NAME: usize = 255;
/// Gone folders remembered for the folder delta.
const MAX_GONE: usize = 10_000;

impl Mailbox {
    /// Direct children, by name.
    #[must_use]
    pub fn children(&self, parent: FolderKey) -> Vec<&Folder> {
        let mut children: Vec<&Folder> = self
            .folders
            .values()
            .filter(|folder| folder.parent == Some(parent))
            .collect();
        children.sort_by_key(|folder| folder.name.to_lowercase());
        children
    }

    /// How many direct children show without being asked for.
    #[must_use]
    pub fn child_count(&self, parent: FolderKey) -> usize {
        self.folders
            .values()
            .filter(|folder| folder.parent == Some(parent) && folder.visibility == Visibility::Shown)
            .count()
    }

    fn free_name(&self, parent: FolderKey, name: &str, except: Option<FolderKey>) -> Result<String, ODataError> {
        let name = name.trim();
        if name.is_empty() || name.chars().count() > MAX_NAME {
            return Err(ODataError::bad_request(format!(
                "A folder name has 1 to {MAX_NAME} characters."
            )));
        }
        let lower = name.to_lowercase();
        let taken = self.folders.values().any(|folder| {
            folder.parent == Some(parent) && Some(folder.key) != except && folder.name.to_lowercase() == lower
        });
        if taken {
            Err(refusal::folder_exists())
        } else {
            Ok(name.to_owned())
        }
    }

    /// Creates a folder.
    pub fn create_folder(
        &mut self,
        parent: FolderKey,
        name: &str,
        visibility: Visibility,
    ) -> Result<FolderKey, ODataError> {
        self.folder(parent)?;
        let name = self.free_name(parent, name, None)?;
        if self.folders.len() >= MAX_FOLDERS {
            return Err(ODataError::bad_request(format!(
                "A mailbox has at most {MAX_FOLDERS} folders."
            )));
        }
        let key = self.new_folder_key();
        let seq = self.next_seq();
        self.folders
            .insert(key, Folder::new(key, Some(parent), name, visibility, seq));
        Ok(key)
    }

    fn ordinary(&self, key: FolderKey) -> Result<&Folder, ODataError> {
        let folder = self.folder(key)?;
        if folder.well_known.is_some() {
            Err(refusal::distinguished_folder())
        } else {
            Ok(folder)
        }
    }

    /// Renames a folder.
    pub fn rename_folder(&mut self, key: FolderKey, name: &str) -> Result<(), ODataError> {
        let folder = self.folder(key)?;
        if folder.name == name.trim() {
            return Ok(());
        }
        let parent = self.ordinary(key)?.parent.ok_or_else(refusal::distinguished_folder)?;
        let name = self.free_name(parent, name, Some(key))?;
        let seq = self.next_seq();
        if let Some(folder) = self.folders.get_mut(&key) {
            folder.name = name;
            folder.changed = seq;
        }
        Ok(())
    }

    /// Gives the mailbox a language; the folders it has from the start are called what that language calls them, unless
    /// another folder beside them has the name.
    pub fn speak(&mut self, locale: &str) {
        locale.clone_into(&mut self.settings.locale);
        let named: Vec<(FolderKey, &str)> = self
            .folders
            .values()
            .filter_map(|folder| Some((folder.key, locale::folder_name(folder.well_known?, locale)?)))
            .collect();
        for (key, name) in named {
            let Some(parent) = self.folders.get(&key).and_then(|folder| folder.parent) else {
                continue;
            };
            if let Ok(name) = self.free_name(parent, name, Some(key)) {
                self.hang(key, parent, name);
            }
        }
    }

    /// Moves a folder with all it contains; its id stays.
    pub fn move_folder(&mut self, key: FolderKey, to: FolderKey) -> Result<(), ODataError> {
        let name = self.ordinary(key)?.name.clone();
        self.folder(to)?;
        if self.is_within(to, key) {
            return Err(ODataError::bad_request(
                "A folder cannot be moved into itself or one of its own folders.",
            ));
        }
        let name = self.free_name(to, &name, Some(key))?;
        self.hang(key, to, name);
        Ok(())
    }

    fn hang(&mut self, key: FolderKey, parent: FolderKey, name: String) {
        let seq = self.next_seq();
        if let Some(folder) = self.folders.get_mut(&key) {
            folder.parent = Some(parent);
            folder.name = name;
            folder.changed = seq;
        }
    }

    /// Whether `key` is `ancestor` or below it.
    #[must_use]
    pub fn is_within(&self, key: FolderKey, ancestor: FolderKey) -> bool {
        let mut at = Some(key);
        while let Some(current) = at {
            if current == ancestor {
                return true;
            }
            at = self.folders.get(&current).and_then(|folder| folder.parent);
        }
        false
    }

    /// Deletes a folder: into Deleted Items first, for good when it is already there.
    pub fn delete_folder(&mut self, key: FolderKey) -> Result<(), ODataError> {
        let name = self.ordinary(key)?.name.clone();
        let bin = self.well_known(WellKnown::DeletedItems);
        if self.is_within(key, bin) {
            return self.erase_folder(key);
        }
        let mut name = name;
        let mut number = 1;
        while self.free_name(bin, &name, Some(key)).is_err() {
            name = format!("{}{number}", self.folder(key)?.name);
            number += 1;
        }
        self.hang(key, bin, name);
        Ok(())
    }

    /// Deletes a folder with all it contains, for good.
    pub fn erase_folder(&mut self, key: FolderKey) -> Result<(), ODataError> {
        self.ordinary(key)?;
        let doomed: Vec<FolderKey> = self
            .folders
            .keys()
            .copied()
            .filter(|other| self.is_within(*other, key))
            .collect();
        for folder in doomed {
            let items: Vec<ItemKey> = self.newest_first(Some(folder)).map(|message| message.key).collect();
            for item in items {
                self.remove(item);
            }
            self.folders.remove(&folder);
            let seq: Seq = self.next_seq();
            if self.gone_folders.len() >= MAX_GONE {
                self.gone_folders.remove(0);
            }
            self.gone_folders.push((seq, folder));
        }
        Ok(())
    }

    /// Copies a folder with all it contains.
    pub fn copy_folder(&mut self, key: FolderKey, to: FolderKey, now: Seconds) -> Result<FolderKey, ODataError> {
        let (name, visibility) = self
            .folder(key)
            .map(|folder| (folder.name.clone(), folder.visibility))?;
        if self.is_within(to, key) {
            return Err(ODataError::bad_request(
                "A folder cannot be copied into itself or one of its own folders.",
            ));
        }
        let copy = self.create_folder(to, &name, visibility)?;
        let items: Vec<ItemKey> = self.newest_first(Some(key)).map(|message| message.key).collect();
        for item in items.into_iter().rev() {
            self.copy_message(item, copy, now)?;
        }
        let children: Vec<FolderKey> = self.children(key).iter().map(|child| child.key).collect();
        for child in children {
            self.copy_folder(child, copy, now)?;
        }
        Ok(copy)
    }

    /// Copies a message.
    pub fn copy_message(&mut self, item: ItemKey, to: FolderKey, now: Seconds) -> Result<ItemKey, ODataError> {
        let mut copy = self.get(item).ok_or_else(refusal::item_not_found)?.clone();
        copy.created = now;
        copy.modified = now;
        self.insert(copy, to)
    }

    /// Deletes a message: into Deleted Items first, for good when it is already there.
    pub fn delete_message(&mut self, item: ItemKey, now: Seconds) -> Result<(), ODataError> {
        let folder = self.get(item).ok_or_else(refusal::item_not_found)?.folder;
        let bin = self.well_known(WellKnown::DeletedItems);
        if self.is_within(folder, bin) {
            self.remove(item);
            return Ok(());
        }
        self.relocate(item, bin, now, |_| {})
    }
}
