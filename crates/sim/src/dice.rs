//! Randomness from the seed, and from nothing else.
//!
//! Owns every draw of a simulation. Each purpose has a stream of its own, so that one more draw here does not change
//! what happens there. Invariant: the same seed and purpose give the same sequence.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// A repeatable sequence.
#[derive(Debug)]
pub struct Dice {
    state: Mutex<u64>,
}

impl Dice {
    /// The sequence of a purpose.
    pub fn new(seed: u64, purpose: &str) -> Self {
        let mut state = seed ^ 0x5851_F42D_4C95_7F2D;
        for byte in purpose.bytes() {
            state = (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
        }
        Self {
            state: Mutex::new(state),
        }
    }

    /// One step of the SplitMix64 sequence.
    pub fn word(&self) -> u64 {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = *state;
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ (word >> 31)
    }

    /// A number from `0` to `bound - 1`; 0 for a bound of 0.
    pub fn below(&self, bound: u64) -> u64 {
        self.word().checked_rem(bound).unwrap_or(0)
    }

    /// A number of the range, both ends included.
    pub fn between(&self, least: u64, most: u64) -> u64 {
        least + self.below(most.saturating_sub(least) + 1)
    }

    /// A length of time of the range, in milliseconds.
    pub fn pause(&self, least: u64, most: u64) -> Duration {
        Duration::from_millis(self.between(least, most))
    }

    /// Whether something happens that happens so many times in ten thousand.
    pub fn chance(&self, in_ten_thousand: u64) -> bool {
        self.below(10_000) < in_ten_thousand
    }

    /// One of several.
    pub fn pick<'a, T>(&self, choices: &'a [T]) -> Option<&'a T> {
        let at = self.below(u64::try_from(choices.len()).unwrap_or(u64::MAX));
        choices.get(usize::try_from(at).unwrap_or(usize::MAX))
    }

    fn fill_slice(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let word = self.word().to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
    }
}

impl guichet_domain::ports::Entropy for Dice {
    fn fill(&self, bytes: &mut [u8]) {
        self.fill_slice(bytes);
    }
}

impl guichet_graph::Entropy for Dice {
    fn fill(&self, bytes: &mut [u8]) {
        self.fill_slice(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_repeat_themselves_and_differ_from_each_other() {
        let draw = |seed, purpose| {
            let dice = Dice::new(seed, purpose);
            [dice.word(), dice.word(), dice.word()]
        };
        assert_eq!(draw(7, "mail"), draw(7, "mail"));
        assert_ne!(draw(7, "mail"), draw(8, "mail"));
        assert_ne!(draw(7, "mail"), draw(7, "kills"));
    }
}
