//! The tenant's clock: the system's time, or a moment that stands still, plus an offset that can be moved.
//!
//! Owns the only reading of the system time in this crate. It never goes backwards by itself; only who sets it can do
//! that. Every expiry (secret, token, device code, subscription) is judged by this clock and no other.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::persist::Section;

/// Longest sleep before the clock is read again, for a machine whose own time is changed meanwhile.
const LONGEST_SLEEP: Duration = Duration::from_secs(3600);

/// A clock that can be moved, stopped and set.
#[derive(Debug)]
pub struct SandboxClock {
    hands: Mutex<Hands>,
    moved: Notify,
    is_driven: bool,
    /// How many wait for each moment.
    alarms: Mutex<BTreeMap<Timestamp, usize>>,
}

#[derive(Debug)]
struct Hands {
    base: Base,
    offset: SignedDuration,
    /// How wrong the `Date` header of answers is.
    date_skew: SignedDuration,
    last_tick: u64,
}

#[derive(Debug, Clone, Copy)]
enum Base {
    System,
    Frozen(Timestamp),
}

impl Base {
    fn now(self) -> Timestamp {
        match self {
            Self::System => system_time(),
            Self::Frozen(at) => at,
        }
    }
}

impl Hands {
    fn now(&self) -> Timestamp {
        self.base.now().checked_add(self.offset).unwrap_or(Timestamp::MAX)
    }
}

impl SandboxClock {
    fn new(base: Base) -> Self {
        Self {
            hands: Mutex::new(Hands {
                base,
                offset: SignedDuration::ZERO,
                date_skew: SignedDuration::ZERO,
                last_tick: 0,
            }),
            moved: Notify::new(),
            is_driven: false,
            alarms: Mutex::default(),
        }
    }

    /// A clock that follows the machine's time.
    #[must_use]
    pub fn system() -> Self {
        Self::new(Base::System)
    }

    /// A clock that stands still at `at` and moves only by [`SandboxClock::advance`] and [`SandboxClock::set`].
    #[must_use]
    pub fn frozen_at(at: Timestamp) -> Self {
        Self::new(Base::Frozen(at))
    }

    /// A clock that stands still like [`SandboxClock::frozen_at`], and whose mover lets all of time pass in this
    /// process: even pauses that have nothing to do with the tenant's time go by it.
    #[must_use]
    pub fn driven_from(at: Timestamp) -> Self {
        Self {
            is_driven: true,
            ..Self::frozen_at(at)
        }
    }

    fn hands(&self) -> MutexGuard<'_, Hands> {
        self.hands.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Hands)) {
        change(&mut self.hands());
        self.moved.notify_waiters();
    }

    /// The present moment of the tenant.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.hands().now()
    }

    /// Moves the clock forwards.
    pub fn advance(&self, by: Duration) {
        let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
        self.change(|hands| hands.offset = hands.offset.saturating_add(by));
    }

    /// Sets the clock, backwards too.
    pub fn set(&self, at: Timestamp) {
        self.change(|hands| hands.offset = at.duration_since(hands.base.now()));
    }

    /// Stops the clock where it is; one that stands stays as it is.
    pub fn freeze(&self) {
        self.change(|hands| {
            if matches!(hands.base, Base::System) {
                hands.base = Base::Frozen(system_time());
            }
        });
    }

    /// Lets the clock go on from where it is.
    pub fn unfreeze(&self) {
        self.change(|hands| {
            if let Base::Frozen(_) = hands.base {
                hands.offset = hands.now().duration_since(system_time());
                hands.base = Base::System;
            }
        });
    }

    /// Whether the clock stands.
    #[must_use]
    pub fn is_frozen(&self) -> bool {
        matches!(self.hands().base, Base::Frozen(_))
    }

    /// How far the clock has been moved.
    #[must_use]
    pub fn offset(&self) -> SignedDuration {
        self.hands().offset
    }

    /// How far the `Date` header of answers is from this clock.
    #[must_use]
    pub fn date_skew(&self) -> SignedDuration {
        self.hands().date_skew
    }

    /// Makes the `Date` header of answers wrong, as a server with a bad clock has it.
    pub fn set_date_skew(&self, skew: SignedDuration) {
        self.hands().date_skew = skew;
    }

    /// A number greater than every one before it; while time passes it is the clock's milliseconds.
    #[must_use]
    pub fn tick(&self) -> u64 {
        let mut hands = self.hands();
        let milliseconds = u64::try_from(hands.now().as_millisecond()).unwrap_or(0);
        hands.last_tick = milliseconds.max(hands.last_tick + 1);
        hands.last_tick
    }

    /// Waits until this clock shows `at`.
    pub async fn until(&self, at: Timestamp) {
        loop {
            let moved = self.moved.notified();
            tokio::pin!(moved);
            // Registered before the clock is read, so that a move in between is not missed.
            moved.as_mut().enable();
            let left = at.duration_since(self.now());
            if !left.is_positive() {
                return;
            }
            if self.is_frozen() {
                let alarm = Alarm::set(self, at);
                moved.await;
                drop(alarm);
            } else {
                let left = left.unsigned_abs().min(LONGEST_SLEEP);
                let _ = tokio::time::timeout(left, moved).await;
            }
        }
    }

    /// The earliest moment that something waits for while the clock stands: whoever drives it moves it there.
    #[must_use]
    pub fn next_alarm(&self) -> Option<Timestamp> {
        self.alarms().keys().next().copied()
    }

    fn alarms(&self) -> MutexGuard<'_, BTreeMap<Timestamp, usize>> {
        self.alarms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a time that has nothing to do with the tenant's: real time, unless somebody drives this clock.
    pub async fn pause(&self, length: Duration) {
        if self.is_driven {
            let length = SignedDuration::try_from(length).unwrap_or(SignedDuration::MAX);
            self.until(self.now().checked_add(length).unwrap_or(Timestamp::MAX))
                .await;
        } else {
            tokio::time::sleep(length).await;
        }
    }

    /// The work's outcome, or nothing if it takes longer than `limit`, measured like [`SandboxClock::pause`].
    pub async fn within<T>(&self, limit: Duration, work: impl Future<Output = T>) -> Option<T> {
        tokio::pin!(work);
        tokio::select! {
            biased;
            outcome = &mut work => Some(outcome),
            () = self.pause(limit) => None,
        }
    }

    /// Starts measuring how long something takes, whatever the tenant's clock does.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "durations of answers are real ones")]
    pub fn stopwatch() -> Stopwatch {
        Stopwatch(std::time::Instant::now())
    }
}

/// Somebody waits for a moment, until dropped.
struct Alarm<'a> {
    clock: &'a SandboxClock,
    at: Timestamp,
}

impl<'a> Alarm<'a> {
    fn set(clock: &'a SandboxClock, at: Timestamp) -> Self {
        *clock.alarms().entry(at).or_default() += 1;
        Self { clock, at }
    }
}

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        let mut alarms = self.clock.alarms();
        if let Some(waiting) = alarms.get_mut(&self.at) {
            *waiting -= 1;
            if *waiting == 0 {
                alarms.remove(&self.at);
            }
        }
    }
}

/// A running measurement.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(std::time::Instant);

impl Stopwatch {
    /// Time since the start.
    #[must_use]
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// How far the clock had been moved, and where it stood if it stood still.
#[derive(Debug, Serialize, Deserialize)]
struct Saved {
    offset: SignedDuration,
    frozen: Option<Timestamp>,
}

impl Section for SandboxClock {
    fn name(&self) -> &'static str {
        "clock"
    }

    fn save(&self) -> serde_json::Result<String> {
        let hands = self.hands();
        let frozen = matches!(hands.base, Base::Frozen(_)).then(|| hands.now());
        let offset = hands.offset;
        drop(hands);
        serde_json::to_string(&Saved { offset, frozen })
    }

    fn load(&self, saved: &str) -> serde_json::Result<()> {
        let saved: Saved = serde_json::from_str(saved)?;
        self.change(|hands| {
            (hands.base, hands.offset) = match (hands.base, saved.frozen) {
                (Base::System, None) => (Base::System, saved.offset),
                (Base::System, Some(stood)) => (Base::Frozen(stood), SignedDuration::ZERO),
                // It never goes back behind what the tenant has seen.
                (Base::Frozen(at), Some(stood)) => (Base::Frozen(at.max(stood)), SignedDuration::ZERO),
                (Base::Frozen(at), None) => (Base::Frozen(at), SignedDuration::ZERO),
            };
        });
        Ok(())
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the system's time for the tenant"
)]
fn system_time() -> Timestamp {
    Timestamp::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    #[test]
    fn a_frozen_clock_moves_only_when_advanced() {
        let clock = SandboxClock::frozen_at(Timestamp::UNIX_EPOCH);
        assert_eq!(clock.now(), Timestamp::UNIX_EPOCH);
        clock.advance(Duration::from_secs(90));
        assert_eq!(clock.now().as_second(), 90);
    }

    #[test]
    fn a_restored_clock_goes_on_where_it_stood() {
        let clock = SandboxClock::frozen_at(Timestamp::UNIX_EPOCH);
        clock.advance(Duration::from_secs(90));
        let saved = clock.save().unwrap();
        let later = SandboxClock::frozen_at(Timestamp::UNIX_EPOCH);
        later.load(&saved).unwrap();
        assert_eq!(later.now().as_second(), 90);
        let running = SandboxClock::system();
        running.load(&saved).unwrap();
        assert!(running.is_frozen());
        assert_eq!(running.now().as_second(), 90);
        let moved = SandboxClock::system();
        moved.advance(Duration::from_secs(60));
        let again = SandboxClock::system();
        again.load(&moved.save().unwrap()).unwrap();
        assert_eq!(again.offset().as_secs(), 60);
    }

    #[test]
    fn a_clock_can_be_set_backwards() {
        let clock = SandboxClock::frozen_at(at("2026-03-01T00:00:00Z"));
        clock.set(at("2025-01-01T00:00:00Z"));
        assert_eq!(clock.now(), at("2025-01-01T00:00:00Z"));
    }

    #[test]
    fn a_clock_that_is_let_go_starts_from_where_it_stood() {
        let clock = SandboxClock::frozen_at(at("2001-01-01T00:00:00Z"));
        clock.unfreeze();
        assert!(!clock.is_frozen());
        assert_eq!(clock.now().strftime("%Y-%m").to_string(), "2001-01");
        clock.freeze();
        let stands = clock.now();
        assert_eq!(clock.now(), stands);
    }

    #[test]
    fn ticks_grow_while_the_clock_stands_and_when_it_goes_back() {
        let clock = SandboxClock::frozen_at(at("2026-03-01T00:00:00Z"));
        let first = clock.tick();
        let second = clock.tick();
        clock.set(at("2020-03-01T00:00:00Z"));
        assert!(first < second && second < clock.tick());
    }

    #[tokio::test]
    async fn driven_clock_says_what_is_waited_for_and_lets_pauses_pass() {
        let clock = SandboxClock::driven_from(Timestamp::UNIX_EPOCH);
        assert_eq!(clock.next_alarm(), None);
        {
            let pause = clock.pause(Duration::from_secs(7));
            let work = clock.within(Duration::from_secs(3), std::future::pending::<()>());
            tokio::pin!(pause, work);
            assert!(futures::poll!(pause.as_mut()).is_pending());
            assert!(futures::poll!(work.as_mut()).is_pending());
            assert_eq!(clock.next_alarm().map(Timestamp::as_second), Some(3));
            clock.advance(Duration::from_secs(3));
            assert_eq!(work.await, None);
            assert_eq!(clock.next_alarm().map(Timestamp::as_second), Some(7));
        }
        assert_eq!(clock.next_alarm(), None, "who goes away waits no more");
    }

    #[tokio::test]
    async fn waiting_ends_when_the_clock_is_moved_there() {
        let clock = SandboxClock::frozen_at(at("2026-03-01T00:00:00Z"));
        let wait = clock.until(at("2026-03-01T00:05:00Z"));
        tokio::pin!(wait);
        assert!(futures::poll!(wait.as_mut()).is_pending());
        clock.advance(Duration::from_secs(299));
        assert!(futures::poll!(wait.as_mut()).is_pending());
        clock.advance(Duration::from_secs(1));
        wait.await;
    }
}
