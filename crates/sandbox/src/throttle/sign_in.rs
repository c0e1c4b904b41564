//! The token endpoint's own throttle.
//!
//! Owns the limit of requests of one client, above which the answer is a bare 429. What counts as a loop of equal
//! requests is decided in `entra/repeats.rs`, by the limit that is kept here.

use jiff::Timestamp;
use uuid::Uuid;

use crate::throttle::Throttle;
use crate::throttle::settings::Limit;

impl Throttle {
    /// Counts a request for a token, and gives the seconds to wait when it is one too many.
    #[must_use]
    pub fn sign_in(&self, client: Uuid, now: Timestamp) -> Option<u64> {
        if !self.is_enabled() {
            return None;
        }
        let mut state = self.lock();
        let Limit { limit, seconds } = state.settings.sign_ins.clone();
        let wait = state.sign_ins.get(client, seconds, now).add(1, limit, now)?;
        state.refused += 1;
        Some(wait)
    }

    /// How many equal requests are a loop, while anything is limited.
    #[must_use]
    pub fn sign_in_loop(&self) -> Option<Limit> {
        self.is_enabled().then(|| self.lock().settings.sign_in_loop.clone())
    }
}
