//! Whether the data directory can be written and read.
//!
//! Owns two facts that the front doors ask for: why saving fails at present, and how many reads have failed so far. It
//! decides nothing: a door that sees a failure refuses in its own words.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// The state of the disk, as far as it was noticed.
#[derive(Debug, Default)]
pub struct Health {
    failing: AtomicBool,
    reason: Mutex<String>,
    failed_reads: AtomicU64,
}

impl Health {
    /// Notes that saving failed.
    pub fn saving_failed(&self, reason: String) {
        *self.reason.lock().unwrap_or_else(PoisonError::into_inner) = reason;
        self.failing.store(true, Ordering::Release);
    }

    /// Notes that saving succeeded.
    pub fn saved(&self) {
        self.failing.store(false, Ordering::Release);
    }

    /// Why the last save failed, if it did.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        self.failing
            .load(Ordering::Acquire)
            .then(|| self.reason.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    /// Notes that stored bytes could not be read.
    pub fn read_failed(&self) {
        self.failed_reads.fetch_add(1, Ordering::AcqRel);
    }

    /// How many reads failed: an answer made while this number grew may be wrong.
    #[must_use]
    pub fn failed_reads(&self) -> u64 {
        self.failed_reads.load(Ordering::Acquire)
    }
}
