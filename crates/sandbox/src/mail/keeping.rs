//! Saving and restoring all mailboxes and the outside mailbox.
//!
//! Owns the lines about mail in the journal and the way of bodies from memory to disk. A mailbox is locked for one
//! small step at a time, never while the disk works. Invariant: a line about a message names bytes that were appended
//! before the line.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;
use serde::de::Error as _;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::Error;
use crate::mail::MailService;
use crate::mail::behaviour::MailBehaviour;
use crate::mail::conversation::Joined;
use crate::mail::ids::ItemKey;
use crate::mail::mailbox::Mailbox;
use crate::mail::message::Message;
use crate::mail::outside::OutsideMail;
use crate::mail::saved::{Left, Unsaved};
use crate::mail::transport::outside_rules::OutsideRules;
use crate::mail::transport::queue::Queue;
use crate::mail::transport::settings::TransportSettings;
use crate::mail::transport::verdicts::Verdicts;
use crate::persist::Section;
use crate::persist::bodies::{Bodies, Raw};
use crate::persist::journal::{Journal, Row};

/// Messages of one step: what one lock and one write to disk are good for.
const STEP: usize = 500;
/// Entries of one line about conversations.
const JOINED_IN_LINE: usize = 1_000;

const MAILBOX: &str = "mailbox";
const MESSAGE: &str = "message";
const GONE: &str = "gone";
const LEFT: &str = "left";
const JOINED: &str = "joined";
const OUTSIDE: &str = "outside";
const OUTSIDE_GONE: &str = "outside_gone";
/// The value of a mailbox that nobody has used.
const UNUSED: &str = "null";

/// What a save took from the mailboxes; given back if the save fails.
#[derive(Debug, Default)]
pub struct Taken {
    mailboxes: Vec<(Uuid, Unsaved)>,
    outside: Option<u64>,
}

/// One line about conversations: hash of a Message-ID, and both halves of the conversation's id.
#[derive(Serialize, Deserialize)]
struct Entries(Vec<(u64, u64, u64)>);

impl MailService {
    /// From here on, notes what is not yet saved.
    pub(crate) fn watch(&mut self) {
        self.watched = true;
    }

    /// Notes that everything has to be saved: what follows goes to an empty journal.
    pub(crate) fn mark_all_unsaved(&self) {
        let users: Vec<Uuid> = {
            let mailboxes = self.mailboxes.read().unwrap_or_else(PoisonError::into_inner);
            mailboxes.keys().copied().collect()
        };
        for user in &users {
            if let Some(mailbox) = self.used(*user) {
                let mut mailbox = mailbox.write().unwrap_or_else(PoisonError::into_inner);
                mailbox.mark_all_unsaved();
            }
        }
        self.unsaved
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(users);
        self.outside
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .mark_all_unsaved();
    }

    /// A mailbox that somebody has used.
    fn used(&self, user: Uuid) -> Option<Arc<RwLock<Mailbox>>> {
        let mailboxes = self.mailboxes.read().unwrap_or_else(PoisonError::into_inner);
        mailboxes.get(&user).cloned().flatten()
    }

    /// Writes what changed since the last save; what it took is noted in `taken`, also when it fails.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(crate) fn save_mail(&self, journal: &mut Journal, bodies: &Bodies, taken: &mut Taken) -> Result<(), Error> {
        if let Some(segment) = bodies.sparse() {
            self.empty_segment(bodies, segment)?;
        }
        let users = std::mem::take(&mut *self.unsaved.lock().unwrap_or_else(PoisonError::into_inner));
        // All of them are noted first, so that none is forgotten when one fails.
        taken.mailboxes = users.iter().map(|user| (*user, Unsaved::default())).collect();
        for (user, unsaved) in &mut taken.mailboxes {
            match self.used(*user) {
                None => journal
                    .append(MAILBOX, &user.to_string(), UNUSED)
                    .map_err(journal_error)?,
                Some(mailbox) => self.save_mailbox(*user, &mailbox, journal, bodies, unsaved)?,
            }
        }
        self.save_outside(journal, bodies, taken)
    }

    /// Gives back what a failed save took.
    pub(crate) fn put_back(&self, taken: Taken) {
        for (user, unsaved) in taken.mailboxes {
            if let Some(mailbox) = self.used(user) {
                let mut mailbox = mailbox.write().unwrap_or_else(PoisonError::into_inner);
                mailbox.put_back(unsaved);
            }
            self.unsaved.lock().unwrap_or_else(PoisonError::into_inner).insert(user);
        }
        let saved = taken.outside.unwrap_or(u64::MAX);
        let mut outside = self.outside.lock().unwrap_or_else(PoisonError::into_inner);
        outside.put_back(saved);
    }

    fn save_mailbox(
        &self,
        user: Uuid,
        mailbox: &RwLock<Mailbox>,
        journal: &mut Journal,
        bodies: &Bodies,
        taken: &mut Unsaved,
    ) -> Result<(), Error> {
        let first = exclusive(mailbox).take_unsaved();
        let items: Vec<ItemKey> = first.items.iter().copied().collect();
        *taken = first;
        for step in items.chunks(STEP) {
            spill(mailbox, step, bodies)?;
            let lines = self.read(mailbox, |mailbox| lines_about(mailbox, step))?;
            write_lines(journal, user, &lines)?;
        }
        // The rest under one lock: from here on the lines are one consistent mailbox.
        let (rest, lines, head) = {
            let mut mailbox = exclusive(mailbox);
            let rest = mailbox.take_unsaved();
            let late: Vec<ItemKey> = rest.items.iter().copied().collect();
            let lines = lines_about(&mailbox, &late);
            (rest, lines, serde_json::to_string(&*mailbox))
        };
        taken.items.extend(rest.items);
        taken.left.extend(rest.left);
        taken.joined.extend(rest.joined);
        write_lines(journal, user, &lines?)?;
        let key = user.to_string();
        journal
            .append(MAILBOX, &key, &head.map_err(shape)?)
            .map_err(journal_error)?;
        for left in &taken.left {
            let line = serde_json::to_string(left).map_err(shape)?;
            journal.append(LEFT, &key, &line).map_err(journal_error)?;
        }
        for joined in taken.joined.chunks(JOINED_IN_LINE) {
            let entries = joined.iter().map(|(hash, conversation)| {
                let (high, low) = Uuid::from_bytes(*conversation).as_u64_pair();
                (*hash, high, low)
            });
            let line = serde_json::to_string(&Entries(entries.collect())).map_err(shape)?;
            journal.append(JOINED, &key, &line).map_err(journal_error)?;
        }
        Ok(())
    }

    fn save_outside(&self, journal: &mut Journal, bodies: &Bodies, taken: &mut Taken) -> Result<(), Error> {
        let gone = self.outside.lock().unwrap_or_else(PoisonError::into_inner).take_gone();
        if let Some(gone) = gone {
            journal
                .append(OUTSIDE_GONE, "-", &gone.to_string())
                .map_err(journal_error)?;
        }
        loop {
            let (before, batch) = {
                let outside = self.outside.lock().unwrap_or_else(PoisonError::into_inner);
                outside.unsaved(STEP)
            };
            let Some(last) = batch.last().map(|mail| mail.seq) else {
                return Ok(());
            };
            taken.outside.get_or_insert(before);
            let held: Vec<Bytes> = batch.iter().filter_map(|mail| mail.raw.held().cloned()).collect();
            let mut stored = bodies.append(&held)?.into_iter();
            for mut mail in batch {
                if mail.raw.held().is_some() {
                    mail.raw = stored.next().map_or(mail.raw, Raw::Stored);
                }
                let line = serde_json::to_string(&mail).map_err(shape)?;
                journal
                    .append(OUTSIDE, &mail.seq.to_string(), &line)
                    .map_err(journal_error)?;
                let mut outside = self.outside.lock().unwrap_or_else(PoisonError::into_inner);
                outside.settle(mail.seq, mail.raw);
            }
            self.outside
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .saved_up_to(last);
        }
    }

    /// Moves what still lives in a segment to the one that grows.
    fn empty_segment(&self, bodies: &Bodies, segment: u32) -> Result<(), Error> {
        let users: Vec<Uuid> = {
            let mailboxes = self.mailboxes.read().unwrap_or_else(PoisonError::into_inner);
            mailboxes
                .iter()
                .filter_map(|(user, mailbox)| mailbox.is_some().then_some(*user))
                .collect()
        };
        for user in users {
            let Some(mailbox) = self.used(user) else { continue };
            let lying = self.read(&mailbox, |mailbox| mailbox.lying_in(segment));
            if lying.is_empty() {
                continue;
            }
            self.unsaved.lock().unwrap_or_else(PoisonError::into_inner).insert(user);
            for step in lying.chunks(STEP) {
                let mut read = Vec::with_capacity(step.len());
                for (_, raw) in step {
                    read.push(raw.checked_bytes()?);
                }
                let stored = bodies.append(&read)?;
                let mut mailbox = exclusive(&mailbox);
                for ((item, from), to) in step.iter().zip(&stored) {
                    mailbox.resettle(*item, from, to);
                }
            }
        }
        let mut outside = self.outside.lock().unwrap_or_else(PoisonError::into_inner);
        outside.take_out_of(segment)
    }

    /// Takes over the mailboxes of an earlier start.
    ///
    /// # Errors
    /// Which mailbox cannot be rebuilt, and why.
    pub(crate) fn restore(&mut self, lines: Lines) -> Result<(), String> {
        let mailboxes = self.mailboxes.get_mut().unwrap_or_else(PoisonError::into_inner);
        for (user, saved) in lines.mailboxes {
            let mailbox = saved
                .rebuild(user)
                .map_err(|problem| format!("the mailbox {user}: {problem}"))?;
            let mailbox = mailbox.map(|mut mailbox| {
                mailbox.shown = Arc::clone(&self.shown);
                Arc::new(RwLock::new(mailbox))
            });
            mailboxes.insert(user, mailbox);
        }
        let mut mails = Vec::with_capacity(lines.outside.len());
        for (seq, mail) in lines.outside {
            mails.push(mail.map_err(|problem| format!("the outside mail {seq}: {problem}"))?);
        }
        let outside = self.outside.get_mut().unwrap_or_else(PoisonError::into_inner);
        outside.restore(mails, lines.outside_gone);
        Ok(())
    }
}

impl Section for MailService {
    fn name(&self) -> &'static str {
        "mail"
    }

    /// The key of delta tokens, so that links given out stay good.
    fn save(&self) -> serde_json::Result<String> {
        serde_json::to_string(&self.token_key.get())
    }

    fn load(&self, saved: &str) -> serde_json::Result<()> {
        self.token_key.set(serde_json::from_str(saved)?);
        Ok(())
    }
}

/// The switches of mail, and its transport with what waits.
#[derive(Debug)]
pub struct TransportSection<'a>(pub &'a MailService);

#[derive(Serialize, Deserialize)]
struct SavedTransport {
    behaviour: MailBehaviour,
    settings: TransportSettings,
    outside_rules: OutsideRules,
    verdicts: Verdicts,
    queue: Queue,
}

impl Section for TransportSection<'_> {
    fn name(&self) -> &'static str {
        "mail.transport"
    }

    fn save(&self) -> serde_json::Result<String> {
        let transport = &self.0.transport;
        serde_json::to_string(&SavedTransport {
            behaviour: self.0.behaviour.read().unwrap_or_else(PoisonError::into_inner).clone(),
            settings: transport.settings(),
            outside_rules: transport.outside_rules().clone(),
            verdicts: transport.verdicts().clone(),
            queue: transport.queue().clone(),
        })
    }

    fn load(&self, saved: &str) -> serde_json::Result<()> {
        let saved: SavedTransport = serde_json::from_str(saved)?;
        let transport = &self.0.transport;
        transport
            .set_settings(saved.settings)
            .map_err(serde_json::Error::custom)?;
        *self.0.behaviour.write().unwrap_or_else(PoisonError::into_inner) = saved.behaviour;
        *transport.outside_rules() = saved.outside_rules;
        *transport.verdicts() = saved.verdicts;
        *transport.queue() = saved.queue;
        Ok(())
    }
}

/// Subscriptions, and notifications on their way.
#[derive(Debug)]
pub struct NotifySection<'a>(pub &'a MailService);

impl Section for NotifySection<'_> {
    fn name(&self) -> &'static str {
        "notify"
    }

    fn save(&self) -> serde_json::Result<String> {
        serde_json::to_string(&self.0.notifier().save())
    }

    fn load(&self, saved: &str) -> serde_json::Result<()> {
        let restored = self.0.restore_notifications(serde_json::from_str(saved)?);
        restored.map_err(|refused| serde_json::Error::custom(format!("{refused:?}")))
    }
}

fn exclusive(mailbox: &RwLock<Mailbox>) -> std::sync::RwLockWriteGuard<'_, Mailbox> {
    mailbox.write().unwrap_or_else(PoisonError::into_inner)
}

/// Brings the bytes of messages to disk that are in memory only.
fn spill(mailbox: &RwLock<Mailbox>, items: &[ItemKey], bodies: &Bodies) -> Result<(), Error> {
    let held: Vec<(ItemKey, Bytes)> = {
        let mailbox = mailbox.read().unwrap_or_else(PoisonError::into_inner);
        items
            .iter()
            .filter_map(|item| mailbox.held(*item).map(|bytes| (*item, bytes)))
            .collect()
    };
    if held.is_empty() {
        return Ok(());
    }
    let bytes: Vec<Bytes> = held.iter().map(|(_, bytes)| bytes.clone()).collect();
    let stored = bodies.append(&bytes)?;
    let mut mailbox = exclusive(mailbox);
    for ((item, bytes), stored) in held.iter().zip(&stored) {
        mailbox.settle(*item, bytes, stored);
    }
    Ok(())
}

/// Each message as JSON, or nothing when it is gone.
fn lines_about(mailbox: &Mailbox, items: &[ItemKey]) -> Result<Vec<(ItemKey, Option<String>)>, Error> {
    items
        .iter()
        .map(|item| {
            let line = mailbox.get(*item).map(serde_json::to_string).transpose();
            line.map(|line| (*item, line)).map_err(shape)
        })
        .collect()
}

fn write_lines(journal: &mut Journal, user: Uuid, lines: &[(ItemKey, Option<String>)]) -> Result<(), Error> {
    for (item, line) in lines {
        let key = format!("{user}/{}", item.0);
        let (kind, value) = match line {
            Some(line) => (MESSAGE, line.as_str()),
            None => (GONE, UNUSED),
        };
        journal.append(kind, &key, value).map_err(journal_error)?;
    }
    Ok(())
}

fn journal_error(source: std::io::Error) -> Error {
    Error::file(std::path::Path::new("state/journal"), source)
}

fn shape(error: serde_json::Error) -> Error {
    journal_error(error.into())
}

/// The lines about mail of an earlier start.
#[derive(Debug, Default)]
pub struct Lines {
    mailboxes: HashMap<Uuid, SavedMailbox>,
    outside: BTreeMap<u64, Result<OutsideMail, String>>,
    outside_gone: u64,
}

#[derive(Debug, Default)]
struct SavedMailbox {
    head: Option<String>,
    /// What cannot be read matters only if nothing later replaces it: its bytes may have moved.
    messages: HashMap<ItemKey, Result<Box<Message>, String>>,
    left: Vec<Left>,
    joined: HashMap<u64, [u8; 16]>,
}

impl Lines {
    /// Takes a line; false when it is about something else.
    ///
    /// # Errors
    /// When it cannot be understood.
    pub fn take(&mut self, row: Row<'_>) -> Result<bool, String> {
        let readable = |error: serde_json::Error| error.to_string();
        match row.kind {
            MAILBOX => {
                let mailbox = self.mailbox(row.key)?;
                mailbox.head = (row.value != UNUSED).then(|| row.value.to_owned());
            }
            MESSAGE => {
                let (mailbox, item) = self.message(row.key)?;
                let message = serde_json::from_str(row.value).map_err(readable);
                mailbox.messages.insert(item, message);
            }
            GONE => {
                let (mailbox, item) = self.message(row.key)?;
                mailbox.messages.remove(&item);
            }
            LEFT => {
                let left = serde_json::from_str(row.value).map_err(readable)?;
                self.mailbox(row.key)?.left.push(left);
            }
            JOINED => {
                let Entries(entries) = serde_json::from_str(row.value).map_err(readable)?;
                let joined: Vec<Joined> = entries
                    .into_iter()
                    .map(|(hash, high, low)| (hash, Uuid::from_u64_pair(high, low).into_bytes()))
                    .collect();
                self.mailbox(row.key)?.joined.extend(joined);
            }
            OUTSIDE_GONE => {
                self.outside_gone = serde_json::from_str(row.value).map_err(readable)?;
                self.outside = self.outside.split_off(&self.outside_gone.saturating_add(1));
            }
            OUTSIDE => {
                let seq = row.key.parse().map_err(|_| "it has no number".to_owned())?;
                self.outside
                    .insert(seq, serde_json::from_str(row.value).map_err(readable));
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn mailbox(&mut self, key: &str) -> Result<&mut SavedMailbox, String> {
        let user = Uuid::parse_str(key).map_err(|_| format!("'{key}' is no mailbox"))?;
        Ok(self.mailboxes.entry(user).or_default())
    }

    fn message(&mut self, key: &str) -> Result<(&mut SavedMailbox, ItemKey), String> {
        let (user, item) = key.split_once('/').ok_or_else(|| format!("'{key}' is no message"))?;
        let item = item.parse().map_err(|_| format!("'{key}' is no message"))?;
        Ok((self.mailbox(user)?, ItemKey(item)))
    }
}

impl SavedMailbox {
    fn rebuild(self, user: Uuid) -> Result<Option<Mailbox>, String> {
        let Some(head) = self.head else {
            return match self.messages.is_empty() {
                true => Ok(None),
                false => Err("it has messages and no head".to_owned()),
            };
        };
        let mut messages = HashMap::with_capacity(self.messages.len());
        for (item, message) in self.messages {
            let message = message.map_err(|problem| format!("its message {}: {problem}", item.0))?;
            messages.insert(item, message);
        }
        let mut mailbox = Mailbox::restore(&head, messages, self.left, self.joined)?;
        if mailbox.user != user {
            return Err(format!("its head says it is the mailbox {}", mailbox.user));
        }
        mailbox.watch();
        Ok(Some(mailbox))
    }
}

/// Mailboxes with something that is not yet saved.
pub type UnsavedMailboxes = HashSet<Uuid>;

/// The key of delta tokens; it is set once, when a tenant is restored.
#[derive(Debug)]
pub struct TokenKey(RwLock<[u8; 16]>);

impl TokenKey {
    /// A key.
    #[must_use]
    pub fn new(key: [u8; 16]) -> Self {
        Self(RwLock::new(key))
    }

    /// The key in use.
    #[must_use]
    pub fn get(&self) -> [u8; 16] {
        *self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, key: [u8; 16]) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = key;
    }
}
