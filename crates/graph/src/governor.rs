//! Keeps to Microsoft's limits before they are enforced: what a mailbox may be asked, and when again.
//!
//! Owns one account for each mailbox. Whoever is told to slow down speaks for all: until the time is over nothing is
//! sent to that mailbox, and requests near the end of a budget wait for the next one. Held requests are answered here
//! like a refusal by Microsoft, with the wait in it, so that every caller already knows what to do. Never delays one
//! mailbox for another. Invariant: the accounts are bounded, whatever addresses pass.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};

/// Microsoft's budget of an application at a mailbox is 10,000 requests in ten minutes ("Microsoft Graph
/// service-specific throttling limits", Outlook service limits). A tenth is left to other nodes and to the doctor.
const BUDGET: u64 = 9_000;
const WINDOW: SignedDuration = SignedDuration::from_mins(10);
/// Shortest pause after a refusal, whatever the server advises.
const MIN_PAUSE: Duration = Duration::from_secs(1);
/// Mailboxes with an account of their own; the least busy make room.
const MAX_ACCOUNTS: usize = 10_000;

/// The accounts.
#[derive(Debug, Default)]
pub(crate) struct Governor(Mutex<HashMap<String, Account>>);

#[derive(Debug)]
struct Account {
    paused_until: Timestamp,
    window_began: Timestamp,
    spent: u64,
}

impl Account {
    fn new(now: Timestamp) -> Self {
        Self {
            paused_until: now,
            window_began: now,
            spent: 0,
        }
    }

    fn window_end(&self) -> Timestamp {
        self.window_began.saturating_add(WINDOW).unwrap_or(Timestamp::MAX)
    }
}

impl Governor {
    /// Charges `calls` requests to the mailbox, or says how long they have to wait.
    pub(crate) fn charge(&self, user: &str, calls: u64, now: Timestamp) -> Result<(), Duration> {
        let mut accounts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if accounts.len() >= MAX_ACCOUNTS && !accounts.contains_key(user) {
            accounts.retain(|_, account| account.paused_until > now || account.window_end() > now);
            if accounts.len() >= MAX_ACCOUNTS {
                return Ok(());
            }
        }
        let account = accounts.entry(user.to_owned()).or_insert_with(|| Account::new(now));
        if now < account.window_began {
            // The clock was set back: a pause by the old one would never end.
            *account = Account::new(now);
        } else if now >= account.window_end() {
            account.window_began = now;
            account.spent = 0;
        }
        let until = if account.paused_until > now {
            account.paused_until
        } else if account.spent + calls > BUDGET && account.spent > 0 {
            account.window_end()
        } else {
            account.spent += calls;
            return Ok(());
        };
        Err(Duration::try_from(until.duration_since(now))
            .unwrap_or(MIN_PAUSE)
            .max(MIN_PAUSE))
    }

    /// The mailbox was refused for the number of requests, with this advice.
    pub(crate) fn refused(&self, user: &str, advised: Option<Duration>, now: Timestamp) {
        let pause = advised.unwrap_or_default().max(MIN_PAUSE);
        let until = SignedDuration::try_from(pause)
            .ok()
            .and_then(|pause| now.checked_add(pause).ok());
        let mut accounts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let (Some(account), Some(until)) = (accounts.get_mut(user), until) {
            account.paused_until = account.paused_until.max(until);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::UNIX_EPOCH;

    fn at(seconds: i64) -> Timestamp {
        START + SignedDuration::from_secs(seconds)
    }

    #[test]
    fn one_refusal_pauses_the_mailbox_for_all_and_no_other() {
        let governor = Governor::default();
        assert_eq!(governor.charge("a", 1, START), Ok(()));
        governor.refused("a", Some(Duration::from_secs(30)), START);
        governor.refused("a", None, START);
        assert_eq!(
            governor.charge("a", 1, at(10)),
            Err(Duration::from_secs(20)),
            "the longer pause holds"
        );
        assert_eq!(governor.charge("b", 1, at(10)), Ok(()));
        assert_eq!(governor.charge("a", 1, at(30)), Ok(()));
    }

    #[test]
    fn the_budget_is_kept_with_every_call_of_a_batch_and_begins_anew() {
        let governor = Governor::default();
        let mut sent = 0;
        while governor.charge("a", 20, at(1)).is_ok() {
            sent += 20;
        }
        assert_eq!(sent, BUDGET);
        assert_eq!(governor.charge("a", 1, at(301)), Err(Duration::from_secs(300)));
        assert_eq!(governor.charge("a", 1, at(601)), Ok(()));
    }

    #[test]
    fn a_clock_that_is_set_back_holds_nobody() {
        let governor = Governor::default();
        while governor.charge("a", 1_000, at(1_000)).is_ok() {}
        assert_eq!(governor.charge("a", 1, at(0)), Ok(()));
    }
}
