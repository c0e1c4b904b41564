//! How an endpoint has been answering: in time, slowly, or so slowly that it gets nothing for a while.
//!
//! Owns the window of replies of one endpoint and the two thresholds (contract §3). It is told the time and never
//! asks for it.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

use crate::notify::tuning::Tuning;

/// Replies remembered; more make the share no truer.
const MAX_REPLIES: usize = 10_000;

/// What new notifications have to expect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Prompt,
    /// They are delayed.
    Slow,
    /// They are dropped.
    Dropping,
}

/// The window.
#[derive(Debug, Default)]
pub struct Health {
    replies: VecDeque<(Timestamp, bool)>,
    slow: u64,
    dropping_until: Option<Timestamp>,
}

impl Health {
    /// Enters a reply, or that none came in time.
    pub fn note(&mut self, now: Timestamp, slow: bool, tuning: &Tuning) {
        self.forget(now, tuning);
        if self.replies.len() >= MAX_REPLIES {
            self.pop();
        }
        self.replies.push_back((now, slow));
        self.slow += u64::from(slow);
        if self.dropping_until.is_none() && self.exceeds(tuning.drop_share, tuning) {
            let end = now.checked_add(span(tuning.drop_seconds)).unwrap_or(Timestamp::MAX);
            self.dropping_until = Some(end);
        }
    }

    /// What new notifications have to expect now.
    pub fn standing(&mut self, now: Timestamp, tuning: &Tuning) -> Standing {
        if let Some(end) = self.dropping_until {
            if now < end {
                return Standing::Dropping;
            }
            *self = Self::default();
        }
        self.forget(now, tuning);
        if self.exceeds(tuning.slow_share, tuning) {
            Standing::Slow
        } else {
            Standing::Prompt
        }
    }

    fn exceeds(&self, share: f64, tuning: &Tuning) -> bool {
        let all = self.replies.len() as u64;
        all >= tuning.least_replies && self.slow as f64 > share * all as f64
    }

    fn forget(&mut self, now: Timestamp, tuning: &Tuning) {
        while let Some((at, _)) = self.replies.front() {
            if now.duration_since(*at) <= span(tuning.window_seconds) {
                return;
            }
            self.pop();
        }
    }

    fn pop(&mut self) {
        if let Some((_, slow)) = self.replies.pop_front() {
            self.slow -= u64::from(slow);
        }
    }
}

/// Seconds as a duration.
#[must_use]
pub fn span(seconds: u64) -> SignedDuration {
    SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn replies(health: &mut Health, second: i64, slow: usize, prompt: usize) {
        for number in 0..slow + prompt {
            health.note(at(second), number < slow, &Tuning::default());
        }
    }

    #[test]
    fn a_tenth_is_the_edge_of_slow() {
        let (tuning, mut health) = (Tuning::default(), Health::default());
        health.note(at(0), false, &tuning);
        for number in 0..99 {
            health.note(at(0), number % 10 == 9, &tuning);
        }
        assert_eq!(health.standing(at(1), &tuning), Standing::Prompt);
        health.note(at(1), true, &tuning);
        health.note(at(1), true, &tuning);
        assert_eq!(health.standing(at(1), &tuning), Standing::Slow);
    }

    #[test]
    fn too_few_replies_are_not_judged() {
        let (tuning, mut health) = (Tuning::default(), Health::default());
        replies(&mut health, 0, 99, 0);
        assert_eq!(health.standing(at(1), &tuning), Standing::Prompt);
        replies(&mut health, 1, 1, 0);
        assert_eq!(health.standing(at(1), &tuning), Standing::Dropping);
    }

    #[test]
    fn dropping_ends_and_begins_afresh() {
        let (tuning, mut health) = (Tuning::default(), Health::default());
        replies(&mut health, 0, 100, 0);
        assert_eq!(health.standing(at(599), &tuning), Standing::Dropping);
        assert_eq!(health.standing(at(600), &tuning), Standing::Prompt);
        replies(&mut health, 601, 50, 0);
        assert_eq!(health.standing(at(601), &tuning), Standing::Prompt);
    }

    #[test]
    fn replies_leave_the_window() {
        let (tuning, mut health) = (Tuning::default(), Health::default());
        let mut prompt_first = |second, slow: usize, prompt: usize| {
            replies(&mut health, second, 0, prompt);
            replies(&mut health, second, slow, 0);
        };
        prompt_first(0, 14, 100);
        assert_eq!(health.standing(at(10), &tuning), Standing::Slow);
        assert_eq!(health.standing(at(601), &tuning), Standing::Prompt);
    }
}
