//! The tenant's clock: the system's time plus an offset that tests and the control interface move.
//!
//! Owns the only reading of the system time in this crate. Never goes backwards by itself; a caller may only advance
//! it. Every expiry (secret, token, device code, subscription) is judged by this clock and no other.

use jiff::{SignedDuration, Timestamp};
use std::sync::Mutex;

/// A clock that can be moved forwards.
#[derive(Debug)]
pub struct SandboxClock {
    base: Base,
    offset: Mutex<SignedDuration>,
}

#[derive(Debug)]
enum Base {
    System,
    Frozen(Timestamp),
}

impl SandboxClock {
    /// A clock that follows the machine's time.
    #[must_use]
    pub fn system() -> Self {
        Self {
            base: Base::System,
            offset: Mutex::new(SignedDuration::ZERO),
        }
    }

    /// A clock that stands still at `at` and moves only by [`SandboxClock::advance`].
    #[must_use]
    pub fn frozen_at(at: Timestamp) -> Self {
        Self {
            base: Base::Frozen(at),
            offset: Mutex::new(SignedDuration::ZERO),
        }
    }

    /// The present moment of the tenant.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let base = match self.base {
            Base::System => system_time(),
            Base::Frozen(at) => at,
        };
        base.checked_add(self.offset()).unwrap_or(Timestamp::MAX)
    }

    /// Moves the clock forwards.
    pub fn advance(&self, by: std::time::Duration) {
        let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
        let mut offset = self.offset.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *offset = offset.saturating_add(by);
    }

    /// How far the clock has been moved.
    #[must_use]
    pub fn offset(&self) -> SignedDuration {
        *self.offset.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
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
    use std::time::Duration;

    #[test]
    fn a_frozen_clock_moves_only_when_advanced() {
        let clock = SandboxClock::frozen_at(Timestamp::UNIX_EPOCH);
        assert_eq!(clock.now(), Timestamp::UNIX_EPOCH);
        clock.advance(Duration::from_secs(90));
        assert_eq!(clock.now().as_second(), 90);
    }
}
