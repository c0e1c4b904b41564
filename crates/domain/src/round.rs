//! The state machine of a round: one walk over the delta pages of a dirty folder.
//!
//! Decides what follows an answer; the engine does it. A cursor only ever moves in the transaction
//! that commits its page.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// Where a folder's delta walk stands. The link is opaque and absolute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "link", rename_all = "snake_case")]
pub enum Cursor {
    /// Nothing was read yet, or the link was lost to a resync: start from the beginning.
    Start,
    /// In the middle of a walk: a `nextLink`.
    Next(String),
    /// At the end of a walk: a `deltaLink`.
    Delta(String),
}

/// How the round goes on after a page was committed or an answer failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum After {
    /// Read the next page at once.
    Continue,
    /// The folder is up to date.
    Done,
    /// The cursor is worthless: commit [`Cursor::Start`] and walk again. Receipts keep what was
    /// ingested from being ingested again.
    Rebaseline,
    /// Try the round again after this time.
    Backoff(SignedDuration),
}

/// What came of one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A page with a `nextLink` was committed.
    CommittedPage,
    /// A page with a `deltaLink` was committed.
    CommittedLast,
    /// The server asked for a resync (410 in any form).
    ResyncAsked,
    /// A failure that may pass, with the server's own waiting time if it gave one.
    Failed {
        /// `Retry-After`.
        retry_after: Option<SignedDuration>,
        /// How many rounds of this folder failed in a row, this one included.
        failures: u32,
    },
}

/// Longest pause between two attempts of a failing folder.
pub const MAX_BACKOFF: SignedDuration = SignedDuration::from_secs(300);
const FIRST_BACKOFF_SECONDS: i64 = 2;

/// What follows.
pub fn after(outcome: Outcome) -> After {
    match outcome {
        Outcome::CommittedPage => After::Continue,
        Outcome::CommittedLast => After::Done,
        Outcome::ResyncAsked => After::Rebaseline,
        Outcome::Failed { retry_after, failures } => {
            let own = backoff(failures);
            After::Backoff(retry_after.map_or(own, |asked| asked.max(own)))
        }
    }
}

/// Our own exponential floor: 2 s, 4 s, 8 s … up to [`MAX_BACKOFF`].
pub fn backoff(failures: u32) -> SignedDuration {
    let doublings = failures.saturating_sub(1).min(16);
    SignedDuration::from_secs(FIRST_BACKOFF_SECONDS << doublings).min(MAX_BACKOFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_floor_grows_and_is_capped() {
        let seconds: Vec<i64> = (1..=10).map(|n| backoff(n).as_secs()).collect();
        assert_eq!(seconds, [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
    }

    #[test]
    fn server_may_ask_for_more_but_not_for_less() {
        let failed = |asked| {
            after(Outcome::Failed {
                retry_after: Some(SignedDuration::from_secs(asked)),
                failures: 4,
            })
        };
        assert_eq!(failed(1), After::Backoff(SignedDuration::from_secs(16)));
        assert_eq!(failed(60), After::Backoff(SignedDuration::from_secs(60)));
    }
}
