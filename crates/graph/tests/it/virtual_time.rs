//! A clock that moves only when somebody sleeps on it, and entropy without surprises.

use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use guichet_graph::{Entropy, Time};
use jiff::Timestamp;

/// Sleeping moves the clock at once and is remembered.
#[derive(Debug)]
pub struct VirtualTime {
    now: Mutex<Timestamp>,
    slept: Mutex<Vec<Duration>>,
}

impl VirtualTime {
    pub fn new() -> Self {
        Self {
            now: Mutex::new("2026-03-01T12:00:00Z".parse().unwrap()),
            slept: Mutex::default(),
        }
    }

    pub fn advance(&self, by: Duration) {
        let mut now = self.now.lock().unwrap();
        *now = now.checked_add(by).unwrap();
    }

    /// Every sleep so far, in milliseconds.
    pub fn slept_ms(&self) -> Vec<u128> {
        self.slept.lock().unwrap().iter().map(Duration::as_millis).collect()
    }
}

#[async_trait]
impl Time for VirtualTime {
    fn now(&self) -> Timestamp {
        *self.now.lock().unwrap()
    }

    async fn sleep(&self, duration: Duration) {
        self.slept.lock().unwrap().push(duration);
        self.advance(duration);
        tokio::task::yield_now().await;
    }
}

/// All zeros: no jitter.
#[derive(Debug)]
pub struct NoEntropy;

impl Entropy for NoEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
}
