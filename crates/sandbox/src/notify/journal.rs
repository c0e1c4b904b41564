//! What was sent: the log of attempts, and the last notifications for sending them again.
//!
//! Owns two bounded rings. It decides nothing.

use std::collections::VecDeque;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::notify::deliver::Pending;

/// Attempts remembered.
const MAX_ATTEMPTS: usize = 10_000;
/// Notifications that can be sent again.
const MAX_AGAIN: usize = 1_000;

/// How an attempt ended.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// The endpoint answered.
    Status(u16),
    /// No answer.
    Failed(String),
    /// Given up after four hours, or dropped because the queue was full.
    GivenUp,
}

/// The rings.
#[derive(Debug, Default)]
pub struct Journal {
    attempts: VecDeque<Value>,
    delivered: VecDeque<Pending>,
}

impl Journal {
    /// Notes an attempt to deliver `batch`.
    pub fn attempt(&mut self, at: Timestamp, batch: &[Pending], number: u32, outcome: &Outcome) {
        if self.attempts.len() >= MAX_ATTEMPTS {
            self.attempts.pop_front();
        }
        let (status, error) = match outcome {
            Outcome::Status(status) => (Some(*status), None),
            Outcome::Failed(reason) => (None, Some(reason.as_str())),
            Outcome::GivenUp => (None, Some("given up")),
        };
        self.attempts.push_back(json!({
            "at": at.to_string(),
            "url": batch.first().map(|pending| &pending.url),
            "attempt": number,
            "status": status,
            "error": error,
            "value": batch.iter().map(|pending| &pending.body).collect::<Vec<_>>(),
        }));
    }

    /// Notes a delivered batch.
    pub fn delivered(&mut self, batch: &[Pending]) {
        for pending in batch {
            if self.delivered.len() >= MAX_AGAIN {
                self.delivered.pop_front();
            }
            self.delivered.push_back(pending.clone());
        }
    }

    /// The last `count` delivered notifications, oldest first.
    #[must_use]
    pub fn last(&self, count: usize) -> Vec<Pending> {
        self.delivered
            .iter()
            .skip(self.delivered.len().saturating_sub(count))
            .cloned()
            .collect()
    }

    /// All attempts, oldest first.
    #[must_use]
    pub fn attempts(&self) -> Vec<Value> {
        self.attempts.iter().cloned().collect()
    }
}
