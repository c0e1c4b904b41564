//! The tenant's source of randomness: ids, secrets and codes.
//!
//! Owns the only random draws in this crate. Without a seed it reads the operating system's generator; with one it
//! yields the same sequence on every run, so that a failing simulation can be repeated. Signing keys are never drawn
//! from here: a seeded sandbox still has an unpredictable key.

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use std::sync::Mutex;
use uuid::Uuid;

use crate::persist::Section;

/// Draws random bytes, ids and secrets.
#[derive(Debug)]
pub struct Entropy {
    source: Source,
}

enum Source {
    System(SystemRandom),
    Seeded(Mutex<u64>),
}

impl std::fmt::Debug for Source {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::System(_) => "System",
            Self::Seeded(_) => "Seeded",
        })
    }
}

/// Letters of generated secrets; like Microsoft's they survive a form field only when percent-encoded ('~').
const SECRET_ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_~";

impl Entropy {
    /// The operating system's generator.
    #[must_use]
    pub fn system() -> Self {
        Self {
            source: Source::System(SystemRandom::new()),
        }
    }

    /// A repeatable sequence.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self {
            source: Source::Seeded(Mutex::new(seed)),
        }
    }

    /// Fills `bytes` with random values.
    pub fn fill(&self, bytes: &mut [u8]) {
        match &self.source {
            Source::System(random) => {
                random
                    .fill(bytes)
                    .expect("the operating system's generator does not fail once it is seeded");
            }
            Source::Seeded(state) => {
                let mut state = state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                for chunk in bytes.chunks_mut(8) {
                    let word = split_mix(&mut state).to_le_bytes();
                    chunk.copy_from_slice(&word[..chunk.len()]);
                }
            }
        }
    }

    /// A random (version 4) id.
    #[must_use]
    pub fn uuid(&self) -> Uuid {
        let mut bytes = [0_u8; 16];
        self.fill(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }

    /// `length` characters of [`SECRET_ALPHABET`].
    #[must_use]
    pub fn secret(&self, length: usize) -> String {
        self.text(length, SECRET_ALPHABET)
    }

    /// `length` characters drawn from `alphabet`, whose size must divide 256 for an even spread.
    #[must_use]
    pub fn text(&self, length: usize, alphabet: &[u8]) -> String {
        let mut bytes = vec![0_u8; length];
        self.fill(&mut bytes);
        bytes
            .iter()
            .map(|byte| char::from(alphabet[usize::from(*byte) % alphabet.len()]))
            .collect()
    }
}

impl Section for Entropy {
    fn name(&self) -> &'static str {
        "entropy"
    }

    /// Where a repeatable sequence stands: starting it over would give ids out twice.
    fn save(&self) -> serde_json::Result<String> {
        let state = match &self.source {
            Source::System(_) => None,
            Source::Seeded(state) => Some(*state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)),
        };
        serde_json::to_string(&state)
    }

    fn load(&self, saved: &str) -> serde_json::Result<()> {
        if let (Source::Seeded(state), Some(saved)) = (&self.source, serde_json::from_str(saved)?) {
            *state.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = saved;
        }
        Ok(())
    }
}

/// One step of the SplitMix64 sequence: small, well spread, and enough for repeatable ids.
pub fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut word = *state;
    word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_ids() {
        assert_eq!(Entropy::seeded(7).uuid(), Entropy::seeded(7).uuid());
        assert_ne!(Entropy::seeded(7).uuid(), Entropy::seeded(8).uuid());
    }

    #[test]
    fn ids_are_version_four() {
        assert_eq!(Entropy::system().uuid().get_version_num(), 4);
    }
}
