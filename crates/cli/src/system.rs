//! The ports over the operating system: the only place where Guichet reads the real clock and draws
//! real entropy.

use std::time::Duration;

use guichet_domain::ports::{Clock, Entropy};
use jiff::Timestamp;

/// The system clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the system implementation of the port")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// Entropy of the cryptographic library.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        aws_lc_rs::rand::fill(bytes).expect("the operating system gives entropy");
    }
}

impl guichet_graph::Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        Entropy::fill(self, bytes);
    }
}

/// Time for the Graph client and the engine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemTime;

#[async_trait::async_trait]
impl guichet_graph::Time for SystemTime {
    fn now(&self) -> Timestamp {
        SystemClock.now()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}
