//! What the control interface asks of the mailboxes: look without permission, and misbehave on purpose.
//!
//! Owns no state. Everything here is outside Microsoft's contract; it exists for tests and demonstrations.

use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::mail::MailService;
use crate::mail::change_log::ChangeLog;
use crate::mail::compose;
use crate::mail::ids::{FolderKey, IdForm};
use crate::mail::mailbox::Mailbox;
use crate::mail::mailbox_settings::MailboxSettings;
use crate::notify::{LifecycleEvent, Notifier, Saved};
use crate::odata::error::ODataError;

/// A message as the control interface lists it.
#[derive(Debug, Clone, Serialize)]
pub struct ControlMessage {
    /// Default id.
    pub id: String,
    /// Immutable id.
    pub immutable_id: String,
    /// Subject.
    pub subject: String,
    /// Display name of its folder.
    pub folder: String,
    /// Who it is from, as shown.
    pub from: String,
    /// Second since 1970 in which it came.
    pub received: i64,
    /// Whether it is read.
    pub is_read: bool,
    /// Whether it is a draft.
    pub is_draft: bool,
    /// Message-ID, with angle brackets.
    pub internet_message_id: String,
}

impl Mailbox {
    /// A folder by well-known name, id, or display name anywhere in the tree.
    #[must_use]
    pub fn folder_by_any_name(&self, name: &str) -> Option<FolderKey> {
        self.resolve_folder(name).ok().or_else(|| {
            self.folders
                .values()
                .find(|folder| folder.name.eq_ignore_ascii_case(name))
                .map(|folder| folder.key)
        })
    }
}

/// Names from below the root down to a folder; a folder is at most as deep as there are folders.
fn path_of(mailbox: &Mailbox, key: FolderKey) -> Vec<String> {
    let mut names = Vec::new();
    let mut next = Some(key);
    while let Some(folder) = next.and_then(|key| mailbox.folders.get(&key)) {
        if folder.parent.is_none() || names.len() > mailbox.folders.len() {
            break;
        }
        names.push(folder.name.clone());
        next = folder.parent;
    }
    names.reverse();
    names
}

impl MailService {
    /// All messages of a mailbox, newest first; `None` when there is no such mailbox.
    #[must_use]
    pub fn list_for_control(&self, address: &str) -> Option<Vec<ControlMessage>> {
        let (_, mailbox) = self.mailbox_of(address)?;
        Some(self.read(&mailbox, |mailbox| {
            mailbox
                .newest_first(None)
                .map(|message| ControlMessage {
                    id: mailbox.codec.message(IdForm::Default, message.key, message.place()),
                    immutable_id: mailbox.codec.message(IdForm::Immutable, message.key, message.place()),
                    subject: message.subject.to_string(),
                    folder: mailbox
                        .folders
                        .get(&message.folder)
                        .map(|folder| folder.name.clone())
                        .unwrap_or_default(),
                    from: message
                        .people
                        .shown_sender()
                        .map(|sender| sender.address.to_string())
                        .unwrap_or_default(),
                    received: message.received,
                    is_read: message.is_read,
                    is_draft: message.is_draft,
                    internet_message_id: message.internet_message_id.to_string(),
                })
                .collect()
        }))
    }

    /// Gives a mailbox a language, a canonical locale; whether there is such a mailbox.
    pub fn speak(&self, address: &str, locale: &str) -> bool {
        let Some((_, mailbox)) = self.mailbox_of(address) else {
            return false;
        };
        self.write(&mailbox, |mailbox| mailbox.speak(locale));
        true
    }

    /// The settings of a mailbox.
    #[must_use]
    pub fn settings_for_control(&self, address: &str) -> Option<MailboxSettings> {
        let (_, mailbox) = self.mailbox_of(address)?;
        Some(self.read(&mailbox, |mailbox| mailbox.settings.clone()))
    }

    /// The folders of a mailbox with their place in the tree, parents first; `None` when there is no such mailbox.
    #[must_use]
    pub fn folders_for_control(&self, address: &str) -> Option<Vec<Value>> {
        let (_, mailbox) = self.mailbox_of(address)?;
        Some(self.read(&mailbox, |mailbox| {
            let mut shown: Vec<(Vec<String>, Value)> = mailbox
                .folders
                .values()
                .filter(|folder| folder.parent.is_some())
                .map(|folder| {
                    let path = path_of(mailbox, folder.key);
                    let value = serde_json::json!({
                        "name": folder.name,
                        "path": path,
                        "total": folder.by_time.len(),
                        "unread": folder.unread,
                    });
                    (path, value)
                })
                .collect();
            shown.sort_by(|(left, _), (right, _)| left.cmp(right));
            shown.into_iter().map(|(_, value)| value).collect()
        }))
    }

    /// Forgets the mails that left the tenant; gives how many there were.
    pub fn clear_outside(&self) -> usize {
        self.outside
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .clear()
    }

    /// The bytes of a message by either form of id.
    #[must_use]
    pub fn raw_mime(&self, address: &str, id: &str) -> Option<Bytes> {
        let (_, mailbox) = self.mailbox_of(address)?;
        self.read(&mailbox, |mailbox| mailbox.resolve(id).ok().map(compose::message))
    }

    /// Makes the delta tokens of a folder, or of all folders and of the delta of folders, expired; whether there is such a folder.
    pub fn expire_delta_tokens(&self, address: &str, folder: Option<&str>) -> bool {
        if folder.is_none()
            && let Some((_, mailbox)) = self.mailbox_of(address)
        {
            self.write(&mailbox, |mailbox| mailbox.folder_generation += 1);
        }
        self.with_folders(address, folder, ChangeLog::expire_tokens)
    }

    /// Makes the next continued delta round of a folder repeat what was already delivered; whether there is such a
    /// folder.
    pub fn replay_delta(&self, address: &str, folder: &str) -> bool {
        self.with_folders(address, Some(folder), ChangeLog::ask_for_replay)
    }

    fn with_folders(&self, address: &str, folder: Option<&str>, act: impl Fn(&mut ChangeLog)) -> bool {
        let Some((_, mailbox)) = self.mailbox_of(address) else {
            return false;
        };
        self.write(&mailbox, |mailbox| {
            let keys: Vec<FolderKey> = match folder {
                None => mailbox.folders.keys().copied().collect(),
                Some(name) => mailbox.folder_by_any_name(name).into_iter().collect(),
            };
            for key in &keys {
                if let Some(folder) = mailbox.folders.get_mut(key) {
                    act(&mut folder.log);
                }
            }
            !keys.is_empty()
        })
    }

    /// Sends the last `times` notifications again; returns how many there were.
    pub fn duplicate_notifications(&self, times: usize) -> usize {
        self.notifier.duplicate_last(times)
    }

    /// The attempts to deliver notifications so far, oldest first.
    #[must_use]
    pub fn notification_log(&self) -> Vec<Value> {
        self.notifier.log()
    }

    /// The subscriptions and their delivery.
    #[must_use]
    pub fn notifier(&self) -> &Notifier {
        &self.notifier
    }

    /// Takes up the subscriptions of an earlier run; inside the runtime, with the mailboxes in place.
    ///
    /// # Errors
    /// When a subscription cannot be read, which what was saved by this edition never contains.
    pub fn restore_notifications(&self, saved: Saved) -> Result<(), ODataError> {
        self.notifier.restore(saved, self)
    }

    /// Sends a lifecycle notification to one subscription, or to all; returns how many were told.
    pub fn send_lifecycle(&self, event: LifecycleEvent, subscription: Option<Uuid>) -> usize {
        self.notifier.lifecycle(event, subscription)
    }
}
