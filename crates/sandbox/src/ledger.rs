//! What was asked of the tenant: counts and bytes by route and mailbox.
//!
//! Owns the counters that tests read to see how much work a client makes. It keeps no ids of messages and no content.
//! At most [`MAX_ROUTES`] lines are kept; what does not fit is counted in one line of its own.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use http::{Method, StatusCode};
use serde_json::{Value, json};

/// Lines at once: routes times mailboxes of a large test.
const MAX_ROUTES: usize = 20_000;

/// Path words that are not ids, in lower case; functions and `$` segments are words as well.
const WORDS: &[&str] = &[
    "addpassword",
    "applications",
    "applicationtemplates",
    "approleassignedto",
    "approleassignments",
    "attachments",
    "childfolders",
    "copy",
    "createforward",
    "createreply",
    "createreplyall",
    "createuploadsession",
    "delta",
    "directoryroles",
    "domains",
    "federatedidentitycredentials",
    "forward",
    "item",
    "licensedetails",
    "mailboxsettings",
    "mailfolders",
    "me",
    "memberof",
    "messages",
    "move",
    "oauth2permissiongrants",
    "organization",
    "owners",
    "permanentdelete",
    "reauthorize",
    "removepassword",
    "reply",
    "replyall",
    "send",
    "sendmail",
    "serviceprincipals",
    "singlevalueextendedproperties",
    "subscribedskus",
    "subscriptions",
    "transitivememberof",
    "translateexchangeids",
    "users",
];

/// The counters.
#[derive(Debug, Default)]
pub struct Ledger(Mutex<Counters>);

#[derive(Debug, Default)]
struct Counters {
    routes: BTreeMap<Entry, Counts>,
    in_flight: BTreeMap<String, Flight>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Flight {
    now: u64,
    most: u64,
}

#[derive(Debug, Default)]
struct Counts {
    requests: u64,
    request_bytes: u64,
    response_bytes: u64,
    statuses: BTreeMap<u16, u64>,
}

/// One request on its way into the ledger.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    method: String,
    route: String,
    mailbox: Option<String>,
}

/// An entry with the size of its request.
pub type Sized = (Entry, usize);

/// A request that is being answered. It is counted when it [ends](Open::end); one that the client abandons is not.
#[derive(Debug)]
#[must_use]
pub struct Open<'a> {
    ledger: &'a Ledger,
    entry: Sized,
}

impl Entry {
    /// A Graph request: segments after the edition.
    #[must_use]
    pub fn graph(method: &Method, segments: &[String], bytes: usize) -> Sized {
        let mut route = String::new();
        let mut mailbox = None;
        for (position, segment) in segments.iter().enumerate() {
            let lower = segment.to_lowercase();
            let id_of_user = position == 1 && segments[0].eq_ignore_ascii_case("users");
            if id_of_user && !lower.starts_with('$') {
                mailbox = Some(lower.clone());
            }
            let word = lower.starts_with('$') || WORDS.binary_search(&lower.as_str()).is_ok();
            route.push('/');
            route.push_str(if word && !id_of_user { &lower } else { "{id}" });
        }
        (
            Self {
                method: method.to_string(),
                route,
                mailbox,
            },
            bytes,
        )
    }

    /// A slice of an upload session.
    #[must_use]
    pub fn upload(method: &Method, bytes: usize) -> Sized {
        (
            Self {
                method: method.to_string(),
                route: "/upload-session".to_owned(),
                mailbox: None,
            },
            bytes,
        )
    }

    /// A request to Exchange's administration: `/adminapi/{version}/{tenant}/…`.
    #[must_use]
    pub fn exchange(method: &Method, segments: &[String], bytes: usize) -> Sized {
        let mut route = "/adminapi".to_owned();
        for (position, segment) in segments.iter().enumerate().skip(1).take(3) {
            route.push('/');
            match position {
                2 => route.push_str("{tenant}"),
                _ => route.push_str(&segment.to_lowercase()),
            }
        }
        (
            Self {
                method: method.to_string(),
                route,
                mailbox: None,
            },
            bytes,
        )
    }

    /// A request to the identity provider.
    #[must_use]
    pub fn login(method: &Method, segments: &[String], bytes: usize) -> Sized {
        let mut route = "/{tenant}".to_owned();
        for segment in segments.iter().skip(1).take(4) {
            route.push('/');
            route.push_str(&segment.to_lowercase());
        }
        (
            Self {
                method: method.to_string(),
                route,
                mailbox: None,
            },
            bytes,
        )
    }
}

impl Open<'_> {
    /// Counts the request with its answer.
    pub fn end(self, status: StatusCode, response_bytes: usize) {
        self.ledger.record(self.entry.clone(), status, response_bytes);
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.ledger.with(|counters| {
            if let Some(flight) = self
                .entry
                .0
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
    pub fn begin(&self, entry: Sized) -> Open<'_> {
        self.with(|counters| {
            let room = counters.in_flight.len() < MAX_ROUTES;
            if let Some(mailbox) = entry.0.mailbox.clone().filter(|_| room) {
                let flight = counters.in_flight.entry(mailbox).or_default();
                flight.now += 1;
                flight.most = flight.most.max(flight.now);
            }
        });
        Open { ledger: self, entry }
    }

    /// Counts a request with its answer.
    pub fn record(&self, (mut entry, request_bytes): Sized, status: StatusCode, response_bytes: usize) {
        self.with(|counters| {
            if counters.routes.len() >= MAX_ROUTES && !counters.routes.contains_key(&entry) {
                entry = Entry {
                    method: "*".to_owned(),
                    route: "/beyond-the-ledger".to_owned(),
                    mailbox: None,
                };
            }
            let counts = counters.routes.entry(entry).or_default();
            counts.requests += 1;
            counts.request_bytes += request_bytes as u64;
            counts.response_bytes += response_bytes as u64;
            *counts.statuses.entry(status.as_u16()).or_default() += 1;
        });
    }

    /// Everything counted since the last [clearing](Ledger::clear).
    #[must_use]
    pub fn report(&self) -> Value {
        self.with(|counters| {
            let mut total = Counts::default();
            let mut routes = Vec::new();
            for (entry, counts) in &counters.routes {
                total.requests += counts.requests;
                total.request_bytes += counts.request_bytes;
                total.response_bytes += counts.response_bytes;
                routes.push(json!({
                    "method": entry.method,
                    "route": entry.route,
                    "mailbox": entry.mailbox,
                    "requests": counts.requests,
                    "request_bytes": counts.request_bytes,
                    "response_bytes": counts.response_bytes,
                    "statuses": counts.statuses,
                }));
            }
            let mailboxes = counters.in_flight.iter();
            let mailboxes: Vec<Value> = mailboxes
                .map(|(mailbox, flight)| json!({"mailbox": mailbox, "most_at_once": flight.most}))
                .collect();
            json!({
                "total": {
                    "requests": total.requests,
                    "request_bytes": total.request_bytes,
                    "response_bytes": total.response_bytes,
                },
                "routes": routes,
                "mailboxes": mailboxes,
            })
        })
    }

    /// Starts counting anew; requests under way stay in flight.
    pub fn clear(&self) {
        self.with(|counters| {
            counters.routes.clear();
            counters.in_flight.retain(|_, flight| flight.now > 0);
            for flight in counters.in_flight.values_mut() {
                flight.most = flight.now;
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::paths::segments;

    #[test]
    fn the_words_are_sorted_for_the_search() {
        assert!(WORDS.is_sorted());
    }

    #[test]
    fn ids_disappear_and_the_mailbox_stays() {
        let path = segments("/users/Support%40contoso.example/mailFolders/inbox/messages/AAMk=/$value");
        let (entry, _) = Entry::graph(&Method::GET, &path, 0);
        assert_eq!(entry.route, "/users/{id}/mailfolders/{id}/messages/{id}/$value");
        assert_eq!(entry.mailbox.as_deref(), Some("support@contoso.example"));
    }

    #[test]
    fn requests_and_bytes_add_up() {
        let ledger = Ledger::default();
        for _ in 0..2 {
            let open = ledger.begin(Entry::login(&Method::POST, &segments("/t/oauth2/v2.0/token"), 10));
            open.end(StatusCode::OK, 5);
        }
        let report = ledger.report();
        assert_eq!(
            report["total"],
            json!({"requests": 2, "request_bytes": 20, "response_bytes": 10})
        );
        assert_eq!(report["routes"][0]["statuses"]["200"], 2);
        ledger.clear();
        assert_eq!(ledger.report()["total"]["requests"], 0);
    }
}
