//! When a mail that can't be fetched is set aside.
//!
//! Owns the count of failed attempts of each mail of a folder. Never sets mail aside during an
//! outage: where the failure is the server's, another mail must be fetched first to show that the
//! fault is this mail's own.

use std::collections::HashMap;

use guichet_domain::ImmutableId;
use guichet_graph::Class;

use crate::ingest::PrepareError;

/// Attempts after which a mail is set aside if the answer blames the mail, or the server broke on it.
const ATTEMPTS: u32 = 3;
/// The same for failures that are rarely the mail's own: denied, busy, cut connections.
const ATTEMPTS_IF_UNLIKELY: u32 = 8;
/// Failing mails remembered in a folder; more than a page never fail one by one.
const MAX_REMEMBERED: usize = 1000;

/// What follows from a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Try again. 0 if the failure says nothing about the mail.
    Again(u32),
    /// Set it aside, if the mailbox gives out another mail now.
    AsideIfOthersWork(u32),
    /// Set it aside: the answer blames the mail.
    Aside(u32),
}

/// Failed attempts, kept in memory only: after a restart a mail has its full number again.
#[derive(Debug, Default)]
pub(crate) struct Patience {
    failed: HashMap<ImmutableId, u32>,
}

impl Patience {
    /// Counts a failed attempt.
    pub fn failed(&mut self, id: &ImmutableId, error: &PrepareError) -> Verdict {
        let (bound, blames_mail) = match error {
            PrepareError::Store(_) => return Verdict::Again(0),
            PrepareError::Graph(error) if error.is_of_sign_in() => return Verdict::Again(0),
            PrepareError::Graph(error) => match error.class {
                Class::Reauthorise | Class::Resync => return Verdict::Again(0),
                Class::Retry { .. } if error.status == Some(429) => return Verdict::Again(0),
                Class::Invalid | Class::Bug => (ATTEMPTS, true),
                // Listed, and there when asked for, and yet not to be had.
                Class::Gone => (ATTEMPTS, false),
                Class::Retry { .. } if matches!(error.status, Some(400 | 500 | 504)) => (ATTEMPTS, false),
                Class::Retry { .. } | Class::Denied => (ATTEMPTS_IF_UNLIKELY, false),
            },
        };
        if self.failed.len() >= MAX_REMEMBERED && !self.failed.contains_key(id) {
            self.failed.clear();
        }
        let attempts = self.failed.entry(id.clone()).or_insert(0);
        *attempts = attempts.saturating_add(1);
        match (*attempts >= bound, blames_mail) {
            (false, _) => Verdict::Again(*attempts),
            (true, false) => Verdict::AsideIfOthersWork(*attempts),
            (true, true) => Verdict::Aside(*attempts),
        }
    }

    /// Forgets a mail that was fetched or set aside.
    pub fn forget(&mut self, id: &ImmutableId) {
        self.failed.remove(id);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn graph(class: Class) -> PrepareError {
        guichet_graph::Error::new(class, "test", "x", "").into()
    }

    fn verdicts(error: &PrepareError, count: usize) -> Vec<Verdict> {
        let mut patience = Patience::default();
        let id = ImmutableId::new("m");
        (0..count).map(|_| patience.failed(&id, error)).collect()
    }

    #[test]
    fn mail_that_the_answer_blames_is_set_aside_at_the_third_attempt() {
        use Verdict::{Again, Aside};
        assert_eq!(verdicts(&graph(Class::Invalid), 3), [Again(1), Again(2), Aside(3)]);
    }

    #[test]
    fn failure_of_the_server_never_sets_mail_aside_without_a_control() {
        let retry = Class::Retry { after: Duration::ZERO };
        for class in [retry, Class::Denied, Class::Gone] {
            let seen = verdicts(&graph(class), 20);
            assert!(seen.iter().all(|v| !matches!(v, Verdict::Aside(_))), "{class:?}");
            assert!(matches!(seen.last(), Some(Verdict::AsideIfOthersWork(20))), "{class:?}");
        }
    }

    #[test]
    fn refused_sign_in_says_nothing_about_the_mail() {
        let no_token = |class| guichet_graph::Error::new(class, guichet_graph::GET_TOKEN, "x", "").into();
        for error in [graph(Class::Reauthorise), no_token(Class::Bug), no_token(Class::Denied)] {
            let seen = verdicts(&error, 20);
            assert!(seen.iter().all(|v| *v == Verdict::Again(0)), "{error}");
        }
    }

    #[test]
    fn mail_that_was_fetched_starts_anew() {
        let mut patience = Patience::default();
        let id = ImmutableId::new("m");
        patience.failed(&id, &graph(Class::Invalid));
        patience.forget(&id);
        assert_eq!(patience.failed(&id, &graph(Class::Invalid)), Verdict::Again(1));
    }
}
