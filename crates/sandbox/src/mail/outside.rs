//! Everyone outside the tenant: the mails that left, with their bytes and envelope.
//!
//! Owns a bounded list; the oldest go first. Nothing here ever reaches a real mail server.

use std::collections::VecDeque;

use bytes::Bytes;
use jiff::Timestamp;

/// Mails kept.
const MAX_KEPT: usize = 100_000;

/// A mail that left the tenant.
#[derive(Debug, Clone)]
pub struct OutsideMail {
    /// Counts from one.
    pub seq: u64,
    /// Envelope sender.
    pub mail_from: String,
    /// Envelope recipients outside the tenant.
    pub recipients: Vec<String>,
    /// Message-ID header, with angle brackets.
    pub internet_message_id: Option<String>,
    /// Subject header, decoded.
    pub subject: Option<String>,
    /// When it left.
    pub sent_at: Timestamp,
    /// The bytes on the wire.
    pub raw: Bytes,
}

/// All mails that left.
#[derive(Debug, Default)]
pub struct Outside {
    mails: VecDeque<OutsideMail>,
    last: u64,
}

impl Outside {
    /// Adds a mail and numbers it.
    pub fn add(&mut self, mut mail: OutsideMail) {
        self.last += 1;
        mail.seq = self.last;
        if self.mails.len() >= MAX_KEPT {
            self.mails.pop_front();
        }
        self.mails.push_back(mail);
    }

    /// The mails to one address, or all, oldest first.
    #[must_use]
    pub fn list(&self, address: Option<&str>) -> Vec<OutsideMail> {
        self.mails
            .iter()
            .filter(|mail| {
                address.is_none_or(|address| mail.recipients.iter().any(|to| to.eq_ignore_ascii_case(address)))
            })
            .cloned()
            .collect()
    }
}
