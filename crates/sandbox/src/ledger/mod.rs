//! What was asked of the tenant: counts and bytes by route and mailbox, and the last requests one by one.
//!
//! Owns the counters that tests read to see how much work a client makes. It keeps no content and no tokens. At most
//! [`MAX_ROUTES`] lines are kept; what does not fit is counted in one line of its own. A batch counts once as a request
//! that came over the wire, and each of its parts as a request that Graph evaluates.

mod recent;
mod route;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use http::StatusCode;
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::clock::{SandboxClock, Stopwatch};
use recent::{Recent, Ring, shortened};

pub use recent::Wanted;
pub use route::Entry;

/// Lines at once: routes times mailboxes of a large test.
const MAX_ROUTES: usize = 20_000;

/// The counters.
#[derive(Debug, Default)]
pub struct Ledger(Mutex<Counters>);

#[derive(Debug, Default)]
struct Counters {
    routes: BTreeMap<Entry, Counts>,
    in_flight: BTreeMap<String, Flight>,
    recent: Ring,
}

#[derive(Debug, Default, Clone, Copy)]
struct Flight {
    now: u64,
    most: u64,
}

#[derive(Debug, Default)]
struct Counts {
    requests: u64,
    in_batch: u64,
    request_bytes: u64,
    response_bytes: u64,
    statuses: BTreeMap<u16, u64>,
    broken: u64,
}

/// One request on its way into the ledger.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Its line.
    pub entry: Entry,
    /// Decoded path.
    pub path: String,
    /// Size of its body.
    pub bytes: usize,
    /// Client id of the caller, if it is known.
    pub application: Option<Uuid>,
    /// Arrival by the tenant's clock.
    pub at: Timestamp,
    /// Whether it is part of a batch.
    pub in_batch: bool,
}

/// A request that is being answered. It is counted when it [ends](Open::end); one that the client abandons is not.
#[derive(Debug)]
#[must_use]
pub struct Open<'a> {
    ledger: &'a Ledger,
    asked: Asked,
    since: Stopwatch,
}

impl Open<'_> {
    /// Counts the request with its answer; without a status the connection was broken.
    pub fn end(self, status: Option<StatusCode>, response_bytes: usize) {
        let recent = Recent {
            seq: 0,
            at: self.asked.at,
            method: self.asked.entry.method.clone(),
            path: shortened(self.asked.path.clone()),
            status: status.map(|status| status.as_u16()),
            milliseconds: (self.since.elapsed().as_secs_f64() * 1_000_000.0).round() / 1000.0,
            request_bytes: self.asked.bytes as u64,
            response_bytes: response_bytes as u64,
            application: self.asked.application,
            mailbox: self.asked.entry.mailbox.clone(),
            in_batch: self.asked.in_batch,
        };
        self.ledger.record(&self.asked.entry, recent);
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.ledger.with(|counters| {
            if let Some(flight) = self
                .asked
                .entry
                .mailbox
                .as_ref()
                .and_then(|mailbox| counters.in_flight.get_mut(mailbox))
            {
                flight.now = flight.now.saturating_sub(1);
            }
        });
    }
}

impl Ledger {
    fn with<T>(&self, work: impl FnOnce(&mut Counters) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Notes that a request is being answered.
    pub fn begin(&self, asked: Asked) -> Open<'_> {
        self.with(|counters| {
            let Some(mailbox) = &asked.entry.mailbox else {
                return;
            };
            if !counters.in_flight.contains_key(mailbox) {
                if counters.in_flight.len() >= MAX_ROUTES {
                    return;
                }
                counters.in_flight.insert(mailbox.clone(), Flight::default());
            }
            if let Some(flight) = counters.in_flight.get_mut(mailbox) {
                flight.now += 1;
                flight.most = flight.most.max(flight.now);
            }
        });
        Open {
            ledger: self,
            asked,
            since: SandboxClock::stopwatch(),
        }
    }

    fn record(&self, entry: &Entry, recent: Recent) {
        self.with(|counters| {
            let known = counters.routes.contains_key(entry);
            let counts = if known {
                counters.routes.get_mut(entry)
            } else if counters.routes.len() >= MAX_ROUTES {
                Some(counters.routes.entry(Entry::beyond()).or_default())
            } else {
                Some(counters.routes.entry(entry.clone()).or_default())
            };
            if let Some(counts) = counts {
                counts.requests += 1;
                counts.in_batch += u64::from(recent.in_batch);
                counts.request_bytes += recent.request_bytes;
                counts.response_bytes += recent.response_bytes;
                match recent.status {
                    Some(status) => *counts.statuses.entry(status).or_default() += 1,
                    None => counts.broken += 1,
                }
            }
            counters.recent.add(recent);
        });
    }

    /// Everything counted since the last [clearing](Ledger::clear).
    #[must_use]
    pub fn report(&self) -> Value {
        self.with(|counters| {
            let mut total = Counts::default();
            let mut envelopes = 0;
            let mut routes = Vec::new();
            for (entry, counts) in &counters.routes {
                total.requests += counts.requests;
                total.in_batch += counts.in_batch;
                total.request_bytes += counts.request_bytes;
                total.response_bytes += counts.response_bytes;
                if entry.is_batch() {
                    envelopes += counts.requests;
                }
                routes.push(json!({
                    "method": entry.method,
                    "route": entry.route,
                    "mailbox": entry.mailbox,
                    "requests": counts.requests,
                    "in_batch": counts.in_batch,
                    "request_bytes": counts.request_bytes,
                    "response_bytes": counts.response_bytes,
                    "statuses": counts.statuses,
                    "broken": counts.broken,
                }));
            }
            let mailboxes = counters.in_flight.iter();
            let mailboxes: Vec<Value> = mailboxes
                .map(|(mailbox, flight)| json!({"mailbox": mailbox, "most_at_once": flight.most, "now": flight.now}))
                .collect();
            json!({
                "total": {
                    "requests": total.requests,
                    "over_the_wire": total.requests - total.in_batch,
                    "evaluated": total.requests - envelopes,
                    "request_bytes": total.request_bytes,
                    "response_bytes": total.response_bytes,
                },
                "routes": routes,
                "mailboxes": mailboxes,
            })
        })
    }

    /// The last requests, newest first.
    #[must_use]
    pub fn recent(&self, wanted: &Wanted<'_>) -> Vec<Value> {
        let recent = self.with(|counters| counters.recent.list(wanted));
        recent.iter().map(|recent| json!(recent)).collect()
    }

    /// Starts counting anew; requests under way stay in flight.
    pub fn clear(&self) {
        self.with(|counters| {
            counters.routes.clear();
            counters.recent.clear();
            counters.in_flight.retain(|_, flight| flight.now > 0);
            for flight in counters.in_flight.values_mut() {
                flight.most = flight.now;
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;
    use crate::server::paths::segments;

    fn asked(path: &str, in_batch: bool) -> Asked {
        Asked {
            entry: Entry::graph(&Method::GET, &segments(path)),
            path: path.to_owned(),
            bytes: 10,
            application: None,
            at: Timestamp::UNIX_EPOCH,
            in_batch,
        }
    }

    #[test]
    fn requests_and_bytes_add_up() {
        let ledger = Ledger::default();
        for _ in 0..2 {
            ledger.begin(asked("/organization", false)).end(Some(StatusCode::OK), 5);
        }
        ledger.begin(asked("/organization", false)).end(None, 0);
        let report = ledger.report();
        assert_eq!(report["total"]["requests"], 3);
        assert_eq!(report["total"]["request_bytes"], 30);
        assert_eq!(report["total"]["response_bytes"], 10);
        assert_eq!(report["routes"][0]["statuses"]["200"], 2);
        assert_eq!(report["routes"][0]["broken"], 1);
        ledger.clear();
        assert_eq!(ledger.report()["total"]["requests"], 0);
        assert!(ledger.recent(&Wanted::default()).is_empty());
    }

    #[test]
    fn parts_of_a_batch_are_evaluated_and_not_sent() {
        let ledger = Ledger::default();
        ledger.begin(asked("/$batch", false)).end(Some(StatusCode::OK), 5);
        for _ in 0..3 {
            ledger.begin(asked("/me/messages", true)).end(Some(StatusCode::OK), 5);
        }
        ledger.begin(asked("/me/messages", false)).end(Some(StatusCode::OK), 5);
        let total = &ledger.report()["total"];
        assert_eq!(total["over_the_wire"], 2);
        assert_eq!(total["evaluated"], 4);
    }

    #[test]
    fn the_last_requests_are_listed_newest_first() {
        let ledger = Ledger::default();
        for number in 0..1200 {
            let mailbox = if number % 2 == 0 { "even" } else { "odd" };
            ledger
                .begin(asked(
                    &format!("/users/{mailbox}@contoso.example/messages/{number}"),
                    false,
                ))
                .end(Some(StatusCode::OK), 0);
        }
        let all = ledger.recent(&Wanted::default());
        assert_eq!(all.len(), 1000);
        assert_eq!(all[0]["path"], "/users/odd@contoso.example/messages/1199");
        let even = ledger.recent(&Wanted {
            limit: Some(2),
            mailbox: Some("Even@contoso.example"),
            ..Wanted::default()
        });
        assert_eq!(even.len(), 2);
        assert_eq!(even[0]["seq"], 1199);
        let wanted = Wanted {
            after: Some(1199),
            ..Wanted::default()
        };
        assert_eq!(ledger.recent(&wanted).len(), 1);
    }

    #[test]
    fn a_long_path_is_shortened_between_letters() {
        let path = shortened("é".repeat(2000));
        assert!(path.len() < 600 && path.ends_with('…'));
    }

    #[test]
    fn lines_are_bounded() {
        let ledger = Ledger::default();
        for number in 0..MAX_ROUTES + 5 {
            let path = format!("/users/u{number}@contoso.example/messages");
            ledger.begin(asked(&path, false)).end(Some(StatusCode::OK), 0);
        }
        let report = ledger.report();
        assert_eq!(report["total"]["requests"], MAX_ROUTES + 5);
        assert!(
            report["routes"]
                .as_array()
                .is_some_and(|routes| routes.len() <= MAX_ROUTES + 1)
        );
    }
}
