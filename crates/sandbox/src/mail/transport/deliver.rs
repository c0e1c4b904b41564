//! What a mailbox does with a mail that arrives.
//!
//! Owns the order: quota, forwarding, junk, rules, the copy, the automatic reply. Parsing happens without a lock, and
//! the copy appears at once where it is to lie, so that notifications and deltas never see it elsewhere.

use std::sync::RwLock;

use bytes::Bytes;
use jiff::Timestamp;

use crate::directory::UserRef;
use crate::mail::MailService;
use crate::mail::conversation::{Ancestry, first_index, next_index};
use crate::mail::mailbox::Mailbox;
use crate::mail::message::Message;
use crate::mail::mime::{self, Reception};
use crate::mail::rules::MessageRule;
use crate::mail::rules::actions::{Fate, Plan, plan};
use crate::mail::rules::facts::Facts;
use crate::mail::transport::delivery_state::Forwarding;
use crate::mail::transport::envelope::{Arrival, Envelope, Failure};
use crate::mail::transport::outside_rules::matches;
use crate::mail::transport::verdicts::{JUNK_LEVEL, level_of};
use crate::mail::transport::{DeliveredTo, DeliveryError, delivered};
use crate::mail::well_known::WellKnown;
use crate::mail::wire::{self, HeaderField};

/// Names the mailboxes that forwarded a mail automatically; one that finds itself here forwards no more.
pub(super) const LOOP_HEADER: &str = "X-MS-Exchange-Inbox-Rules-Loop";

/// A copy, and the mails that its delivery made.
#[derive(Debug)]
pub(super) struct Outcome {
    pub copy: DeliveredTo,
    pub derived: Vec<Envelope>,
}

/// A mail read, not yet in a mailbox.
#[derive(Debug)]
pub(super) struct Arrived {
    pub message: Message,
    pub ancestry: Ancestry,
    fresh: [u8; 16],
    at: Timestamp,
}

impl Arrived {
    /// Finds the conversation of the mail in a mailbox.
    pub fn join_conversation(&mut self, mailbox: &mut Mailbox) {
        let Self {
            message,
            ancestry,
            fresh,
            at,
        } = self;
        message.conversation = mailbox.conversations.join(ancestry, *fresh);
        message.conversation_index = match &ancestry.thread_index {
            Some(index) => index.clone().into(),
            None if ancestry.references.is_empty() && ancestry.in_reply_to.is_empty() => {
                first_index(&message.conversation, *at).into()
            }
            None => next_index(&first_index(&message.conversation, *at), &message.conversation, *at).into(),
        };
    }
}

/// What a mailbox wants done with its mail.
struct Habits {
    rules: Vec<MessageRule>,
    forwarding: Option<Forwarding>,
    is_full: bool,
    is_blocked: bool,
    is_safe: bool,
}

impl Habits {
    fn of(mailbox: &Mailbox, sender: &str, size: usize) -> Self {
        let state = &mailbox.delivery;
        let lists = |list: &[String]| list.iter().any(|pattern| matches(pattern, sender));
        Self {
            rules: state.rules.clone(),
            forwarding: state.forwarding.clone(),
            is_full: state
                .quota_bytes
                .is_some_and(|quota| mailbox.used_bytes() + u64::try_from(size).unwrap_or(u64::MAX) > quota),
            is_blocked: lists(&state.blocked_senders),
            is_safe: lists(&state.safe_senders),
        }
    }
}

impl Mailbox {
    /// Bytes of all messages.
    #[must_use]
    pub fn used_bytes(&self) -> u64 {
        self.folders.values().map(|folder| folder.size).sum()
    }
}

impl MailService {
    /// Reads a mail that arrives now.
    pub(super) fn record(&self, bytes: Bytes) -> Arrived {
        let message_id = self.fresh_message_id();
        let at = self.clock.now();
        let reception = Reception {
            at: at.as_second(),
            message_id_if_none: &message_id,
        };
        let (message, ancestry) = mime::record(bytes, reception);
        Arrived {
            message,
            ancestry,
            fresh: self.fresh_conversation(),
            at,
        }
    }

    /// Lets a mail of the control interface arrive.
    pub(super) fn inject(&self, envelope: &Envelope, address: &str) -> Result<DeliveredTo, DeliveryError> {
        let (user, mailbox) = self
            .mailbox_of(address)
            .ok_or_else(|| DeliveryError::UnknownRecipient(address.to_owned()))?;
        let outcome = self
            .deliver(&user, &mailbox, address, envelope)
            .map_err(|_| DeliveryError::Full(address.to_owned()))?;
        for derived in outcome.derived {
            self.carry(derived);
        }
        Ok(outcome.copy)
    }

    /// Delivers a mail to one mailbox, or says why not.
    pub(super) fn deliver(
        &self,
        user: &UserRef,
        mailbox: &RwLock<Mailbox>,
        address: &str,
        envelope: &Envelope,
    ) -> Result<Outcome, Failure> {
        tracing::debug!(how = ?envelope.arrival, bytes = envelope.bytes.len(), "mail arrives");
        let habits = self.read(mailbox, |mailbox| {
            Habits::of(mailbox, &envelope.mail_from, envelope.bytes.len())
        });
        if habits.is_full {
            return Err(Failure::mailbox_full());
        }
        let mut arrived = self.record(envelope.bytes.clone());
        let own = own_addresses(user, address);
        let (fields, _) = wire::split(&envelope.bytes);
        let has_looped = has_looped(&fields, &own);
        let mut derived = Vec::new();
        let forwarding = habits
            .forwarding
            .as_ref()
            .map(|forwarding| (forwarding.address.clone(), forwarding.deliver_and_forward))
            .or_else(|| self.directory.forwarding(user.id));
        if let Some((target, keeps_copy)) = forwarding.filter(|_| !has_looped) {
            derived.push(self.redirect(envelope, user, vec![target]));
            if !keeps_copy {
                return Ok(Outcome {
                    copy: no_copy(address),
                    derived,
                });
            }
        }
        let is_junk = !habits.is_safe && (habits.is_blocked || is_spam(envelope, &fields));
        let plan = match is_junk || habits.rules.is_empty() {
            true => Plan::default(),
            false => plan(&habits.rules, &Facts::of(&arrived.message, &own)),
        };
        if !has_looped {
            derived.extend(self.forwards(&plan, envelope, user, &arrived.message));
        }
        let copy = self.write(mailbox, |mailbox| {
            arrived.join_conversation(mailbox);
            put(mailbox, &arrived.message, address, &plan, is_junk)
        });
        if !is_junk {
            derived.extend(self.automatic_reply(user, mailbox, envelope, &arrived));
        }
        Ok(Outcome { copy, derived })
    }
}

/// Puts a mail where the plan says.
fn put(mailbox: &mut Mailbox, message: &Message, address: &str, plan: &Plan, is_junk: bool) -> DeliveredTo {
    let mut message = message.clone();
    message.is_read |= plan.mark_read;
    message.importance = plan.importance.unwrap_or(message.importance);
    if !plan.categories.is_empty() {
        message.categories = plan.categories.clone().into();
    }
    for folder in &plan.copy_to {
        match mailbox.resolve_folder(folder) {
            Ok(key) => {
                let _ = mailbox.insert(message.clone(), key);
            }
            Err(_) => mark_broken(mailbox, folder),
        }
    }
    let target = match plan.fate {
        Fate::Erased => return no_copy(address),
        Fate::Deleted => mailbox.well_known(WellKnown::DeletedItems),
        Fate::Kept if is_junk => mailbox.well_known(WellKnown::JunkEmail),
        Fate::Kept => {
            let wanted = plan
                .move_to
                .as_deref()
                .map(|folder| (folder, mailbox.resolve_folder(folder)));
            match wanted {
                Some((_, Ok(key))) => key,
                Some((folder, Err(_))) => {
                    mark_broken(mailbox, folder);
                    mailbox.well_known(WellKnown::Inbox)
                }
                None => mailbox.well_known(WellKnown::Inbox),
            }
        }
    };
    match mailbox.insert(message, target) {
        Ok(key) => delivered(mailbox, address, key),
        Err(_) => no_copy(address),
    }
}

/// Rules whose folder is gone are in error and run no more.
fn mark_broken(mailbox: &mut Mailbox, folder: &str) {
    for rule in &mut mailbox.delivery.rules {
        if ["moveToFolder", "copyToFolder"]
            .iter()
            .any(|action| rule.actions.get(*action).and_then(serde_json::Value::as_str) == Some(folder))
        {
            rule.has_error = true;
        }
    }
}

fn no_copy(address: &str) -> DeliveredTo {
    DeliveredTo {
        address: address.to_owned(),
        id: String::new(),
        immutable_id: String::new(),
    }
}

fn own_addresses(user: &UserRef, address: &str) -> Vec<String> {
    let mut own: Vec<String> = user.mail.iter().cloned().collect();
    own.push(user.user_principal_name.clone());
    own.push(address.to_owned());
    own
}

fn has_looped(fields: &[HeaderField<'_>], own: &[String]) -> bool {
    fields
        .iter()
        .filter(|field| field.name.eq_ignore_ascii_case(LOOP_HEADER.as_bytes()))
        .any(|field| {
            let value = String::from_utf8_lossy(&field.bytes[field.bytes.len().min(LOOP_HEADER.len() + 1)..]);
            value
                .split([' ', ',', ';', '\r', '\n', '\t'])
                .any(|part| own.iter().any(|own| own.eq_ignore_ascii_case(part)))
        })
}

/// Only mail from outside is judged by the filter.
fn is_spam(envelope: &Envelope, fields: &[HeaderField<'_>]) -> bool {
    envelope.arrival == Arrival::Smtp && level_of(fields).is_some_and(|level| level >= JUNK_LEVEL)
}

/// Who a mail without envelope is from: its `Return-Path`, else its author.
pub(super) fn return_path(mail: &[u8]) -> String {
    let (fields, _) = wire::split(mail);
    let path = fields
        .iter()
        .find(|field| field.name.eq_ignore_ascii_case(b"return-path"))
        .map(|field| String::from_utf8_lossy(&field.bytes[field.bytes.len().min(12)..]).into_owned());
    if let Some(path) = path {
        return path
            .trim()
            .trim_start_matches('<')
            .trim_end_matches('>')
            .trim()
            .to_owned();
    }
    mime::parse(mail)
        .and_then(|parsed| {
            parsed
                .from()
                .and_then(|from| from.first())
                .and_then(|from| from.address().map(str::to_owned))
        })
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_return_path_comes_before_the_author() {
        assert_eq!(return_path(b"Return-Path: <a@x>\r\nFrom: b@x\r\n\r\n"), "a@x");
        assert_eq!(return_path(b"Return-Path: <>\r\nFrom: b@x\r\n\r\n"), "");
        assert_eq!(return_path(b"From: B <b@x>\r\n\r\n"), "b@x");
        assert_eq!(return_path(b"Return-Path:"), "");
        assert_eq!(return_path(b""), "");
    }

    #[test]
    fn a_mailbox_finds_itself_among_those_that_forwarded() {
        let own = ["me@x.example".to_owned()];
        let looped = |mail: &str| has_looped(&wire::split(mail.as_bytes()).0, &own);
        assert!(looped(
            "x-ms-exchange-inbox-rules-loop: other@x.example, ME@x.example\r\n\r\n"
        ));
        assert!(!looped(
            "X-MS-Exchange-Inbox-Rules-Loop: some@x.example\r\nX: me@x.example\r\n\r\n"
        ));
        assert!(!looped("X-MS-Exchange-Inbox-Rules-Loop:"));
    }
}
