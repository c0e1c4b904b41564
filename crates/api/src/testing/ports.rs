//! A clock and entropy that give the same in every run.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use guichet_domain::ports::{Clock, Entropy};
use jiff::{SignedDuration, Timestamp};

/// A clock that moves a second whenever it is read.
#[derive(Debug, Default)]
pub(crate) struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        let seconds = self.0.fetch_add(1, Ordering::SeqCst);
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(1_750_000_000 + seconds)
    }
}

/// Bytes that never repeat.
#[derive(Debug, Default)]
pub(crate) struct TestEntropy(AtomicU64);

impl Entropy for TestEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let next = self
                .0
                .fetch_add(1, Ordering::SeqCst)
                .wrapping_add(1)
                .wrapping_mul(0x9e37_79b9_7f4a_7c15);
            chunk.copy_from_slice(&next.to_le_bytes()[..chunk.len()]);
        }
    }
}
