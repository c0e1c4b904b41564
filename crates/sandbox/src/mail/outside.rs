//! Everyone outside the tenant: the mails that left, with their bytes and envelope.
//!
//! Owns a bounded list; the oldest go first. Nothing here ever reaches a real mail server.

use std::collections::VecDeque;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::persist::bodies::Raw;

/// Mails kept.
const MAX_KEPT: usize = 100_000;

/// A mail that left the tenant.
#[derive(Debug, Clone, Serialize, Deserialize)]
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
    pub raw: Raw,
}

/// All mails that left.
#[derive(Debug, Default)]
pub struct Outside {
    mails: VecDeque<OutsideMail>,
    last: u64,
    /// Number of the last one that was saved.
    saved: u64,
    /// All up to this number were thrown away.
    gone: u64,
    /// As far as that was saved.
    gone_saved: u64,
}

impl Outside {
    /// Adds a mail and numbers it.
    pub fn add(&mut self, mut mail: OutsideMail) {
        self.last += 1;
        mail.seq = self.last;
        if self.mails.len() >= MAX_KEPT {
            self.gone = self.mails.pop_front().map_or(self.gone, |oldest| oldest.seq);
        }
        self.mails.push_back(mail);
    }

    /// Up to `most` mails that are not yet saved, and the number of the last one that is.
    #[must_use]
    pub fn unsaved(&self, most: usize) -> (u64, Vec<OutsideMail>) {
        let unsaved = self.mails.iter().filter(|mail| mail.seq > self.saved);
        (self.saved, unsaved.take(most).cloned().collect())
    }

    /// Notes where the bytes of a mail are now.
    pub fn settle(&mut self, seq: u64, raw: Raw) {
        if let Ok(at) = self.mails.binary_search_by_key(&seq, |mail| mail.seq) {
            self.mails[at].raw = raw;
        }
    }

    /// Notes that everything up to `seq` is saved.
    pub fn saved_up_to(&mut self, seq: u64) {
        self.saved = seq;
    }

    /// Up to which number all were thrown away, if that is not yet saved; it counts as saved from here on.
    pub fn take_gone(&mut self) -> Option<u64> {
        let unsaved = self.gone > self.gone_saved;
        self.gone_saved = self.gone;
        unsaved.then_some(self.gone)
    }

    /// Notes that what came after `seq` is not saved after all.
    pub fn put_back(&mut self, seq: u64) {
        self.saved = self.saved.min(seq);
        self.gone_saved = 0;
    }

    /// Notes that nothing is saved.
    pub fn mark_all_unsaved(&mut self) {
        self.put_back(0);
    }

    /// Takes the bytes that lie in a segment back into memory: the next save puts them elsewhere.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn take_out_of(&mut self, segment: u32) -> Result<(), Error> {
        let mut first = None;
        for mail in self.mails.iter_mut().filter(|mail| mail.raw.segment() == Some(segment)) {
            mail.raw = Raw::Held(mail.raw.checked_bytes()?);
            first.get_or_insert(mail.seq);
        }
        if let Some(seq) = first {
            self.put_back(seq - 1);
        }
        Ok(())
    }

    /// Takes over saved mails, oldest first; those up to `gone` were thrown away, and their numbers stay theirs.
    pub fn restore(&mut self, mails: Vec<OutsideMail>, gone: u64) {
        let surplus = mails.len().saturating_sub(MAX_KEPT);
        self.mails = mails.into_iter().skip(surplus).collect();
        self.last = self.mails.back().map_or(gone, |mail| mail.seq.max(gone));
        self.saved = self.last;
        self.gone = gone;
        self.gone_saved = gone;
    }

    /// Forgets all mails; numbers go on. Gives how many there were.
    pub fn clear(&mut self) -> usize {
        let count = self.mails.len();
        self.mails.clear();
        self.gone = self.last;
        count
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

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn mail() -> OutsideMail {
        OutsideMail {
            seq: 0,
            mail_from: "support@contoso.example".to_owned(),
            recipients: vec!["ada@fabrikam.example".to_owned()],
            internet_message_id: None,
            subject: None,
            sent_at: Timestamp::UNIX_EPOCH,
            raw: Bytes::from_static(b"Subject: x\r\n\r\ny").into(),
        }
    }

    #[test]
    fn what_was_thrown_away_is_told_to_the_next_save_once() {
        let mut outside = Outside::default();
        outside.add(mail());
        assert_eq!(outside.take_gone(), None);
        assert_eq!(outside.clear(), 1);
        assert_eq!(outside.take_gone(), Some(1));
        assert_eq!(outside.take_gone(), None);
        outside.put_back(u64::MAX);
        assert_eq!(outside.take_gone(), Some(1));
    }

    #[test]
    fn numbers_go_on_after_a_restart_that_finds_nothing() {
        let mut outside = Outside::default();
        outside.restore(Vec::new(), 7);
        outside.add(mail());
        assert_eq!(outside.unsaved(10).1[0].seq, 8);
    }
}
