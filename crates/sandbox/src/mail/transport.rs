//! Transport: from a sender to mailboxes of the tenant and to the outside.
//!
//! Owns delivery: who is reached by an address, what a mailbox does with a mail, what waits, and what comes back. A
//! recipient with a mailbox gets one copy however often it is addressed. Everything inside the tenant happens at once;
//! only mails that are held back or handed to another server wait. Every chain of mails that make mails has an end.

mod automatic_reply;
mod carry;
pub mod control;
mod deliver;
pub mod delivery_state;
pub mod envelope;
mod forward;
mod limits;
pub mod outside_rules;
pub mod pump;
pub mod queue;
mod report;
mod report_text;
pub mod settings;
pub mod smart_host;
pub mod verdicts;

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};

use bytes::Bytes;

use crate::directory::UserRef;
use crate::directory::mailbox_profile::MailboxCondition;
use crate::mail::MailService;
use crate::mail::ids::{IdForm, ItemKey};
use crate::mail::mailbox::Mailbox;
use crate::mail::message::Seconds;
use crate::mail::outside::OutsideMail;
use crate::mail::transport::envelope::Envelope;
use crate::mail::transport::outside_rules::OutsideRules;
use crate::mail::transport::queue::Queue;
use crate::mail::transport::settings::TransportSettings;
use crate::mail::transport::smart_host::SmartHost;
use crate::mail::transport::verdicts::Verdicts;
use crate::mail::wire;

pub use envelope::Arrival;

/// Name of the server that reports, and that Message-IDs name.
pub const HOST: &str = "SBXP300MB0001.SBXP300.PROD.OUTLOOK.COM";

/// One delivered copy; the ids are empty when the mailbox's rules or its forwarding keep none.
#[derive(Debug, Clone)]
pub struct DeliveredTo {
    /// Address it was delivered to.
    pub address: String,
    /// Default id.
    pub id: String,
    /// Immutable id.
    pub immutable_id: String,
}

/// Why nothing was delivered.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// Use an address that has a mailbox.
    #[error("no mailbox has the address {0}")]
    UnknownRecipient(String),
    /// Use a folder that exists.
    #[error("no folder {folder} in the mailbox {address}")]
    UnknownFolder {
        /// The mailbox.
        address: String,
        /// What was asked for.
        folder: String,
    },
    /// Make room, or raise the quota.
    #[error("the mailbox {0} is full")]
    Full(String),
}

/// A mail ready for the wire.
#[derive(Debug)]
pub struct Outgoing {
    pub mail_from: String,
    pub recipients: Vec<String>,
    pub bytes: Bytes,
    pub delivery_receipt: bool,
    /// When it leaves; later than now when the mailbox sends too fast.
    pub due: Seconds,
}

/// The tenant's transport: its switches, its rules for the outside, and what waits.
#[derive(Debug, Default)]
pub struct Transport {
    settings: RwLock<TransportSettings>,
    outside_rules: Mutex<OutsideRules>,
    verdicts: Mutex<Verdicts>,
    queue: Mutex<Queue>,
    wake: tokio::sync::Notify,
    relay: OnceLock<SmartHost>,
}

impl Transport {
    /// The switches.
    #[must_use]
    pub fn settings(&self) -> TransportSettings {
        self.settings.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes the switches.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn set_settings(&self, settings: TransportSettings) -> Result<(), String> {
        settings.check()?;
        *self.settings.write().unwrap_or_else(PoisonError::into_inner) = settings;
        Ok(())
    }

    /// What servers outside say.
    pub fn outside_rules(&self) -> MutexGuard<'_, OutsideRules> {
        self.outside_rules.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How the filter judges.
    pub fn verdicts(&self) -> MutexGuard<'_, Verdicts> {
        self.verdicts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What waits.
    pub fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Names the server that takes all mail for the outside; the first call counts.
    pub fn set_relay(&self, relay: SmartHost) {
        let _ = self.relay.set(relay);
    }
}

impl MailService {
    /// The tenant's transport, for the control interface and the servers.
    #[must_use]
    pub fn transport(&self) -> &Transport {
        &self.transport
    }

    /// Whether an address has a mailbox here, or is a group's.
    #[must_use]
    pub fn accepts(&self, address: &str) -> bool {
        self.recipient(address).is_some() || self.directory.group_members(address.trim()).is_some()
    }

    pub(super) fn mailbox_of(&self, address: &str) -> Option<(UserRef, Arc<RwLock<Mailbox>>)> {
        let user = self.directory.user_by_address(address.trim())?;
        let mailbox = self.mailbox(user.id).ok()?;
        Some((user, mailbox))
    }

    /// The mailbox that mail for an address goes to: `user+tag@domain` reaches `user@domain`.
    fn recipient(&self, address: &str) -> Option<(UserRef, Arc<RwLock<Mailbox>>)> {
        let found = self.mailbox_of(address).or_else(|| {
            let (local, domain) = address.trim().rsplit_once('@')?;
            let (user, _) = local.split_once('+')?;
            let settings = self.transport.settings.read().unwrap_or_else(PoisonError::into_inner);
            (settings.plus_addressing && !user.is_empty())
                .then(|| self.mailbox_of(&format!("{user}@{domain}")))
                .flatten()
        });
        // A mailbox that was removed, or whose licence is gone, takes no mail.
        found.filter(|(user, _)| self.directory.mailbox_standing(user.id).1 != MailboxCondition::SoftDeleted)
    }

    /// Delivers bytes into the inboxes of `recipients`, all or none.
    #[expect(
        clippy::unused_async,
        reason = "the interface to the servers leaves room for operations that wait"
    )]
    pub async fn deliver_raw(
        &self,
        recipients: &[String],
        mail_from: &str,
        mime: Bytes,
        how: Arrival,
    ) -> Result<Vec<DeliveredTo>, DeliveryError> {
        if let Some(unknown) = recipients.iter().find(|address| !self.accepts(address)) {
            return Err(DeliveryError::UnknownRecipient(unknown.clone()));
        }
        Ok(self.carry(Envelope {
            mail_from: mail_from.to_owned(),
            recipients: recipients.to_vec(),
            bytes: exact(&mime),
            arrival: how,
            generation: 0,
            delivery_receipt: false,
            forwarded: false,
        }))
    }

    /// Delivers bytes into a folder named by well-known name, id or display name; when absent, as mail that arrives.
    #[expect(
        clippy::unused_async,
        reason = "the interface to the control service leaves room for operations that wait"
    )]
    pub async fn deliver_into(
        &self,
        address: &str,
        folder: Option<&str>,
        mime: Bytes,
    ) -> Result<DeliveredTo, DeliveryError> {
        let mime = exact(&mime);
        let (_, mailbox) = self
            .mailbox_of(address)
            .ok_or_else(|| DeliveryError::UnknownRecipient(address.to_owned()))?;
        let Some(name) = folder else {
            let envelope = Envelope {
                mail_from: deliver::return_path(&mime),
                recipients: vec![address.to_owned()],
                bytes: mime,
                arrival: Arrival::AsIs,
                generation: 0,
                delivery_receipt: false,
                forwarded: false,
            };
            return self.inject(&envelope, address);
        };
        let unknown = || DeliveryError::UnknownFolder {
            address: address.to_owned(),
            folder: name.to_owned(),
        };
        let key = self
            .read(&mailbox, |mailbox| mailbox.folder_by_any_name(name))
            .ok_or_else(unknown)?;
        let mut arrived = self.record(mime);
        self.write(&mailbox, |mailbox| {
            arrived.join_conversation(mailbox);
            let item = mailbox.insert(arrived.message, key).map_err(|_| unknown())?;
            Ok(delivered(mailbox, address, item))
        })
    }

    /// Sends a mail of a mailbox, now or when it is due.
    pub(super) fn send_off(&self, outgoing: Outgoing) {
        let at = self.clock.now();
        let domain = outgoing
            .mail_from
            .rsplit_once('@')
            .map_or("sandbox.invalid", |(_, domain)| domain)
            .to_owned();
        let id = "15.20.0000.000";
        let bytes = Bytes::from(wire::traced(&outgoing.bytes, &outgoing.mail_from, id, &domain, at));
        let envelope = Envelope {
            mail_from: outgoing.mail_from,
            recipients: outgoing.recipients,
            bytes,
            arrival: Arrival::Sent,
            generation: 0,
            delivery_receipt: outgoing.delivery_receipt,
            forwarded: false,
        };
        if outgoing.due > at.as_second() {
            let due = jiff::Timestamp::from_second(outgoing.due).unwrap_or(at);
            self.transport.queue().hold(envelope, at, due);
            self.transport.wake.notify_one();
        } else {
            self.carry(envelope);
        }
    }

    /// The mails that left the tenant to an address, or all, oldest first.
    #[must_use]
    pub fn outside_mail(&self, address: Option<&str>) -> Vec<OutsideMail> {
        self.outside
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .list(address)
    }
}

fn delivered(mailbox: &Mailbox, address: &str, key: ItemKey) -> DeliveredTo {
    let place = mailbox.get(key).map(crate::mail::message::Message::place);
    let id = |form| {
        place
            .map(|place| mailbox.codec.message(form, key, place))
            .unwrap_or_default()
    };
    DeliveredTo {
        address: address.to_owned(),
        id: id(IdForm::Default),
        immutable_id: id(IdForm::Immutable),
    }
}

/// The bytes in memory of just their size: what a connection read may sit in a buffer twice as large.
fn exact(bytes: &Bytes) -> Bytes {
    Bytes::copy_from_slice(bytes)
}
