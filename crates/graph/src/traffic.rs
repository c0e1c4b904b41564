//! How many requests go to Microsoft, by mailbox, how many it refuses for their number, and how many are held back
//! before they are sent.
//!
//! Owns a transport that counts, and that asks the governor. Changes nothing of what passes. Invariant: the counts are
//! bounded, whatever addresses pass.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use guichet_net::{BodyLimit, HttpRequest, HttpResponse, Transport, TransportError};
use http::StatusCode;
use http::header::{HeaderMap, HeaderValue, RETRY_AFTER};
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use url::Url;

use crate::{governor::Governor, ports::Time, retry::retry_after};

/// Mailboxes counted apart; more of them are counted together.
const MAX_USERS: usize = 1_000;

/// Requests of one mailbox; without a user, of the application as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Requests {
    /// All of them as Microsoft counts them: repetitions included, and each call of a batch.
    pub sent: u64,
    /// Those that were answered 429.
    pub throttled: u64,
    /// Those that were not sent, because they would have been refused.
    pub held: u64,
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
        self.count(user, |count| {
            count.sent += 1;
            count.throttled += u64::from(throttled);
        });
    }

    fn hold(&self, user: &str, calls: u64) {
        self.count(user.to_owned(), |count| count.held += calls);
    }

    fn count(&self, user: String, change: impl FnOnce(&mut Requests)) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let user = if counts.len() >= MAX_USERS && !counts.contains_key(&user) {
            String::new()
        } else {
            user
        };
        change(counts.entry(user).or_default());
    }
}

/// Counts what passes through another transport, and keeps it within Microsoft's limits.
#[derive(Debug)]
pub struct Metered {
    inner: Arc<dyn Transport>,
    traffic: Arc<Traffic>,
    governor: Governor,
    time: Arc<dyn Time>,
}

impl Metered {
    /// Around `inner`, into `traffic`.
    pub fn new(inner: Arc<dyn Transport>, traffic: Arc<Traffic>, time: Arc<dyn Time>) -> Self {
        Self {
            inner,
            traffic,
            governor: Governor::default(),
            time,
        }
    }
}

#[async_trait]
impl Transport for Metered {
    async fn send(&self, request: HttpRequest, limit: BodyLimit) -> Result<HttpResponse, TransportError> {
        let calls = calls(&request);
        if let Some(wait) = self.charge(&calls) {
            return Ok(held(wait));
        }
        let answer = self.inner.send(request, limit).await;
        let now = self.time.now();
        for call in told(&calls, answer.as_ref().ok(), now) {
            self.traffic.note(call.user.to_owned(), call.throttled);
            if call.throttled {
                self.governor.refused(call.user, call.advised, now);
            }
        }
        answer
    }
}

impl Metered {
    /// Charges the calls to their mailboxes, or says how long they all have to wait.
    fn charge(&self, calls: &Calls) -> Option<Duration> {
        let mut by_user: BTreeMap<&str, u64> = BTreeMap::new();
        for user in calls.users() {
            *by_user.entry(user).or_default() += 1;
        }
        let now = self.time.now();
        let waits = by_user.into_iter().filter_map(|(user, count)| {
            let wait = self.governor.charge(user, count, now).err()?;
            self.traffic.hold(user, count);
            Some(wait)
        });
        waits.max()
    }
}

/// A refusal of our own, in the form of Microsoft's.
fn held(wait: Duration) -> HttpResponse {
    let mut headers = HeaderMap::new();
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    let text = "held back here: Microsoft asked to wait, or the budget of the mailbox is spent";
    let body = serde_json::json!({"error": {"code": "HeldBack", "message": text}});
    HttpResponse {
        status: StatusCode::TOO_MANY_REQUESTS,
        headers,
        body: body.to_string().into(),
    }
}

/// What is asked of which mailboxes.
enum Calls {
    /// By itself.
    One(String),
    /// In a batch, by the ids of the calls.
    Batch(HashMap<String, String>),
}

impl Calls {
    fn users(&self) -> Vec<&str> {
        match self {
            Self::One(user) => vec![user],
            Self::Batch(users) => users.values().map(String::as_str).collect(),
        }
    }
}

/// How one call was answered.
struct Told<'a> {
    user: &'a str,
    throttled: bool,
    advised: Option<Duration>,
}

fn calls(request: &HttpRequest) -> Calls {
    batched(request).map_or_else(|| Calls::One(user_of(&request.url)), Calls::Batch)
}

/// The outcome of each call; a batch without a readable answer was refused or lost as a whole.
fn told<'a>(calls: &'a Calls, answer: Option<&HttpResponse>, now: Timestamp) -> Vec<Told<'a>> {
    let throttled = answer.is_some_and(|answer| answer.status == StatusCode::TOO_MANY_REQUESTS);
    let whole = |user| Told {
        user,
        throttled,
        advised: answer.and_then(|answer| retry_after(&answer.headers, Some(now))),
    };
    let Calls::Batch(users) = calls else {
        return calls.users().into_iter().map(whole).collect();
    };
    let Some(answers) = answer.and_then(|answer| answers(&answer.body)) else {
        return users.values().map(|user| whole(user)).collect();
    };
    let single = |answer: Answered| {
        Some(Told {
            user: users.get(&answer.id)?,
            throttled: answer.status == StatusCode::TOO_MANY_REQUESTS.as_u16(),
            advised: answer.advised(now),
        })
    };
    answers.into_iter().filter_map(single).collect()
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

/// How a call of a batch was answered.
#[derive(Deserialize)]
struct Answered {
    id: String,
    status: u16,
    #[serde(default)]
    headers: Option<HashMap<String, serde_json::Value>>,
}

impl Answered {
    fn advised(&self, now: Timestamp) -> Option<Duration> {
        let (_, value) = self
            .headers
            .iter()
            .flatten()
            .find(|(name, _)| name.eq_ignore_ascii_case("retry-after"))?;
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_str(&text).ok()?);
        retry_after(&headers, Some(now))
    }
}

fn answers(body: &[u8]) -> Option<Vec<Answered>> {
    #[derive(Deserialize)]
    struct Envelope {
        responses: Vec<Answered>,
    }
    serde_json::from_slice::<Envelope>(body)
        .ok()
        .map(|envelope| envelope.responses)
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
        assert_eq!(
            taken[""],
            Requests {
                sent: 5,
                ..Requests::default()
            }
        );
        assert_eq!(
            taken["3"],
            Requests {
                sent: 1,
                throttled: 1,
                held: 0
            }
        );
        assert_eq!(taken.len(), MAX_USERS + 1);
        assert_eq!(traffic.take(), []);
    }
}
