//! The ports through which time and entropy enter this crate.
//!
//! Owns no implementation: production gives the operating system's, simulations give virtual ones,
//! so that back-off, expiry and jitter run the same way in both.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

/// The present time, and waiting.
#[async_trait]
pub trait Time: Send + Sync + fmt::Debug {
    /// Now, in UTC.
    fn now(&self) -> Timestamp;

    /// Returns after the given time has passed on this clock.
    async fn sleep(&self, duration: Duration);
}

/// Random bytes, for jitter and request ids.
pub trait Entropy: Send + Sync + fmt::Debug {
    /// Fills the whole slice.
    fn fill(&self, bytes: &mut [u8]);
}

/// A fraction in `0.0..1.0`.
pub(crate) fn fraction(entropy: &dyn Entropy) -> f64 {
    let mut bytes = [0; 4];
    entropy.fill(&mut bytes);
    f64::from(u32::from_le_bytes(bytes)) / (f64::from(u32::MAX) + 1.0)
}

/// A random GUID (version 4) in the form that Microsoft's services log.
pub(crate) fn request_guid(entropy: &dyn Entropy) -> String {
    let mut bytes = [0; 16];
    entropy.fill(&mut bytes);
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let mut text = String::with_capacity(36);
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or('0'));
        text.push(char::from_digit(u32::from(byte & 0x0f), 16).unwrap_or('0'));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Constant(u8);

    impl Entropy for Constant {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    #[test]
    fn request_guid_has_the_shape_of_version_four() {
        assert_eq!(request_guid(&Constant(0xff)), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(request_guid(&Constant(0x00)), "00000000-0000-4000-8000-000000000000");
    }

    #[test]
    fn fraction_stays_below_one() {
        assert!(fraction(&Constant(0xff)) < 1.0);
        assert!(fraction(&Constant(0)).abs() < f64::EPSILON);
    }
}
