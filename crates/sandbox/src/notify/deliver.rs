//! Delivery: a queue per endpoint, served by one task as long as something waits in it.
//!
//! Owns batching, retry and giving up. Any 2xx is delivered; otherwise the same notifications are tried again with
//! exponential back-off for four hours by the tenant's clock, then dropped, and the client is told `missed`
//! (contract §3). Each request opens its own connection, so an endpoint that restarted is found again. Nothing is sent
//! for a subscription that is gone. Locks: the book of subscriptions may be held while a queue is locked, never the
//! other way round.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use jiff::SignedDuration;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::clock::SandboxClock;
use crate::directory::Directory;
use crate::entropy::Entropy;
use crate::notify::book::Book;
use crate::notify::caretaker::Missed;
use crate::notify::health::{Standing, span};
use crate::notify::journal::{Journal, Outcome};
use crate::notify::lane::{Key, Lane, Schedule, Step, later};
use crate::notify::mishap::{Mishaps, Verdict};
use crate::notify::outgoing::Outgoing;
use crate::notify::pending::{Pending, Waiting};
use crate::notify::tuning::Tuning;
use crate::notify::{LifecycleEvent, NotifySettings, validation_token};

/// Notifications waiting for one endpoint (about 10 MB); more are dropped, which a client must survive anyway.
const MAX_WAITING: usize = 10_000;
/// Notifications waiting for all endpoints (about 100 MB).
const MAX_WAITING_IN_ALL: usize = 100_000;
/// Notifications on their way that survive a restart; saving them must not take longer than sending them.
const MAX_SAVED: usize = 10_000;
/// Endpoints remembered; beyond this idle ones are forgotten, with their record.
const MAX_IDLE_LANES: usize = 1_000;
/// The longest latency that is drawn: the documented maximum.
const MAX_LATENCY: SignedDuration = SignedDuration::from_mins(3);

/// The queues, their tasks, and everything they look at.
#[derive(Debug)]
pub struct Dispatcher {
    pub clock: Arc<SandboxClock>,
    pub entropy: Arc<Entropy>,
    pub directory: Arc<dyn Directory>,
    pub settings: NotifySettings,
    pub book: RwLock<Book>,
    pub mishaps: Mishaps,
    pub missed: Mutex<Missed>,
    pub is_cared_for: AtomicBool,
    tuning: RwLock<Tuning>,
    outgoing: Option<Outgoing>,
    lanes: Mutex<HashMap<String, Arc<Lane>>>,
    waiting: AtomicUsize,
    journal: Mutex<Journal>,
}

impl Dispatcher {
    /// No endpoints yet.
    #[must_use]
    pub fn new(
        clock: Arc<SandboxClock>,
        entropy: Arc<Entropy>,
        directory: Arc<dyn Directory>,
        settings: NotifySettings,
    ) -> Self {
        let outgoing = match Outgoing::new(&settings) {
            Ok(outgoing) => Some(outgoing),
            Err(reason) => {
                tracing::error!(reason, "notifications cannot be sent");
                None
            }
        };
        let tuning = Tuning {
            latency_milliseconds: u64::try_from(settings.latency.as_millis()).unwrap_or(u64::MAX),
            ..Tuning::default()
        };
        Self {
            clock,
            mishaps: Mishaps::new(entropy.clone()),
            entropy,
            directory,
            settings,
            book: RwLock::default(),
            missed: Mutex::default(),
            is_cared_for: AtomicBool::new(false),
            tuning: RwLock::new(tuning),
            outgoing,
            lanes: Mutex::default(),
            waiting: AtomicUsize::new(0),
            journal: Mutex::default(),
        }
    }

    /// The way to endpoints, for the handshake.
    #[must_use]
    pub fn outgoing(&self) -> Option<&Outgoing> {
        self.outgoing.as_ref()
    }

    /// The numbers in force.
    #[must_use]
    pub fn tuning(&self) -> Tuning {
        self.tuning.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts other numbers in force.
    pub fn tune(&self, tuning: Tuning) {
        *self.tuning.write().unwrap_or_else(PoisonError::into_inner) = tuning;
    }

    /// The subscriptions for reading.
    pub fn subscriptions(&self) -> RwLockReadGuard<'_, Book> {
        self.book.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The record of what was sent.
    pub fn with_journal<T>(&self, work: impl FnOnce(&mut Journal) -> T) -> T {
        work(&mut self.journal.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn note(&self, batch: &[Arc<Pending>], number: u32, outcome: &Outcome) {
        let now = self.clock.now();
        self.with_journal(|journal| journal.attempt(now, batch, number, outcome));
    }

    /// Queues a notification, if no mishap is ordered for it; never blocks.
    pub fn send(self: &Arc<Self>, pending: Pending) {
        let verdict = self.mishaps.judge(&pending.sight());
        let pending = Arc::new(pending);
        if verdict.lost {
            self.note(&[pending], 0, &Outcome::Lost);
            return;
        }
        for _ in 0..=verdict.copies {
            self.enqueue(pending.clone(), verdict);
        }
    }

    /// Queues the last `times` delivered notifications once more.
    pub fn duplicate_last(self: &Arc<Self>, times: usize) -> usize {
        let again = self.with_journal(|journal| journal.last(times));
        let count = again.len();
        for pending in again {
            self.enqueue(pending, Verdict::default());
        }
        count
    }

    /// What waits, for saving; at most [`MAX_SAVED`].
    #[must_use]
    pub fn all_waiting(&self) -> Vec<Pending> {
        let lanes: Vec<Arc<Lane>> = self.lanes().values().cloned().collect();
        let of_lane = |lane: &Arc<Lane>| -> Vec<Pending> {
            let queue = lane.queue();
            queue
                .waiting()
                .map(|waiting| Pending::clone(&waiting.pending))
                .collect()
        };
        lanes.iter().flat_map(of_lane).take(MAX_SAVED).collect()
    }

    fn lanes(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Lane>>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lane(&self, url: &str) -> Arc<Lane> {
        let mut lanes = self.lanes();
        if let Some(lane) = lanes.get(url) {
            return lane.clone();
        }
        if lanes.len() >= MAX_IDLE_LANES {
            lanes.retain(|_, lane| Arc::strong_count(lane) > 1 || lane.queue().is_served);
        }
        let lane = Arc::new(Lane::new(url));
        lanes.insert(url.to_owned(), lane.clone());
        lane
    }

    /// Queues without looking for mishaps.
    pub fn enqueue(self: &Arc<Self>, pending: Arc<Pending>, verdict: Verdict) {
        let tuning = self.tuning();
        let now = self.clock.now();
        let due = later(now, self.latency(&tuning));
        let lane = self.lane(&pending.url);
        let mut queue = lane.queue();
        let standing = match pending.lifecycle {
            None => queue.health.standing(now, &tuning),
            Some(_) => Standing::Prompt,
        };
        let is_full = queue.len() >= MAX_WAITING || self.waiting.load(Ordering::Relaxed) >= MAX_WAITING_IN_ALL;
        let due = match (standing, is_full) {
            (Standing::Dropping, _) | (_, true) => {
                drop(queue);
                let outcome = if is_full { Outcome::GivenUp } else { Outcome::Dropped };
                self.note(std::slice::from_ref(&pending), 0, &outcome);
                self.was_lost(&[pending]);
                return;
            }
            (Standing::Slow, false) => later(due, span(tuning.slow_delay_seconds)),
            (Standing::Prompt, false) => due,
        };
        let schedule = Schedule {
            due,
            delay: verdict.delay,
            held: verdict.held,
        };
        queue.put(Waiting { pending, tried: None }, schedule);
        self.waiting.fetch_add(1, Ordering::Relaxed);
        self.serve_if_idle(&lane, &mut queue);
    }

    fn serve_if_idle(self: &Arc<Self>, lane: &Arc<Lane>, queue: &mut crate::notify::lane::Queue) {
        if queue.is_served {
            lane.wake.notify_one();
            return;
        }
        // Without a runtime (a tenant that is being put together) the next notification starts the task.
        if self.settings.stop.is_cancelled() || tokio::runtime::Handle::try_current().is_err() {
            return;
        }
        queue.is_served = true;
        let (dispatcher, lane, stop) = (self.clone(), lane.clone(), self.settings.stop.clone());
        self.settings.tasks.spawn(async move {
            stop.run_until_cancelled(dispatcher.serve(&lane)).await;
        });
    }

    fn latency(&self, tuning: &Tuning) -> SignedDuration {
        if tuning.latency_milliseconds == 0 {
            return SignedDuration::ZERO;
        }
        let mut bytes = [0_u8; 8];
        self.entropy.fill(&mut bytes);
        let drawn = u64::from_le_bytes(bytes) % tuning.latency_milliseconds.saturating_mul(2).saturating_add(1);
        SignedDuration::from_millis(i64::try_from(drawn).unwrap_or(i64::MAX)).min(MAX_LATENCY)
    }

    async fn serve(self: &Arc<Self>, lane: &Arc<Lane>) {
        loop {
            let tuning = self.tuning();
            let step = lane.queue().step(self.clock.now(), &tuning);
            match step {
                Step::Finished => return,
                Step::Wait(left) => {
                    tokio::select! {
                        biased;
                        () = lane.wake.notified() => {}
                        () = self.clock.pause(left) => {}
                    }
                }
                Step::Deliver(batch) => self.deliver(lane, batch, &tuning).await,
            }
        }
    }

    async fn deliver(self: &Arc<Self>, lane: &Arc<Lane>, batch: Vec<(Key, Arc<Pending>)>, tuning: &Tuning) {
        let batch = self.still_wanted(lane, batch);
        if batch.is_empty() {
            return;
        }
        let bodies: Vec<Arc<Pending>> = batch.iter().map(|(_, pending)| pending.clone()).collect();
        let started = self.clock.now();
        let number = lane.queue().attempt();
        let (outcome, slow) = self.attempt(&lane.url, &bodies, tuning).await;
        let given_up = {
            let mut queue = lane.queue();
            let before = queue.len();
            queue.health.note(self.clock.now(), slow, tuning);
            let given_up = if outcome.is_delivered() {
                queue.delivered(&batch);
                Vec::new()
            } else {
                queue.failed(&batch, started, tuning)
            };
            self.waiting.fetch_sub(before - queue.len(), Ordering::Relaxed);
            given_up
        };
        if outcome.is_delivered() {
            self.missed_was_told(&bodies);
        }
        self.note(&bodies, number, &outcome);
        if !given_up.is_empty() {
            self.note(&given_up, number, &Outcome::GivenUp);
            self.was_lost(&given_up);
        }
    }

    /// Leaves out what nobody waits for any more, and sends on what now belongs to another endpoint.
    fn still_wanted(self: &Arc<Self>, lane: &Arc<Lane>, batch: Vec<(Key, Arc<Pending>)>) -> Vec<(Key, Arc<Pending>)> {
        let now = self.clock.now();
        let (mut wanted, mut gone, mut moved) = (Vec::new(), Vec::new(), Vec::new());
        {
            let book = self.subscriptions();
            for (key, pending) in batch {
                let listener = book.get(pending.subscription).filter(|listener| !listener.is_over(now));
                match (pending.lifecycle, listener) {
                    (Some(LifecycleEvent::SubscriptionRemoved), _) | (Some(_), Some(_)) => wanted.push((key, pending)),
                    (None, Some(listener)) if listener.subscription.notification_url == lane.url => {
                        wanted.push((key, pending));
                    }
                    (None, Some(listener)) => {
                        let mut pending = Pending::clone(&pending);
                        pending.url.clone_from(&listener.subscription.notification_url);
                        moved.push(pending);
                        gone.push(key);
                    }
                    (_, None) => gone.push(key),
                }
            }
        }
        if !gone.is_empty() {
            let mut queue = lane.queue();
            for key in &gone {
                queue.remove(*key);
            }
            self.waiting.fetch_sub(gone.len(), Ordering::Relaxed);
        }
        for pending in moved {
            self.enqueue(Arc::new(pending), Verdict::default());
        }
        wanted
    }

    /// One request; gives how it ended and whether it counts as slow.
    async fn attempt(&self, url: &str, batch: &[Arc<Pending>], tuning: &Tuning) -> (Outcome, bool) {
        let Some(outgoing) = &self.outgoing else {
            return (Outcome::Failed("no http client".to_owned()), false);
        };
        let body = self.envelope(batch).to_string();
        let exchange = async {
            match outgoing.post(url, "application/json", body.into(), 0).await {
                Ok(reply) => Outcome::Status(reply.status),
                Err(reason) => Outcome::Failed(reason),
            }
        };
        tokio::pin!(exchange);
        let whole = Duration::from_millis(tuning.delivery_timeout_milliseconds);
        let prompt = Duration::from_millis(tuning.slow_after_milliseconds).min(whole);
        // No reply takes no time; a timer, though, fires a moment after its end, and a quick one would pass.
        if !prompt.is_zero()
            && let Some(outcome) = self.clock.within(prompt, &mut exchange).await
        {
            return (outcome, false);
        }
        let outcome = self
            .clock
            .within(whole - prompt, exchange)
            .await
            .unwrap_or_else(|| Outcome::Failed("no answer in time".to_owned()));
        (outcome, true)
    }

    fn envelope(&self, batch: &[Arc<Pending>]) -> Value {
        let mut body = json!({"value": batch.iter().map(|pending| &pending.body).collect::<Vec<_>>()});
        let audiences: BTreeSet<&str> = batch.iter().filter_map(|pending| pending.audience.as_deref()).collect();
        if !audiences.is_empty() {
            let tenant = self.directory.tenant_id();
            let now = self.clock.now();
            let token = |audience: &&str| {
                let claims = validation_token::claims(audience, tenant, now, &self.entropy);
                self.settings.signer.sign(&claims)
            };
            body["validationTokens"] = audiences.iter().map(token).collect::<Vec<_>>().into();
        }
        body
    }

    /// Queues a lifecycle notification, if the subscription has a URL for it.
    pub fn tell(self: &Arc<Self>, subscription: &super::subscription::Subscription, event: LifecycleEvent) -> bool {
        let Some(url) = subscription.lifecycle_url.clone() else {
            return false;
        };
        self.send(Pending {
            url,
            subscription: subscription.id,
            mailbox: subscription.identity.user,
            lifecycle: Some(event),
            audience: None,
            body: subscription.lifecycle_notification(event, self.directory.tenant_id()),
        });
        true
    }

    /// Remembers whose notifications were lost.
    fn was_lost(&self, lost: &[Arc<Pending>]) {
        let mut missed = self.missed.lock().unwrap_or_else(PoisonError::into_inner);
        for pending in lost {
            missed.was_lost(pending);
        }
    }

    fn missed_was_told(&self, told: &[Arc<Pending>]) {
        let events = told.iter().filter(|one| one.lifecycle == Some(LifecycleEvent::Missed));
        let subscriptions: Vec<Uuid> = events.map(|pending| pending.subscription).collect();
        if !subscriptions.is_empty() {
            let mut missed = self.missed.lock().unwrap_or_else(PoisonError::into_inner);
            for subscription in subscriptions {
                missed.was_told(subscription);
            }
        }
    }
}
