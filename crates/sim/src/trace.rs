//! What happened, in order: a hash over everything, and the last lines for whoever looks into a failure.
//!
//! Owns the definition of *the same run*: equal hashes. Never holds what differs between equal runs, such as tokens,
//! which are signed with a key that is drawn anew in each process.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use jiff::Timestamp;

use crate::time::VirtualTime;

/// The record of one simulation.
#[derive(Debug)]
pub struct Trace {
    time: Arc<VirtualTime>,
    began: Timestamp,
    lines: Mutex<Lines>,
    kept: usize,
}

#[derive(Debug)]
struct Lines {
    hash: u64,
    count: u64,
    last: VecDeque<String>,
}

impl Trace {
    /// A record that keeps the last `kept` lines.
    pub fn new(time: Arc<VirtualTime>, kept: usize) -> Self {
        Self {
            began: time.now(),
            time,
            lines: Mutex::new(Lines {
                hash: 0xCBF2_9CE4_8422_2325,
                count: 0,
                last: VecDeque::new(),
            }),
            kept,
        }
    }

    /// Writes down what happens now.
    pub fn note(&self, what: fmt::Arguments<'_>) {
        let at = self.time.now().duration_since(self.began);
        let line = format!("{:>9.3} {what}", at.as_secs_f64());
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        for byte in line.bytes() {
            lines.hash = (lines.hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
        }
        lines.count += 1;
        if self.kept > 0 {
            if lines.last.len() >= self.kept {
                lines.last.pop_front();
            }
            lines.last.push_back(line);
        }
    }

    /// The hash of all lines, and how many there are.
    pub fn hash(&self) -> (u64, u64) {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        (lines.hash, lines.count)
    }

    /// The last lines.
    pub fn last(&self) -> Vec<String> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.last.iter().cloned().collect()
    }
}
