//! Tokens that were good and are so no more.
//!
//! Owns what was revoked: all tokens, those of an application, or those of a person, given out up to a moment. A token
//! carries the moment as a number that grows with every token, so that one given out right after a revocation in the
//! same second is good. At most [`MAX_KEPT`] revocations are kept; the oldest goes first, when its tokens have long
//! expired.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::persist::Section;

/// Revocations kept.
const MAX_KEPT: usize = 1000;

/// One revocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revoked {
    /// Only tokens of this application.
    pub application: Option<Uuid>,
    /// Only tokens of this person.
    pub user: Option<Uuid>,
    /// Tokens up to this number.
    pub up_to: u64,
    /// Second of the revocation.
    pub at: i64,
    /// Whether the refusal carries a claims challenge.
    pub challenge: bool,
}

/// All revocations.
#[derive(Debug, Default)]
pub struct Revocations {
    any: AtomicBool,
    kept: RwLock<VecDeque<Revoked>>,
}

impl Revocations {
    /// Makes tokens invalid.
    pub fn add(&self, revoked: Revoked) {
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|old| old.application != revoked.application || old.user != revoked.user);
        if kept.len() >= MAX_KEPT {
            kept.pop_front();
        }
        kept.push_back(revoked);
        self.any.store(true, Ordering::Release);
    }

    /// The revocation that a token falls under.
    #[must_use]
    pub fn of(&self, application: Uuid, user: Option<Uuid>, number: u64) -> Option<Revoked> {
        if !self.any.load(Ordering::Acquire) {
            return None;
        }
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        let meant = |revoked: &&Revoked| {
            number <= revoked.up_to
                && revoked.application.is_none_or(|only| only == application)
                && revoked.user.is_none_or(|only| Some(only) == user)
        };
        kept.iter().rev().find(meant).copied()
    }

    /// Makes all tokens good again.
    pub fn clear(&self) {
        self.kept.write().unwrap_or_else(PoisonError::into_inner).clear();
        self.any.store(false, Ordering::Release);
    }
}

impl Section for Revocations {
    fn name(&self) -> &'static str {
        "revocations"
    }

    fn save(&self) -> serde_json::Result<String> {
        serde_json::to_string(&*self.kept.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn load(&self, saved: &str) -> serde_json::Result<()> {
        let kept: VecDeque<Revoked> = serde_json::from_str(saved)?;
        self.any.store(!kept.is_empty(), Ordering::Release);
        *self.kept.write().unwrap_or_else(PoisonError::into_inner) = kept;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Uuid = Uuid::from_u128(1);
    const TWO: Uuid = Uuid::from_u128(2);

    fn revoked(application: Option<Uuid>, user: Option<Uuid>, up_to: u64) -> Revoked {
        Revoked {
            application,
            user,
            up_to,
            at: 0,
            challenge: true,
        }
    }

    #[test]
    fn only_older_tokens_of_those_meant_are_revoked() {
        let revocations = Revocations::default();
        assert_eq!(revocations.of(ONE, None, 0), None);
        revocations.add(revoked(Some(ONE), None, 10));
        assert!(revocations.of(ONE, None, 10).is_some());
        assert!(revocations.of(ONE, None, 11).is_none());
        assert!(revocations.of(TWO, None, 10).is_none());
        revocations.add(revoked(None, Some(TWO), 20));
        assert!(revocations.of(ONE, Some(TWO), 20).is_some());
        assert!(revocations.of(ONE, None, 20).is_none());
        revocations.clear();
        assert_eq!(revocations.of(ONE, None, 0), None);
    }

    #[test]
    fn the_same_revocation_is_kept_once() {
        let revocations = Revocations::default();
        for number in 0..MAX_KEPT as u64 + 10 {
            revocations.add(revoked(None, None, number));
        }
        assert_eq!(revocations.kept.read().expect("a lock").len(), 1);
    }
}
