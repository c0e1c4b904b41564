//! A count over a sliding window.
//!
//! Owns [`PARTS`] partial sums, so that its size does not depend on what is counted. A part leaves the window as a
//! whole: the window is at most one part shorter than asked.

use jiff::Timestamp;

/// Partial sums: the window slides in steps of 1/60.
const PARTS: usize = 60;

/// A count over the last seconds.
#[derive(Debug, Clone)]
pub struct Window {
    parts: Box<[u64; PARTS]>,
    /// Number of the newest part since the epoch.
    newest: i64,
    part_milliseconds: i64,
    total: u64,
}

impl Window {
    /// Nothing counted yet.
    #[must_use]
    pub fn new(seconds: u32) -> Self {
        Self {
            parts: Box::new([0; PARTS]),
            newest: 0,
            part_milliseconds: part(seconds),
            total: 0,
        }
    }

    /// Changes the length; what was counted is forgotten then.
    pub fn resize(&mut self, seconds: u32) {
        if self.part_milliseconds != part(seconds) {
            *self = Self::new(seconds);
        }
    }

    /// What was counted within the window.
    pub fn total(&mut self, now: Timestamp) -> u64 {
        self.slide(now);
        self.total
    }

    /// Counts, and gives the seconds to wait when that is more than the limit.
    pub fn add(&mut self, count: u64, limit: u64, now: Timestamp) -> Option<u64> {
        self.slide(now);
        let slot = self.slot(self.newest);
        self.parts[slot] = self.parts[slot].saturating_add(count);
        self.total = self.total.saturating_add(count);
        (self.total > limit).then(|| self.seconds_until(limit, now))
    }

    /// Seconds until what was counted is within the limit, if nothing more comes; at least one.
    fn seconds_until(&self, limit: u64, now: Timestamp) -> u64 {
        let mut left = self.total;
        let length = i64::try_from(PARTS).unwrap_or(i64::MAX);
        let mut free_at = self.newest + 1;
        for age in (0..length).rev() {
            let number = self.newest - age;
            left = left.saturating_sub(self.parts[self.slot(number)]);
            free_at = number + length;
            if left <= limit {
                break;
            }
        }
        let milliseconds = free_at
            .saturating_mul(self.part_milliseconds)
            .saturating_sub(now.as_millisecond());
        u64::try_from(milliseconds).unwrap_or(0).div_ceil(1000).max(1)
    }

    fn slide(&mut self, now: Timestamp) {
        let current = now.as_millisecond().div_euclid(self.part_milliseconds);
        let length = i64::try_from(PARTS).unwrap_or(i64::MAX);
        // A clock that was set back empties the window: what it counted lies in the future now.
        if current < self.newest || current - self.newest >= length {
            *self.parts = [0; PARTS];
            self.total = 0;
        } else {
            for number in self.newest + 1..=current {
                let slot = self.slot(number);
                self.total = self.total.saturating_sub(self.parts[slot]);
                self.parts[slot] = 0;
            }
        }
        self.newest = current;
    }

    fn slot(&self, number: i64) -> usize {
        let length = i64::try_from(PARTS).unwrap_or(i64::MAX);
        usize::try_from(number.rem_euclid(length)).unwrap_or(0)
    }
}

/// Milliseconds of one part.
fn part(seconds: u32) -> i64 {
    let milliseconds = u64::from(seconds) * 1000;
    i64::try_from(milliseconds.div_ceil(PARTS as u64))
        .unwrap_or(i64::MAX)
        .max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_millisecond(milliseconds).expect("a time")
    }

    #[test]
    fn what_is_older_than_the_window_does_not_count() {
        let mut window = Window::new(60);
        assert_eq!(window.add(3, 3, at(0)), None);
        assert_eq!(window.total(at(59_999)), 3);
        assert_eq!(window.total(at(60_000)), 0);
    }

    #[test]
    fn the_waiting_time_is_when_enough_has_left() {
        let mut window = Window::new(60);
        assert_eq!(window.add(2, 3, at(0)), None);
        assert_eq!(window.add(2, 3, at(10_000)), Some(50));
        assert_eq!(window.total(at(60_000)), 2);
    }

    #[test]
    fn one_amount_above_the_limit_waits_a_whole_window() {
        let mut window = Window::new(60);
        assert_eq!(window.add(10, 3, at(0)), Some(60));
    }

    #[test]
    fn a_clock_set_back_empties_the_window() {
        let mut window = Window::new(60);
        window.add(3, 3, at(1_000_000));
        assert_eq!(window.total(at(0)), 0);
    }

    proptest! {
        #[test]
        fn waiting_as_told_is_enough(
            steps in prop::collection::vec((0_i64..5_000, 1_u64..5), 1..200),
            limit in 5_u64..50,
        ) {
            let mut window = Window::new(10);
            let mut now = 0;
            for (step, count) in steps {
                now += step;
                if let Some(wait) = window.add(count, limit, at(now)) {
                    prop_assert!(wait <= 11);
                    now += i64::try_from(wait).unwrap_or(0) * 1000;
                    prop_assert!(window.total(at(now)) <= limit);
                }
            }
        }

        #[test]
        fn nothing_within_the_window_is_forgotten(steps in prop::collection::vec(0_i64..3_000, 1..100)) {
            let mut window = Window::new(10);
            let (mut now, mut times) = (0, Vec::new());
            for step in steps {
                now += step;
                window.add(1, u64::MAX, at(now));
                times.push(now);
                let within = times.iter().filter(|time| **time > now - 9_800).count() as u64;
                prop_assert!(window.total(at(now)) >= within);
            }
        }
    }
}
