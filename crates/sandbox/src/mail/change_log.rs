//! What happened in one folder, in order, so that a delta query can go on from where it stopped.
//!
//! Owns one entry per message: its latest change, or the fact that it left. An older entry of the same message is
//! dropped, so the log never outgrows the folder by more than the bounded number of departures; when departures are
//! forgotten, tokens from before them end in a resync instead of missing one.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use crate::mail::ids::ItemKey;

/// Position in a mailbox's history; grows with every change.
pub type Seq = u64;

/// Departures remembered per folder (about 12 MB); a client that is further behind must start over.
const MAX_DEPARTURES: usize = 200_000;

/// The latest fact about one message of the folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// The message is here and was created or changed at this point.
    Present(ItemKey),
    /// The message left at this point.
    Departed {
        item: ItemKey,
        /// Needed to write the default id it had here.
        moves: u16,
        /// When it had come.
        entered: Seq,
    },
}

/// One folder's log.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct ChangeLog {
    #[serde(skip)]
    entries: BTreeMap<Seq, Entry>,
    #[serde(skip)]
    departures: VecDeque<Seq>,
    /// Tokens at or below this position are too old.
    floor: Seq,
    /// Tokens of another generation are expired.
    generation: u32,
    replays: u32,
}

impl ChangeLog {
    /// Records that `item` is here since or changed at `seq`; `previous` is where its last entry stands.
    pub fn present(&mut self, seq: Seq, item: ItemKey, previous: Option<Seq>) {
        if let Some(previous) = previous {
            self.entries.remove(&previous);
        }
        self.entries.insert(seq, Entry::Present(item));
    }

    /// Records that `item` left at `seq`.
    pub fn departed(&mut self, seq: Seq, item: ItemKey, moves: u16, entered: Seq, previous: Seq) {
        self.entries.remove(&previous);
        self.entries.insert(seq, Entry::Departed { item, moves, entered });
        self.departures.push_back(seq);
        while self.departures.len() > MAX_DEPARTURES {
            if let Some(oldest) = self.departures.pop_front() {
                self.entries.remove(&oldest);
                self.floor = oldest;
            }
        }
    }

    /// Fills a log whose entries were saved apart from it; `departures` are the oldest first.
    pub fn refill(&mut self, present: impl Iterator<Item = (Seq, ItemKey)>, departures: &[(Seq, Entry)]) {
        let first = departures.len().saturating_sub(MAX_DEPARTURES);
        for (seq, _) in &departures[..first] {
            self.floor = self.floor.max(*seq);
        }
        let kept = &departures[first..];
        self.departures = kept.iter().map(|(seq, _)| *seq).collect();
        self.entries = present
            .map(|(seq, item)| (seq, Entry::Present(item)))
            .chain(kept.iter().copied())
            .collect();
    }

    /// The messages that left, oldest first.
    pub fn departed_entries(&self) -> impl Iterator<Item = (Seq, Entry)> + '_ {
        self.departures
            .iter()
            .filter_map(|seq| self.entries.get(seq).map(|entry| (*seq, *entry)))
    }

    /// The entries after `cursor`, oldest first.
    pub fn after(&self, cursor: Seq) -> impl Iterator<Item = (Seq, Entry)> + '_ {
        self.entries
            .range((std::ops::Bound::Excluded(cursor), std::ops::Bound::Unbounded))
            .map(|(seq, entry)| (*seq, *entry))
    }

    /// Whether a token made at `cursor` in `generation` can still be continued.
    #[must_use]
    pub fn can_continue(&self, generation: u32, cursor: Seq) -> bool {
        generation == self.generation && (cursor >= self.floor)
    }

    /// The present generation of tokens.
    #[must_use]
    pub fn generation(&self) -> u32 {
        self.generation
    }

    /// Makes every token given out so far expired.
    pub fn expire_tokens(&mut self) {
        self.generation += 1;
    }

    /// Makes the next continued round repeat what was already delivered.
    pub fn ask_for_replay(&mut self) {
        self.replays += 1;
    }

    /// Where a continued round begins: at `cursor`, or, after [`ChangeLog::ask_for_replay`], up to `most` entries
    /// before it.
    pub fn begin_round(&mut self, cursor: Seq, most: usize) -> Seq {
        if self.replays == 0 {
            return cursor;
        }
        self.replays -= 1;
        self.entries.range(..=cursor).rev().nth(most).map_or(0, |(seq, _)| *seq)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_latest_fact_about_a_message_remains() {
        let mut log = ChangeLog::default();
        log.present(1, ItemKey(1), None);
        log.present(2, ItemKey(2), None);
        log.present(3, ItemKey(1), Some(1));
        let facts: Vec<_> = log.after(0).collect();
        assert_eq!(
            facts,
            [(2, Entry::Present(ItemKey(2))), (3, Entry::Present(ItemKey(1)))]
        );
        log.departed(4, ItemKey(2), 0, 2, 2);
        assert_eq!(log.after(3).count(), 1);
        assert_eq!(log.after(0).count(), 2);
    }

    #[test]
    fn forgotten_departures_end_old_tokens_instead_of_losing_them() {
        let mut log = ChangeLog::default();
        let count = u32::try_from(MAX_DEPARTURES).unwrap() + 1;
        for number in 1..=count {
            log.departed(u64::from(number) * 2, ItemKey(number), 0, 0, u64::from(number) * 2 - 1);
        }
        assert!(!log.can_continue(0, 1));
        assert!(log.can_continue(0, 2));
        log.expire_tokens();
        assert!(!log.can_continue(0, 2));
    }

    #[test]
    fn a_replay_goes_back_once() {
        let mut log = ChangeLog::default();
        for number in 1..=5 {
            log.present(u64::from(number), ItemKey(number), None);
        }
        log.ask_for_replay();
        assert_eq!(log.begin_round(5, 2), 3);
        assert_eq!(log.begin_round(5, 2), 5);
    }
}
