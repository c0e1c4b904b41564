//! One source of time and one of entropy, in the shapes that each crate asks for.
//!
//! Owns nothing: it only passes on.

use std::sync::Arc;

use guichet_domain::ports::Clock;
use guichet_graph::Time;
use jiff::Timestamp;

/// The graph client's time as the domain's clock.
#[derive(Debug)]
pub(crate) struct TimeAsClock<'a>(pub &'a dyn Time);

impl Clock for TimeAsClock<'_> {
    fn now(&self) -> Timestamp {
        self.0.now()
    }
}

/// The domain's entropy as the graph client's.
#[derive(Debug)]
pub(crate) struct GraphEntropy(pub Arc<dyn guichet_domain::ports::Entropy>);

impl guichet_graph::Entropy for GraphEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.fill(bytes);
    }
}
