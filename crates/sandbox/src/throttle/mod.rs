//! Throttling: how much of the tenant one client may use (contract §4).
//!
//! Owns the counters and the decision; requests that are refused count as well. Windows slide by the sandbox's clock.
//! Memory is bounded: at most [`MAX_KEYS`] counters of a kind, of which idle ones go first. Off until it is switched
//! on, since most tests mean something else.

mod answer;
mod cost;
mod settings;
mod sign_in;
mod window;

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::Method;
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

pub use answer::{Excess, Refusal, ResourceUnits};
pub use cost::{Area, Work};
pub use settings::{ConcurrencyScope, Settings};

use window::Window;

use crate::persist::Section;

/// Counters of one kind: applications times mailboxes of a large test.
const MAX_KEYS: usize = 20_000;
/// Counters shown at once.
const MAX_SHOWN: usize = 200;

/// The throttle of a tenant.
#[derive(Debug)]
pub struct Throttle {
    /// Spares requests the lock while throttling is off.
    enabled: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    settings: Settings,
    mailbox_requests: Counters<(Uuid, Uuid)>,
    mailbox_upload: Counters<(Uuid, Uuid)>,
    in_flight: HashMap<(Uuid, Option<Uuid>), u32>,
    applications: Counters<Uuid>,
    subscriptions: Counters<Uuid>,
    identity_units: Counters<Uuid>,
    identity_writes: Counters<Uuid>,
    sign_ins: Counters<Uuid>,
    refused: u64,
}

#[derive(Debug)]
struct Counters<K>(HashMap<K, Window>);

impl<K> Default for Counters<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Hash + Eq + Copy> Counters<K> {
    fn get(&mut self, key: K, seconds: u32, now: Timestamp) -> &mut Window {
        if self.0.len() >= MAX_KEYS && !self.0.contains_key(&key) {
            self.0.retain(|_, window| window.total(now) > 0);
            if self.0.len() >= MAX_KEYS {
                self.0.clear();
            }
        }
        let window = self.0.entry(key).or_insert_with(|| Window::new(seconds));
        window.resize(seconds);
        window
    }
}

/// A request that is being answered; its end frees the place it takes.
#[derive(Debug)]
#[must_use]
pub struct Admission {
    throttle: Option<Arc<Throttle>>,
    place: (Uuid, Option<Uuid>),
    /// What the request costs, for the headers of directory answers.
    pub units: Option<ResourceUnits>,
}

impl Drop for Admission {
    fn drop(&mut self) {
        let Some(throttle) = self.throttle.take() else {
            return;
        };
        let mut state = throttle.lock();
        if let Some(count) = state.in_flight.get_mut(&self.place) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                state.in_flight.remove(&self.place);
            }
        }
    }
}

impl Throttle {
    /// A throttle without usage.
    #[must_use]
    pub fn new(enabled: bool) -> Self {
        let settings = Settings {
            enabled,
            ..Settings::default()
        };
        Self {
            enabled: AtomicBool::new(enabled),
            state: Mutex::new(State {
                settings,
                ..State::default()
            }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether anything is counted.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.enabled.load(Ordering::Relaxed)
    }

    /// The limits that hold.
    #[must_use]
    pub fn settings(&self) -> Settings {
        self.lock().settings.clone()
    }

    /// Changes the limits. Usage so far stays.
    ///
    /// # Errors
    /// Text for the control interface.
    pub fn change(&self, settings: Settings) -> Result<(), String> {
        settings.check()?;
        let mut state = self.lock();
        self.enabled.store(settings.enabled, Ordering::Relaxed);
        state.settings = settings;
        Ok(())
    }

    /// Forgets all usage; requests under way keep their places.
    pub fn clear(&self) {
        let mut state = self.lock();
        *state = State {
            settings: state.settings.clone(),
            in_flight: std::mem::take(&mut state.in_flight),
            ..State::default()
        };
    }

    /// Lets a Graph request in or refuses it; counts it in both cases. `users` is the size of the directory.
    ///
    /// # Errors
    /// The refusal, ready to be answered.
    pub fn admit(
        self: &Arc<Self>,
        application: Uuid,
        work: &Work,
        now: Timestamp,
        users: usize,
    ) -> Result<Admission, Refusal> {
        let mut admission = Admission {
            throttle: None,
            place: (application, None),
            units: None,
        };
        if !self.is_enabled() || work.area == Area::Batch {
            return Ok(admission);
        }
        let mut state = self.lock();
        let settings = state.settings.clone();
        let mut refusal = None;
        let mut refuse = |found: Option<Refusal>| {
            if refusal.is_none() {
                refusal = found;
            }
        };
        let all = &settings.application_requests;
        let window = state.applications.get(application, all.seconds, now);
        refuse(window.add(1, all.limit, now).map(Refusal::generic));
        match work.area {
            Area::Mailbox(mailbox) => {
                let key = (application, mailbox);
                let place = match settings.concurrency_scope {
                    ConcurrencyScope::Mailbox => (application, Some(mailbox)),
                    ConcurrencyScope::Application => (application, None),
                };
                let busy = state.in_flight.get(&place).copied().unwrap_or_default();
                if busy >= settings.concurrency {
                    refuse(Some(Refusal::outlook(
                        Excess::MailboxConcurrency,
                        settings.concurrency_retry_after_seconds,
                    )));
                }
                let requests = &settings.mailbox_requests;
                let over = state
                    .mailbox_requests
                    .get(key, requests.seconds, now)
                    .add(1, requests.limit, now);
                refuse(over.map(|wait| Refusal::outlook(Excess::RequestCount, wait)));
                if work.is_upload() {
                    let upload = &settings.mailbox_upload;
                    let over = state
                        .mailbox_upload
                        .get(key, upload.seconds, now)
                        .add(work.bytes, upload.limit, now);
                    refuse(over.map(|wait| Refusal::outlook(Excess::IncomingBytes, wait)));
                }
                admission.place = place;
            }
            Area::Subscriptions => {
                let limit = &settings.subscriptions;
                let over = state
                    .subscriptions
                    .get(application, limit.seconds, now)
                    .add(1, limit.limit, now);
                refuse(over.map(Refusal::generic));
            }
            Area::Identity => {
                let (units, found) = identity(&mut state, application, work, now, users);
                admission.units = Some(units);
                refuse(found);
            }
            Area::Batch | Area::Other => {}
        }
        if let Some(refusal) = refusal {
            state.refused += 1;
            return Err(refusal);
        }
        if matches!(work.area, Area::Mailbox(_)) {
            // A place for every request under way: their number is bounded by the connections.
            *state.in_flight.entry(admission.place).or_default() += 1;
            drop(state);
            admission.throttle = Some(Arc::clone(self));
        }
        Ok(admission)
    }

    /// Settings and usage for the control interface; the busiest counters first.
    #[must_use]
    pub fn report(&self, now: Timestamp) -> Value {
        let mut guard = self.lock();
        let state = &mut *guard;
        let settings = state.settings.clone();
        let mut usage: Vec<(u64, Value)> = Vec::new();
        let both = |windows: &mut Counters<(Uuid, Uuid)>, kind: &str, limit: u64, usage: &mut Vec<(u64, Value)>| {
            for ((application, mailbox), window) in &mut windows.0 {
                let used = window.total(now);
                usage.push((
                    used,
                    json!({"limit": kind, "application": application, "mailbox": mailbox, "used": used, "of": limit}),
                ));
            }
        };
        let requests = settings.mailbox_requests.limit;
        both(&mut state.mailbox_requests, "mailbox_requests", requests, &mut usage);
        let upload = settings.mailbox_upload.limit;
        both(&mut state.mailbox_upload, "mailbox_upload", upload, &mut usage);
        let units = u64::from(settings.identity_units(0));
        for (windows, kind, limit) in [
            (
                &mut state.applications,
                "application_requests",
                settings.application_requests.limit,
            ),
            (&mut state.subscriptions, "subscriptions", settings.subscriptions.limit),
            (&mut state.identity_units, "identity_units", units),
            (
                &mut state.identity_writes,
                "identity_writes",
                settings.identity_writes.limit,
            ),
            (&mut state.sign_ins, "sign_ins", settings.sign_ins.limit),
        ] {
            for (application, window) in &mut windows.0 {
                let used = window.total(now);
                usage.push((
                    used,
                    json!({"limit": kind, "application": application, "used": used, "of": limit}),
                ));
            }
        }
        usage.sort_by_key(|(used, _)| std::cmp::Reverse(*used));
        usage.truncate(MAX_SHOWN);
        let usage: Vec<Value> = usage.into_iter().map(|(_, shown)| shown).collect();
        json!({"settings": settings, "refused": state.refused, "usage": usage})
    }
}

fn identity(
    state: &mut State,
    application: Uuid,
    work: &Work,
    now: Timestamp,
    users: usize,
) -> (ResourceUnits, Option<Refusal>) {
    let settings = state.settings.clone();
    let limit = u64::from(settings.identity_units(users));
    let window = state.identity_units.get(application, settings.identity_seconds, now);
    let over = window.add(u64::from(work.units), limit, now);
    let used = window.total(now);
    let mut refusal = over.map(|wait| Refusal::identity(wait, "ResourceUnitLimitExceeded"));
    if work.method != Method::GET {
        let writes = &settings.identity_writes;
        let window = state.identity_writes.get(application, writes.seconds, now);
        let over = window.add(1, writes.limit, now);
        refusal = refusal.or_else(|| over.map(|wait| Refusal::identity(wait, "WriteLimitExceeded")));
    }
    let units = ResourceUnits {
        cost: work.units,
        used,
        limit,
    };
    (units, refusal)
}

impl Section for Throttle {
    fn name(&self) -> &'static str {
        "throttle"
    }

    fn save(&self) -> serde_json::Result<String> {
        serde_json::to_string(&self.settings())
    }

    fn load(&self, saved: &str) -> serde_json::Result<()> {
        let mut settings: Settings = serde_json::from_str(saved)?;
        // Who starts with throttling asked for gets it.
        settings.enabled |= self.settings().enabled;
        self.change(settings).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests;
