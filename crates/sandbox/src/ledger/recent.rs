//! The last requests, one by one.
//!
//! Owns a ring of [`MOST`] requests without bodies, queries or tokens: what was asked, by whom, and how it ended.

use std::collections::VecDeque;

use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

/// Requests kept: some minutes of a busy client.
const MOST: usize = 1000;
/// Longest path kept.
const LONGEST_PATH: usize = 512;

/// One request and its end.
#[derive(Debug, Clone, Serialize)]
pub struct Recent {
    /// Counts from one.
    pub seq: u64,
    /// Arrival by the tenant's clock.
    pub at: Timestamp,
    /// HTTP method.
    pub method: String,
    /// Decoded path, shortened.
    pub path: String,
    /// HTTP status; none when the connection was broken instead.
    pub status: Option<u16>,
    /// Real time from arrival to answer.
    pub milliseconds: f64,
    /// Size of the request's body.
    pub request_bytes: u64,
    /// Size of the answer's body.
    pub response_bytes: u64,
    /// Client id of the caller.
    pub application: Option<Uuid>,
    /// The mailbox as the path names it.
    pub mailbox: Option<String>,
    /// Whether it was part of a batch.
    pub in_batch: bool,
}

/// What is asked of the ring.
#[derive(Debug, Default)]
pub struct Wanted<'a> {
    /// At most so many, the newest.
    pub limit: Option<usize>,
    /// Only later ones.
    pub after: Option<u64>,
    /// Only those that name this mailbox.
    pub mailbox: Option<&'a str>,
    /// Only this application's.
    pub application: Option<Uuid>,
}

/// The ring.
#[derive(Debug, Default)]
pub struct Ring {
    kept: VecDeque<Recent>,
    last: u64,
}

impl Ring {
    /// Adds a request and numbers it.
    pub fn add(&mut self, mut recent: Recent) {
        self.last += 1;
        recent.seq = self.last;
        if self.kept.len() >= MOST {
            self.kept.pop_front();
        }
        self.kept.push_back(recent);
    }

    /// The requests that are wanted, newest first.
    #[must_use]
    pub fn list(&self, wanted: &Wanted<'_>) -> Vec<Recent> {
        let fits = |recent: &&Recent| {
            wanted.after.is_none_or(|after| recent.seq > after)
                && wanted.mailbox.is_none_or(|mailbox| {
                    recent
                        .mailbox
                        .as_deref()
                        .is_some_and(|of| of.eq_ignore_ascii_case(mailbox))
                })
                && wanted
                    .application
                    .is_none_or(|application| recent.application == Some(application))
        };
        let newest = self.kept.iter().rev().filter(fits);
        newest.take(wanted.limit.unwrap_or(MOST)).cloned().collect()
    }

    /// Forgets all; numbers go on.
    pub fn clear(&mut self) {
        self.kept.clear();
    }
}

/// A path as it is kept.
#[must_use]
pub fn shortened(mut path: String) -> String {
    if path.len() > LONGEST_PATH {
        let mut end = LONGEST_PATH;
        while !path.is_char_boundary(end) {
            end -= 1;
        }
        path.truncate(end);
        path.push('…');
    }
    path
}
