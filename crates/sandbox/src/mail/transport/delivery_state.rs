//! What one mailbox remembers for transport: its rules, forwarding, quota, what it sent lately and whom it told that
//! its owner is away.
//!
//! Owns plain records that can be saved. Each list has a bound; what falls out of a window is forgotten.

use std::collections::{BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use crate::mail::message::Seconds;
use crate::mail::rules::MessageRule;

const DAY: Seconds = 24 * 3600;
const MINUTE: Seconds = 60;

/// Where mail for a mailbox goes instead, or as well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Forwarding {
    pub address: String,
    /// Whether the mailbox gets it too (`DeliverToMailboxAndForward`).
    #[serde(default)]
    pub deliver_and_forward: bool,
}

/// Whom an absence was told to.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Answered {
    /// Which absence: its settings in short.
    pub period: String,
    /// Lower-case addresses.
    pub senders: BTreeSet<String>,
}

/// What a mailbox sent in the last day.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Sent {
    /// When mails left or will leave, oldest first; only of the last minute and the future.
    departures: VecDeque<Seconds>,
    /// When, and to how many.
    recipients: VecDeque<(Seconds, u32)>,
}

impl Sent {
    /// Recipients in the 24 hours before `now`.
    #[must_use]
    pub fn recipients_of_day(&self, now: Seconds) -> u64 {
        self.recipients
            .iter()
            .filter(|(at, _)| *at > now - DAY)
            .map(|(_, count)| u64::from(*count))
            .sum()
    }

    /// Notes a mail and says when it leaves: at once, or as soon as `per_minute` allows.
    pub fn note(&mut self, now: Seconds, recipients: u32, per_minute: Option<u32>) -> Seconds {
        while self.recipients.front().is_some_and(|(at, _)| *at <= now - DAY) {
            self.recipients.pop_front();
        }
        match self.recipients.back_mut() {
            // One entry a second is enough: the window is a day.
            Some((at, count)) if *at == now => *count = count.saturating_add(recipients),
            _ => self.recipients.push_back((now, recipients)),
        }
        let Some(per_minute) = per_minute else {
            self.departures.clear();
            return now;
        };
        while self.departures.front().is_some_and(|at| *at <= now - MINUTE) {
            self.departures.pop_front();
        }
        let room = usize::try_from(per_minute).unwrap_or(usize::MAX);
        let due = match self.departures.len().checked_sub(room) {
            None => now,
            Some(index) => self.departures[index] + MINUTE,
        }
        .max(self.departures.back().copied().unwrap_or(now))
        .max(now);
        self.departures.push_back(due);
        due
    }
}

/// All of it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct DeliveryState {
    /// In order of sequence.
    pub rules: Vec<MessageRule>,
    pub forwarding: Option<Forwarding>,
    /// Bytes the mailbox may hold; none: no limit.
    pub quota_bytes: Option<u64>,
    pub sent: Sent,
    pub answered: Answered,
    /// Senders whose mail goes to Junk Email: addresses or domains.
    pub blocked_senders: Vec<String>,
    /// Senders whose mail never does.
    pub safe_senders: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mails_above_the_rate_leave_a_minute_after_the_one_they_wait_for() {
        let mut sent = Sent::default();
        let due: Vec<Seconds> = (0..5).map(|_| sent.note(100, 1, Some(2))).collect();
        assert_eq!(due, [100, 100, 160, 160, 220]);
        assert_eq!(sent.note(1_000, 1, Some(2)), 1_000);
        let unlimited: Vec<Seconds> = (0..5).map(|_| sent.note(1_000, 1, None)).collect();
        assert_eq!(unlimited, [1_000; 5]);
    }

    #[test]
    fn recipients_are_forgotten_after_a_day() {
        let mut sent = Sent::default();
        sent.note(0, 3, None);
        sent.note(DAY / 2, 4, None);
        assert_eq!(sent.recipients_of_day(DAY / 2), 7);
        assert_eq!(sent.recipients_of_day(DAY), 4);
        sent.note(DAY, 1, None);
        assert_eq!(sent.recipients.len(), 2);
    }
}
