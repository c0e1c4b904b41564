//! The ports through which time and entropy enter. Production implements them over the operating
//! system in the binary; simulations and tests implement them deterministically.

use jiff::Timestamp;

/// The present time.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// Now, in UTC.
    fn now(&self) -> Timestamp;
}

/// Random bytes fit for keys and ids.
pub trait Entropy: Send + Sync + std::fmt::Debug {
    /// Fills the whole slice.
    fn fill(&self, bytes: &mut [u8]);
}
