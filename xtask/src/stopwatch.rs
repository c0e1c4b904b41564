//! How long a step took, for the reader of the summary.
//!
//! Owns the only look at a clock in this crate. Never decides anything: durations are shown, no
//! check depends on one.

use std::time::{Duration, Instant};

/// A started stopwatch.
#[derive(Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that measures durations for display"
    )]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}
