//! Mails that wait: those a mailbox sends too fast, and those on their way to a server outside.
//!
//! Owns the order and the pauses between attempts, by the tenant's clock. A mail stays in the queue while it is being
//! handed over, so that saved state never loses one.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::mail::transport::envelope::{Envelope, Failure};

/// Mails waiting; more than a test needs, and a bound for a client that runs away.
const MAX_WAITING: usize = 50_000;
/// Pauses after the first attempts, then the last one again and again, as Exchange's are.
const PAUSES: [i64; 4] = [60, 300, 600, 900];

/// Why a mail waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// Its mailbox sends too fast.
    Held,
    /// A server outside is to take it.
    Outside,
}

/// One mail that waits.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Waiting {
    pub id: u64,
    pub envelope: Envelope,
    pub stage: Stage,
    pub arrived: Timestamp,
    pub due: Timestamp,
    pub attempts: u32,
    pub told_of_delay: bool,
    pub last: Option<Failure>,
    /// Being handed over right now.
    #[serde(skip)]
    pub in_flight: bool,
}

impl Waiting {
    /// A mail for the outside that was not tried yet.
    #[must_use]
    pub fn new(envelope: Envelope, now: Timestamp) -> Self {
        Self {
            id: 0,
            envelope,
            stage: Stage::Outside,
            arrived: now,
            due: now,
            attempts: 0,
            told_of_delay: false,
            last: None,
            in_flight: false,
        }
    }

    /// When it is given up.
    #[must_use]
    pub fn expires(&self, after_seconds: u32) -> Timestamp {
        later(self.arrived, i64::from(after_seconds))
    }

    /// Whether its sender should hear that it is late, and did not yet.
    #[must_use]
    pub fn is_late(&self, now: Timestamp, after_seconds: u32) -> bool {
        !self.told_of_delay && later(self.arrived, i64::from(after_seconds)) <= now
    }

    /// Sets the next attempt.
    pub fn postpone(&mut self, now: Timestamp, expire_after_seconds: u32) {
        let step = usize::try_from(self.attempts)
            .unwrap_or(usize::MAX)
            .min(PAUSES.len() - 1);
        self.attempts = self.attempts.saturating_add(1);
        self.due = later(now, PAUSES[step]).min(self.expires(expire_after_seconds).max(now));
        self.in_flight = false;
    }
}

fn later(at: Timestamp, seconds: i64) -> Timestamp {
    at.checked_add(SignedDuration::from_secs(seconds))
        .unwrap_or(Timestamp::MAX)
}

/// All mails that wait.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Queue {
    waiting: Vec<Waiting>,
    last: u64,
}

impl Queue {
    /// Holds back a mail that its mailbox sent too fast. A full queue lets it go at once rather than lose it.
    pub fn hold(&mut self, envelope: Envelope, now: Timestamp, due: Timestamp) {
        let mut waiting = Waiting::new(envelope, now);
        waiting.stage = Stage::Held;
        waiting.due = if self.waiting.len() < MAX_WAITING { due } else { now };
        self.enter(waiting);
    }

    /// Queues a mail for the outside; gives it back when the queue is full.
    ///
    /// # Errors
    /// The mail.
    pub fn push(&mut self, envelope: Envelope, now: Timestamp) -> Result<(), Envelope> {
        if self.waiting.len() >= MAX_WAITING {
            return Err(envelope);
        }
        self.enter(Waiting::new(envelope, now));
        Ok(())
    }

    fn enter(&mut self, mut waiting: Waiting) {
        self.last += 1;
        waiting.id = self.last;
        self.waiting.push(waiting);
    }

    /// Puts a mail back after an attempt that may be repeated.
    pub fn put_back(&mut self, waiting: Waiting) {
        match self
            .waiting
            .iter_mut()
            .find(|other| waiting.id != 0 && other.id == waiting.id)
        {
            Some(place) => *place = waiting,
            None => self.enter(waiting),
        }
    }

    /// The mails that are due, oldest first; they stay in the queue as being handed over.
    pub fn take_due(&mut self, now: Timestamp, most: usize) -> Vec<Waiting> {
        let mut due: Vec<&mut Waiting> = self
            .waiting
            .iter_mut()
            .filter(|waiting| !waiting.in_flight && waiting.due <= now)
            .collect();
        due.sort_by_key(|waiting| (waiting.due, waiting.id));
        due.into_iter()
            .take(most)
            .map(|waiting| {
                let taken = waiting.clone();
                waiting.in_flight = true;
                taken
            })
            .collect()
    }

    /// Forgets a mail that was handed over or given up, unless it was put back meanwhile.
    pub fn finish(&mut self, id: u64) {
        self.waiting.retain(|waiting| waiting.id != id || !waiting.in_flight);
    }

    /// How many mails wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// The queue as the control interface shows it.
    #[must_use]
    pub fn shown(&self) -> Vec<Value> {
        self.waiting
            .iter()
            .map(|waiting| {
                json!({
                    "id": waiting.id,
                    "why": match waiting.stage { Stage::Held => "sending rate", Stage::Outside => "outside" },
                    "mail_from": waiting.envelope.mail_from,
                    "recipients": waiting.envelope.recipients,
                    "size": waiting.envelope.bytes.len(),
                    "arrived": waiting.arrived,
                    "due": waiting.due,
                    "attempts": waiting.attempts,
                    "last_error": waiting.last.as_ref().map(Failure::reply),
                })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::mail::transport::envelope::Arrival;

    fn envelope() -> Envelope {
        Envelope {
            mail_from: "a@contoso.example".to_owned(),
            recipients: vec!["b@x.example".to_owned()],
            bytes: Bytes::from_static(b"Subject: \xff\r\n\r\n"),
            arrival: Arrival::Sent,
            generation: 0,
            delivery_receipt: false,
            forwarded: false,
        }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    #[test]
    fn a_mail_is_taken_once_and_comes_back_with_growing_pauses() {
        let mut queue = Queue::default();
        queue.push(envelope(), at(0)).unwrap();
        let mut waiting = queue.take_due(at(0), 10).remove(0);
        assert!(queue.take_due(at(0), 10).is_empty());
        let mut dues = Vec::new();
        for _ in 0..6 {
            let now = waiting.due;
            waiting.postpone(now, 86_400);
            dues.push(waiting.due.as_second() - now.as_second());
        }
        assert_eq!(dues, [60, 300, 600, 900, 900, 900]);
        queue.put_back(waiting.clone());
        queue.finish(waiting.id);
        assert_eq!(queue.len(), 1);
        assert_eq!(queue.take_due(waiting.due, 10).len(), 1);
        queue.finish(waiting.id);
        assert_eq!(queue.len(), 0);
    }

    #[test]
    fn the_last_attempt_is_at_the_expiry() {
        let mut waiting = Waiting::new(envelope(), at(0));
        waiting.postpone(at(86_000), 86_400);
        assert_eq!(waiting.due, at(86_060));
        waiting.postpone(at(86_060), 86_400);
        assert_eq!(waiting.due, at(86_360));
        waiting.postpone(at(86_360), 86_400);
        assert_eq!(waiting.due, at(86_400));
    }

    #[test]
    fn a_queue_survives_being_saved() {
        let mut queue = Queue::default();
        queue.hold(envelope(), at(0), at(60));
        let _ = queue.take_due(at(60), 1);
        let text = serde_json::to_string(&queue).unwrap();
        let mut again: Queue = serde_json::from_str(&text).unwrap();
        let waiting = again.take_due(at(60), 1).remove(0);
        assert_eq!(
            (waiting.stage, &waiting.envelope.bytes),
            (Stage::Held, &envelope().bytes)
        );
    }
}
