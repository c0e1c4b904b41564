//! The queue of one endpoint.
//!
//! Owns the order: notifications leave in the order in which they are due, which is the order in which they came
//! unless a mishap was ordered. A notification stays in the queue until it is delivered or given up.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;

use crate::notify::health::{Health, span};
use crate::notify::pending::{Pending, Waiting};
use crate::notify::tuning::Tuning;

/// How often a waiting task looks at the tenant's clock, which may be advanced.
pub const CLOCK_GLANCE: Duration = Duration::from_millis(50);

/// When it is due, and which came first.
pub type Key = (Timestamp, u64);

/// An endpoint.
#[derive(Debug)]
pub struct Lane {
    pub url: String,
    pub wake: Notify,
    state: Mutex<Queue>,
}

/// What waits, and how the endpoint has been doing.
#[derive(Debug, Default)]
pub struct Queue {
    waiting: BTreeMap<Key, Waiting>,
    /// Keys of notifications that wait for another to overtake them.
    held: Vec<Key>,
    /// When the last one in order is due.
    last: Option<Timestamp>,
    next_number: u64,
    /// The latest reading of the clock.
    seen: Option<Timestamp>,
    failures: u32,
    retry_at: Option<Timestamp>,
    pub health: Health,
    /// Whether a task is serving it.
    pub is_served: bool,
}

/// When a notification is to leave.
#[derive(Debug, Clone, Copy)]
pub struct Schedule {
    /// In its order, not before this.
    pub due: Timestamp,
    /// So much later, out of order.
    pub delay: SignedDuration,
    /// Behind the next one, waiting at most so long.
    pub held: Option<SignedDuration>,
}

/// What the task of a lane does next.
#[derive(Debug)]
pub enum Step {
    Finished,
    Wait(Duration),
    Deliver(Vec<(Key, Arc<Pending>)>),
}

impl Lane {
    /// An endpoint nobody has spoken to.
    #[must_use]
    pub fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            wake: Notify::new(),
            state: Mutex::default(),
        }
    }

    /// The queue; never held over an await, nor while the book of subscriptions is looked into.
    pub fn queue(&self) -> MutexGuard<'_, Queue> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    /// How many wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// All that wait, in order.
    pub fn waiting(&self) -> impl Iterator<Item = &Waiting> {
        self.waiting.values()
    }

    /// Puts one in.
    pub fn put(&mut self, waiting: Waiting, schedule: Schedule) {
        let in_order = self.last.map_or(schedule.due, |last| last.max(schedule.due));
        self.last = Some(in_order);
        if let Some(patience) = schedule.held {
            let key = self.key(later(in_order, patience));
            self.held.push(key);
            self.waiting.insert(key, waiting);
            return;
        }
        let due = later(in_order, schedule.delay);
        let key = self.key(due);
        self.waiting.insert(key, waiting);
        for held in std::mem::take(&mut self.held) {
            if let Some(overtaken) = self.waiting.remove(&held) {
                let key = self.key(due);
                self.waiting.insert(key, overtaken);
            }
        }
    }

    fn key(&mut self, due: Timestamp) -> Key {
        self.next_number += 1;
        (due, self.next_number)
    }

    /// Decides what is to be done; a queue with nothing in it is no longer served.
    pub fn step(&mut self, now: Timestamp, tuning: &Tuning) -> Step {
        if let Some(seen) = self.seen
            && now < seen
        {
            self.set_back(seen.duration_since(now));
        }
        self.seen = Some(now);
        let Some((first, _)) = self.waiting.keys().next().copied() else {
            self.is_served = false;
            return Step::Finished;
        };
        let due = self.retry_at.map_or(first, |retry| retry.max(first));
        let left = due.duration_since(now);
        if left > SignedDuration::ZERO {
            return Step::Wait(CLOCK_GLANCE.min(left.unsigned_abs()));
        }
        let batch = usize::try_from(tuning.batch).unwrap_or(usize::MAX);
        let due = self.waiting.iter().take_while(|((due, _), _)| *due <= now);
        Step::Deliver(
            due.take(batch)
                .map(|(key, waiting)| (*key, waiting.pending.clone()))
                .collect(),
        )
    }

    /// Follows a clock that was set back, so that nothing waits for the time that was.
    fn set_back(&mut self, by: SignedDuration) {
        let earlier = |at: Timestamp| at.checked_sub(by).unwrap_or(Timestamp::MIN);
        self.waiting = std::mem::take(&mut self.waiting)
            .into_iter()
            .map(|((due, number), mut waiting)| {
                waiting.tried = waiting.tried.map(earlier);
                ((earlier(due), number), waiting)
            })
            .collect();
        for (due, _) in &mut self.held {
            *due = earlier(*due);
        }
        self.last = self.last.map(earlier);
        self.retry_at = self.retry_at.map(earlier);
        self.health = Health::default();
    }

    /// Takes one out.
    pub fn remove(&mut self, key: Key) {
        self.waiting.remove(&key);
        self.held.retain(|held| *held != key);
    }

    /// Takes the delivered ones out.
    pub fn delivered(&mut self, batch: &[(Key, Arc<Pending>)]) {
        (self.failures, self.retry_at) = (0, None);
        for (key, _) in batch {
            self.remove(*key);
        }
    }

    /// Puts the next attempt off and takes out what has been tried for too long; gives that.
    pub fn failed(&mut self, batch: &[(Key, Arc<Pending>)], started: Timestamp, tuning: &Tuning) -> Vec<Arc<Pending>> {
        let doubled = 1_u64.checked_shl(self.failures).unwrap_or(u64::MAX);
        let pause = tuning
            .first_pause_seconds
            .saturating_mul(doubled)
            .min(tuning.longest_pause_seconds.max(tuning.first_pause_seconds));
        self.failures = self.failures.saturating_add(1);
        let next = later(started, span(pause));
        self.retry_at = Some(next);
        let mut given_up = Vec::new();
        for (key, pending) in batch {
            let Some(waiting) = self.waiting.get_mut(key) else {
                continue;
            };
            let first = *waiting.tried.get_or_insert(started);
            if next.duration_since(first) > span(tuning.give_up_seconds) {
                given_up.push(pending.clone());
                self.remove(*key);
            }
        }
        if given_up.len() == batch.len() {
            // The rest has not been tried yet.
            (self.failures, self.retry_at) = (0, None);
        }
        given_up
    }

    /// The number of the attempt under way.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.failures.saturating_add(1)
    }
}

/// A moment put off, at most to the end of time.
#[must_use]
pub fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn put(queue: &mut Queue, name: &str, second: i64, delay: i64, held: Option<i64>) {
        let pending = Arc::new(Pending {
            url: String::new(),
            subscription: Uuid::nil(),
            mailbox: Uuid::nil(),
            lifecycle: None,
            audience: None,
            body: json!(name),
        });
        let schedule = Schedule {
            due: at(second),
            delay: SignedDuration::from_secs(delay),
            held: held.map(SignedDuration::from_secs),
        };
        queue.put(Waiting { pending, tried: None }, schedule);
    }

    fn due(queue: &mut Queue, second: i64) -> Vec<String> {
        match queue.step(at(second), &Tuning::default()) {
            Step::Deliver(batch) => batch
                .iter()
                .map(|(_, one)| one.body.as_str().unwrap().to_owned())
                .collect(),
            Step::Wait(_) | Step::Finished => Vec::new(),
        }
    }

    #[test]
    fn order_is_kept_whatever_the_latency() {
        let mut queue = Queue::default();
        put(&mut queue, "a", 9, 0, None);
        put(&mut queue, "b", 3, 0, None);
        assert!(due(&mut queue, 8).is_empty());
        assert_eq!(due(&mut queue, 9), ["a", "b"]);
    }

    #[test]
    fn a_delayed_one_is_overtaken() {
        let mut queue = Queue::default();
        put(&mut queue, "late", 0, 60, None);
        put(&mut queue, "b", 0, 0, None);
        assert_eq!(due(&mut queue, 0), ["b"]);
        assert_eq!(due(&mut queue, 60), ["b", "late"]);
    }

    #[test]
    fn a_held_one_goes_behind_the_next_or_after_its_patience() {
        let mut queue = Queue::default();
        put(&mut queue, "held", 0, 0, Some(60));
        assert!(due(&mut queue, 1).is_empty());
        put(&mut queue, "next", 2, 0, None);
        assert_eq!(due(&mut queue, 2), ["next", "held"]);
        let mut alone = Queue::default();
        put(&mut alone, "held", 0, 0, Some(60));
        assert_eq!(due(&mut alone, 60), ["held"]);
    }

    #[test]
    fn pauses_double_up_to_the_longest_and_end_after_four_hours() {
        let (tuning, mut queue, mut now, mut pauses) = (Tuning::default(), Queue::default(), 0, Vec::new());
        put(&mut queue, "a", 0, 0, None);
        loop {
            let Step::Deliver(batch) = queue.step(at(now), &tuning) else {
                panic!("not due at {now}")
            };
            if !queue.failed(&batch, at(now), &tuning).is_empty() {
                break;
            }
            let retry = queue.retry_at.unwrap().as_second();
            pauses.push(retry - now);
            now = retry;
        }
        assert_eq!(pauses[..4], [1, 2, 4, 8]);
        assert_eq!(pauses.iter().max(), Some(&600));
        assert!(now <= 4 * 3_600 && now > 4 * 3_600 - 600, "{now}");
        assert_eq!(queue.len(), 0);
    }

    #[test]
    fn a_clock_that_is_set_back_holds_nothing_up() {
        let (tuning, mut queue) = (Tuning::default(), Queue::default());
        put(&mut queue, "a", 1_000_000, 0, None);
        let Step::Deliver(batch) = queue.step(at(1_000_000), &tuning) else {
            panic!("not due")
        };
        queue.failed(&batch, at(1_000_000), &tuning);
        put(&mut queue, "b", 10, 0, None);
        assert!(due(&mut queue, 10).is_empty());
        assert_eq!(due(&mut queue, 11), ["a", "b"]);
    }

    #[test]
    fn a_delivery_ends_the_back_off() {
        let (tuning, mut queue) = (Tuning::default(), Queue::default());
        put(&mut queue, "a", 0, 0, None);
        let Step::Deliver(batch) = queue.step(at(0), &tuning) else {
            panic!("not due")
        };
        assert!(queue.failed(&batch, at(0), &tuning).is_empty());
        assert!(due(&mut queue, 0).is_empty());
        queue.delivered(&batch);
        put(&mut queue, "b", 0, 0, None);
        assert_eq!(due(&mut queue, 0), ["b"]);
        assert_eq!(queue.attempt(), 1);
    }
}
