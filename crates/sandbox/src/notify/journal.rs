//! What was sent: the log of attempts and of handshakes, and the last notifications for sending them again.
//!
//! Owns bounded rings. It decides nothing.

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::notify::pending::Pending;

/// Attempts remembered.
const MAX_ATTEMPTS: usize = 10_000;
/// Notifications remembered in attempts (about 20 MB).
const MAX_TOLD: usize = 20_000;
/// Notifications that can be sent again.
const MAX_AGAIN: usize = 1_000;
/// Handshakes remembered.
const MAX_HANDSHAKES: usize = 1_000;

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The endpoint answered.
    Status(u16),
    /// No answer.
    Failed(String),
    /// Given up after four hours, or not taken because the queue was full.
    GivenUp,
    /// Not taken because the endpoint had been too slow.
    Dropped,
    /// Lost by a rule that a test made.
    Lost,
}

impl Outcome {
    /// Any 2xx.
    #[must_use]
    pub fn is_delivered(&self) -> bool {
        matches!(self, Self::Status(200..=299))
    }
}

/// The rings.
#[derive(Debug, Default)]
pub struct Journal {
    attempts: VecDeque<Attempt>,
    told: usize,
    delivered: VecDeque<Arc<Pending>>,
    handshakes: VecDeque<Value>,
}

#[derive(Debug)]
struct Attempt {
    at: Timestamp,
    number: u32,
    outcome: Outcome,
    batch: Vec<Arc<Pending>>,
}

impl Journal {
    /// Notes an attempt to deliver `batch`.
    pub fn attempt(&mut self, at: Timestamp, batch: &[Arc<Pending>], number: u32, outcome: &Outcome) {
        self.told += batch.len();
        self.attempts.push_back(Attempt {
            at,
            number,
            outcome: outcome.clone(),
            batch: batch.to_vec(),
        });
        while self.attempts.len() > MAX_ATTEMPTS || (self.told > MAX_TOLD && self.attempts.len() > 1) {
            if let Some(oldest) = self.attempts.pop_front() {
                self.told -= oldest.batch.len();
            }
        }
        if outcome.is_delivered() {
            self.delivered.extend(batch.iter().cloned());
            while self.delivered.len() > MAX_AGAIN {
                self.delivered.pop_front();
            }
        }
    }

    /// Notes a handshake; `problem` is none when the endpoint passed.
    pub fn handshake(&mut self, at: Timestamp, url: &str, problem: Option<&str>) {
        if self.handshakes.len() >= MAX_HANDSHAKES {
            self.handshakes.pop_front();
        }
        self.handshakes
            .push_back(json!({"at": at.to_string(), "url": url, "problem": problem}));
    }

    /// The last `count` delivered notifications, oldest first.
    #[must_use]
    pub fn last(&self, count: usize) -> Vec<Arc<Pending>> {
        let skipped = self.delivered.len().saturating_sub(count);
        self.delivered.iter().skip(skipped).cloned().collect()
    }

    /// All attempts, oldest first.
    #[must_use]
    pub fn attempts(&self) -> Vec<Value> {
        self.attempts.iter().map(Attempt::to_json).collect()
    }

    /// All handshakes, oldest first.
    #[must_use]
    pub fn handshakes(&self) -> Vec<Value> {
        self.handshakes.iter().cloned().collect()
    }
}

impl Attempt {
    fn to_json(&self) -> Value {
        let (status, error) = match &self.outcome {
            Outcome::Status(status) => (Some(*status), None),
            Outcome::Failed(reason) => (None, Some(reason.as_str())),
            Outcome::GivenUp => (None, Some("given up")),
            Outcome::Dropped => (None, Some("dropped: the endpoint was too slow")),
            Outcome::Lost => (None, Some("lost by a rule")),
        };
        json!({
            "at": self.at.to_string(),
            "url": self.batch.first().map(|pending| &pending.url),
            "attempt": self.number,
            "status": status,
            "error": error,
            "value": self.batch.iter().map(|pending| &pending.body).collect::<Vec<_>>(),
        })
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn the_journal_forgets_the_oldest_notifications_first() {
        let pending = Arc::new(Pending {
            url: "https://hook.example".to_owned(),
            subscription: Uuid::nil(),
            mailbox: Uuid::nil(),
            lifecycle: None,
            audience: None,
            body: Value::Null,
        });
        let mut journal = Journal::default();
        let batch = vec![pending; MAX_TOLD / 2];
        for number in 1..=3 {
            journal.attempt(Timestamp::UNIX_EPOCH, &batch, number, &Outcome::Status(200));
        }
        let numbers: Vec<u64> = journal
            .attempts()
            .iter()
            .filter_map(|one| one["attempt"].as_u64())
            .collect();
        assert_eq!(numbers, [2, 3]);
        assert_eq!(journal.last(MAX_AGAIN * 2).len(), MAX_AGAIN);
    }
}
