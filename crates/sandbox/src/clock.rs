//! The tenant's clock: the system's time plus an offset that tests and the control interface move.
//!
//! Owns the only reading of the system time in this crate. Never goes backwards by itself; a caller may only advance
//! it. Every expiry (secret, token, device code, subscription) is judged by this clock and no other.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::sync::Mutex;

use crate::persist::Section;

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
        let frozen = matches!(self.base, Base::Frozen(_)).then(|| self.now());
        let offset = self.offset();
        serde_json::to_string(&Saved { offset, frozen })
    }

    fn load(&self, saved: &str) -> serde_json::Result<()> {
        let saved: Saved = serde_json::from_str(saved)?;
        let offset = match (&self.base, saved.frozen) {
            (Base::System, _) => saved.offset,
            // It never goes back behind what the tenant has seen.
            (Base::Frozen(at), Some(stood)) => stood.duration_since(*at).max(SignedDuration::ZERO),
            (Base::Frozen(_), None) => SignedDuration::ZERO,
        };
        *self.offset.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = offset;
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
    use std::time::Duration;

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
        assert_eq!(running.offset().as_secs(), 90);
    }
}
