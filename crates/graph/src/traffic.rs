//! How many requests go to Microsoft, by mailbox, and how many it refuses for their number.
//!
//! Owns a transport that counts. Changes nothing of what passes. Invariant: the counts are bounded, whatever
//! addresses pass.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use guichet_net::{BodyLimit, HttpRequest, HttpResponse, Transport, TransportError};
use http::StatusCode;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use url::Url;

/// Mailboxes counted apart; more of them are counted together.
const MAX_USERS: usize = 1_000;

/// Requests of one mailbox; without a user, of the application as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Requests {
    /// All of them as Microsoft counts them: repetitions included, and each call of a batch.
    pub sent: u64,
    /// Those that were answered 429.
    pub throttled: u64,
}

/// The counts since they were last taken.
#[derive(Debug, Default)]
pub struct Traffic(Mutex<HashMap<String, Requests>>);

impl Traffic {
    /// Takes the counts, by the user in the address (id or principal name); empty for requests without one.
    pub fn take(&self) -> Vec<(String, Requests)> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.drain().collect()
    }

    fn note(&self, user: String, throttled: bool) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let user = if counts.len() >= MAX_USERS && !counts.contains_key(&user) {
            String::new()
        } else {
            user
        };
        let count = counts.entry(user).or_default();
        count.sent += 1;
        count.throttled += u64::from(throttled);
    }
}

/// Counts what passes through another transport.
#[derive(Debug)]
pub struct Metered {
    inner: Arc<dyn Transport>,
    traffic: Arc<Traffic>,
}

impl Metered {
    /// Around `inner`, into `traffic`.
    pub fn new(inner: Arc<dyn Transport>, traffic: Arc<Traffic>) -> Self {
        Self { inner, traffic }
    }
}

#[async_trait]
impl Transport for Metered {
    async fn send(&self, request: HttpRequest, limit: BodyLimit) -> Result<HttpResponse, TransportError> {
        let batched = batched(&request);
        let user = user_of(&request.url);
        let answer = self.inner.send(request, limit).await;
        if let (Some(users), Ok(answer)) = (&batched, &answer)
            && let Some(statuses) = statuses(&answer.body)
        {
            for (id, status) in statuses {
                let user = users.get(&id).cloned().unwrap_or_default();
                self.traffic
                    .note(user, status == StatusCode::TOO_MANY_REQUESTS.as_u16());
            }
            return Ok(answer.clone());
        }
        let throttled = answer
            .as_ref()
            .is_ok_and(|answer| answer.status == StatusCode::TOO_MANY_REQUESTS);
        self.traffic.note(user, throttled);
        answer
    }
}

/// The segment behind `users`.
fn user_of(url: &Url) -> String {
    user_in(url.path())
}

fn user_in(path: &str) -> String {
    let mut segments = path.split(['/', '?']);
    segments.find(|segment| *segment == "users");
    let user = segments.next().unwrap_or_default();
    percent_decode_str(user).decode_utf8_lossy().into_owned()
}

/// The users of the calls in a batch, by the calls' ids: Microsoft counts each of them.
fn batched(request: &HttpRequest) -> Option<HashMap<String, String>> {
    #[derive(Deserialize)]
    struct Envelope {
        requests: Vec<Entry>,
    }
    #[derive(Deserialize)]
    struct Entry {
        id: String,
        url: String,
    }
    if !request.url.path().ends_with("/$batch") {
        return None;
    }
    let envelope: Envelope = serde_json::from_slice(&request.body).ok()?;
    let user = |entry: Entry| (entry.id, user_in(&entry.url));
    Some(envelope.requests.into_iter().map(user).collect())
}

/// How the calls of a batch were answered.
fn statuses(body: &[u8]) -> Option<Vec<(String, u16)>> {
    #[derive(Deserialize)]
    struct Envelope {
        responses: Vec<Entry>,
    }
    #[derive(Deserialize)]
    struct Entry {
        id: String,
        status: u16,
    }
    let envelope: Envelope = serde_json::from_slice(body).ok()?;
    Some(
        envelope
            .responses
            .into_iter()
            .map(|entry| (entry.id, entry.status))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_the_user_in_the_address_and_within_a_bound() {
        let user = |url: &str| user_of(&url.parse().unwrap());
        assert_eq!(
            user("https://g.example/v1.0/users/a%40b.example/messages?$top=1"),
            "a@b.example"
        );
        assert_eq!(user("https://g.example/v1.0/subscriptions"), "");
        let traffic = Traffic::default();
        for number in 0..MAX_USERS + 5 {
            traffic.note(number.to_string(), number == 3);
        }
        let taken: HashMap<String, Requests> = traffic.take().into_iter().collect();
        assert_eq!(taken[""], Requests { sent: 5, throttled: 0 });
        assert_eq!(taken["3"], Requests { sent: 1, throttled: 1 });
        assert_eq!(taken.len(), MAX_USERS + 1);
        assert_eq!(traffic.take(), []);
    }
}
