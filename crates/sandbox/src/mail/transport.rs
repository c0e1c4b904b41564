//! Transport: from a sender to mailboxes of the tenant and to the outside.
//!
//! Owns delivery. A recipient with a mailbox gets one copy however often it is addressed; a recipient outside shares
//! one outside mail with the others. Mail that arrives for an address without a mailbox is refused before anything is
//! delivered.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;

use crate::directory::UserRef;
use crate::mail::MailService;
use crate::mail::conversation::{first_index, next_index};
use crate::mail::ids::{FolderKey, IdForm, ItemKey};
use crate::mail::mailbox::Mailbox;
use crate::mail::mime::{self, Reception};
use crate::mail::outside::OutsideMail;
use crate::mail::well_known::WellKnown;
use crate::mail::wire;
use crate::odata::error::ODataError;

/// How a message arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// Bytes stay exactly as they are.
    AsIs,
    /// By SMTP: trace headers were already added by the server.
    Smtp,
    /// Sent by a mailbox of the tenant.
    Sent,
}

/// One delivered copy.
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
}

/// A mail ready for the wire.
#[derive(Debug)]
pub struct Outgoing {
    pub mail_from: String,
    pub recipients: Vec<String>,
    pub bytes: Bytes,
}

impl MailService {
    /// Whether an address has a mailbox here.
    #[must_use]
    pub fn accepts(&self, address: &str) -> bool {
        self.mailbox_of(address).is_some()
    }

    pub(super) fn mailbox_of(&self, address: &str) -> Option<(UserRef, Arc<RwLock<Mailbox>>)> {
        let user = self.directory.user_by_address(address.trim())?;
        let mailbox = self.mailbox(user.id).ok()?;
        Some((user, mailbox))
    }

    /// Delivers bytes into the inboxes of `recipients`, all or none.
    #[expect(
        clippy::unused_async,
        reason = "the interface to the servers leaves room for operations that wait"
    )]
    pub async fn deliver_raw(
        &self,
        recipients: &[String],
        _mail_from: &str,
        mime: Bytes,
        how: Arrival,
    ) -> Result<Vec<DeliveredTo>, DeliveryError> {
        let mime = exact(&mime);
        let mut targets: Vec<(String, Arc<RwLock<Mailbox>>)> = Vec::new();
        let mut seen = HashSet::new();
        for address in recipients {
            let (user, mailbox) = self
                .mailbox_of(address)
                .ok_or_else(|| DeliveryError::UnknownRecipient(address.clone()))?;
            if seen.insert(user.id) {
                targets.push((address.clone(), mailbox));
            }
        }
        Ok(targets
            .into_iter()
            .filter_map(|(address, mailbox)| self.deliver_to(&mailbox, &address, None, mime.clone(), how).ok())
            .collect())
    }

    /// Delivers bytes into a folder named by well-known name, id or display name; the inbox when absent.
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
        let unknown = |folder: &str| DeliveryError::UnknownFolder {
            address: address.to_owned(),
            folder: folder.to_owned(),
        };
        let key = match folder {
            None => None,
            Some(name) => Some(
                self.read(&mailbox, |mailbox| mailbox.folder_by_any_name(name))
                    .ok_or_else(|| unknown(name))?,
            ),
        };
        self.deliver_to(&mailbox, address, key, mime, Arrival::AsIs)
            .map_err(|_| unknown(folder.unwrap_or("inbox")))
    }

    fn deliver_to(
        &self,
        mailbox: &RwLock<Mailbox>,
        address: &str,
        folder: Option<FolderKey>,
        bytes: Bytes,
        how: Arrival,
    ) -> Result<DeliveredTo, ODataError> {
        tracing::debug!(?how, bytes = bytes.len(), "mail arrives");
        // Parsing needs no lock: other requests go on meanwhile.
        let message_id = self.fresh_message_id(address);
        let at = self.clock.now();
        let (mut message, ancestry) = mime::record(
            bytes,
            Reception {
                at: at.as_second(),
                message_id_if_none: &message_id,
            },
        );
        let fresh = self.fresh_conversation();
        self.write(mailbox, |mailbox| {
            message.conversation = mailbox.conversations.join(&ancestry, fresh);
            message.conversation_index = match &ancestry.thread_index {
                Some(index) => index.clone().into(),
                None if ancestry.references.is_empty() && ancestry.in_reply_to.is_empty() => {
                    first_index(&message.conversation, at).into()
                }
                None => next_index(&first_index(&message.conversation, at), &message.conversation, at).into(),
            };
            let folder = folder.unwrap_or_else(|| mailbox.well_known(WellKnown::Inbox));
            let key = mailbox.insert(message, folder)?;
            Ok(delivered(mailbox, address, key))
        })
    }

    /// Sends a mail: copies into mailboxes of the tenant, one outside mail for all others.
    pub(super) fn transport(&self, outgoing: Outgoing) {
        let at = self.clock.now();
        let domain = outgoing
            .mail_from
            .rsplit_once('@')
            .map_or("sandbox.invalid", |(_, domain)| domain)
            .to_owned();
        let id = "15.20.0000.000";
        let bytes = Bytes::from(wire::traced(&outgoing.bytes, &outgoing.mail_from, id, &domain, at));
        let mut seen = HashSet::new();
        let mut outside = Vec::new();
        for address in &outgoing.recipients {
            match self.mailbox_of(address) {
                Some((user, mailbox)) => {
                    if seen.insert(user.id)
                        && self
                            .deliver_to(&mailbox, address, None, bytes.clone(), Arrival::Sent)
                            .is_err()
                    {
                        tracing::warn!("a copy could not be delivered inside the tenant");
                    }
                }
                None if outside.iter().any(|other: &String| other.eq_ignore_ascii_case(address)) => {}
                None => outside.push(address.clone()),
            }
        }
        if outside.is_empty() {
            return;
        }
        let parsed = mime::parse(&outgoing.bytes);
        let mail = OutsideMail {
            seq: 0,
            mail_from: outgoing.mail_from,
            recipients: outside,
            internet_message_id: parsed
                .as_ref()
                .and_then(|mail| mail.message_id())
                .map(|id| format!("<{id}>")),
            subject: parsed.as_ref().and_then(|mail| mail.subject()).map(str::to_owned),
            sent_at: at,
            raw: bytes.into(),
        };
        self.outside.lock().unwrap_or_else(PoisonError::into_inner).add(mail);
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
