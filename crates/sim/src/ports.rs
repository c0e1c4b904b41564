//! What a node has in place of a machine: a clock, a network, a database server, each of which can fail it.
//!
//! Owns the troubles of one life of one node: it stands still, is killed at an await, waits, or does not get an
//! answer. Never decides anything about mail. Invariant: a request or an operation is carried out whole or not at all;
//! what may be lost is its answer.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use futures::{FutureExt, future::BoxFuture};
use guichet_net::{BodyLimit, HttpRequest, HttpResponse, Transport, TransportError, TransportErrorKind};
use guichet_store::{
    Error as StoreError,
    simulation::{Access, Interference},
};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;

use crate::{dice::Dice, tenant::Tenant, time::VirtualTime, trace::Trace};

/// How often something goes wrong with a node, in ten thousand awaits of its ports.
#[derive(Clone, Copy, Debug, Default)]
pub struct Odds {
    /// The process dies.
    pub death: u64,
    /// The process stands still for seconds.
    pub standstill: u64,
    /// An operation of the store is not done.
    pub store_refusal: u64,
    /// An operation of the store is done, and its answer is lost.
    pub store_silence: u64,
    /// A request gets no connection.
    pub unreachable: u64,
    /// The answer to a request is cut off.
    pub broken_answer: u64,
    /// Milliseconds that a node's clock may be off, either way.
    pub skew: u64,
}

/// What went wrong so far, to show that a storm was one.
#[derive(Debug, Default)]
pub struct Tally {
    /// Nodes that died.
    pub deaths: AtomicU64,
    /// Times that a node stood still.
    pub standstills: AtomicU64,
    /// Operations of the store that failed.
    pub store_failures: AtomicU64,
    /// Requests without an answer.
    pub unanswered: AtomicU64,
    /// Requests that were answered with a failure.
    pub refused: AtomicU64,
}

impl Tally {
    /// All of it, in the order above.
    pub fn read(&self) -> [u64; 5] {
        let Self {
            deaths,
            standstills,
            store_failures,
            unanswered,
            refused,
        } = self;
        [deaths, standstills, store_failures, unanswered, refused].map(|count| count.load(Ordering::Relaxed))
    }
}

fn count(what: &AtomicU64) {
    what.fetch_add(1, Ordering::Relaxed);
}

/// One life of a node, as its ports share it.
pub struct Machine {
    /// `n2.1`: the second life of node 2.
    pub name: String,
    pub time: Arc<VirtualTime>,
    pub trace: Arc<Trace>,
    dice: Dice,
    odds: Odds,
    troubled: Arc<AtomicBool>,
    tally: Arc<Tally>,
    skew: SignedDuration,
    stands_until: Mutex<Timestamp>,
    dead: AtomicBool,
    /// Told when the node has to die.
    pub death: Notify,
}

impl fmt::Debug for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Machine").field(&self.name).finish()
    }
}

impl Machine {
    /// A machine that is in trouble as long as `troubled` says so.
    pub fn new(
        name: String,
        seed: u64,
        odds: Odds,
        time: Arc<VirtualTime>,
        trace: Arc<Trace>,
        troubled: Arc<AtomicBool>,
        tally: Arc<Tally>,
    ) -> Arc<Self> {
        let dice = Dice::new(seed, &name);
        let off = |milliseconds| i64::try_from(milliseconds).unwrap_or(0);
        let skew = SignedDuration::from_millis(off(dice.below(2 * odds.skew + 1)) - off(odds.skew));
        Arc::new(Self {
            dice,
            skew,
            name,
            odds,
            stands_until: Mutex::new(Timestamp::MIN),
            time,
            trace,
            troubled,
            tally,
            dead: AtomicBool::new(false),
            death: Notify::new(),
        })
    }

    fn happens(&self, odds: u64) -> bool {
        self.troubled.load(Ordering::Relaxed) && self.dice.chance(odds)
    }

    /// Waits for as long as the node stands still.
    pub async fn stand(&self) {
        loop {
            let until = *self.stands_until.lock().unwrap_or_else(PoisonError::into_inner);
            if self.time.now() >= until {
                return;
            }
            self.time.until(until).await;
        }
    }

    /// Makes the node stand still.
    fn halt(&self, length: Duration) {
        count(&self.tally.standstills);
        self.trace
            .note(format_args!("{} stands still for {} ms", self.name, length.as_millis()));
        *self.stands_until.lock().unwrap_or_else(PoisonError::into_inner) = self.time.after(length);
    }

    /// An await at which a node may die or stand still.
    async fn risk(&self) {
        if self.happens(self.odds.death) {
            self.die();
        }
        if self.dead.load(Ordering::Relaxed) {
            // Whoever gets here is about to be dropped.
            std::future::pending::<()>().await;
        }
        if self.happens(self.odds.standstill) {
            // Mostly around the length of a lease, now and then beyond every patience.
            let longest = if self.dice.chance(1_000) { 120_000 } else { 20_000 };
            self.halt(self.dice.pause(1_000, longest));
        }
        self.stand().await;
    }

    /// Kills the node: nothing of it goes on.
    fn die(&self) {
        if !self.dead.swap(true, Ordering::Relaxed) {
            count(&self.tally.deaths);
            self.trace.note(format_args!("{} dies", self.name));
            self.death.notify_one();
        }
    }

    fn unavailable(&self) -> StoreError {
        count(&self.tally.store_failures);
        StoreError::Unavailable {
            database: "simulated".to_owned(),
            detail: "ordered by the simulation".to_owned(),
        }
    }
}

/// The clock of a node.
#[derive(Clone, Debug)]
pub struct NodeTime(pub Arc<Machine>);

impl guichet_domain::ports::Clock for NodeTime {
    fn now(&self) -> Timestamp {
        self.0.time.now() + self.0.skew
    }
}

#[async_trait]
impl guichet_graph::Time for NodeTime {
    fn now(&self) -> Timestamp {
        guichet_domain::ports::Clock::now(self)
    }

    async fn sleep(&self, duration: Duration) {
        self.0.time.sleep(duration).await;
        self.0.stand().await;
    }
}

/// The network of a node.
#[derive(Debug)]
pub struct NodeNetwork {
    pub machine: Arc<Machine>,
    pub tenant: Arc<Tenant>,
    /// Items of a page at most: a server may give fewer than it is asked for.
    pub page: u64,
}

impl NodeNetwork {
    fn with_small_pages(&self, mut request: HttpRequest) -> HttpRequest {
        let asked = request.headers.get("prefer").and_then(|value| value.to_str().ok());
        if let Some((others, _)) = asked.and_then(|asked| asked.split_once("odata.maxpagesize="))
            && let Ok(smaller) = format!("{others}odata.maxpagesize={}", self.page).parse()
        {
            request.headers.insert("prefer", smaller);
        }
        request
    }
}

#[async_trait]
impl Transport for NodeNetwork {
    async fn send(&self, request: HttpRequest, limit: BodyLimit) -> Result<HttpResponse, TransportError> {
        let request = self.with_small_pages(request);
        let machine = &self.machine;
        let failed = |kind| TransportError::new(kind, &request.url, "ordered by the simulation");
        machine.risk().await;
        machine.time.sleep(machine.dice.pause(2, 80)).await;
        if machine.happens(machine.odds.unreachable) {
            machine.note_request(&request, "unreachable");
            count(&machine.tally.unanswered);
            return Err(failed(TransportErrorKind::Connect));
        }
        let answer = self.tenant.request(&request).await;
        let said = answer.as_ref().map_or("cut", |answer| answer.status.as_str());
        machine.note_request(&request, said);
        match &answer {
            None => count(&machine.tally.unanswered),
            Some(answer) if answer.status.as_u16() >= 429 => count(&machine.tally.refused),
            Some(_) => {}
        }
        machine.time.sleep(machine.dice.pause(2, 80)).await;
        machine.risk().await;
        match answer {
            Some(_) if machine.happens(machine.odds.broken_answer) => {
                count(&machine.tally.unanswered);
                Err(failed(TransportErrorKind::Closed))
            }
            Some(answer) if answer.body.len() as u64 > limit.get() => Err(failed(TransportErrorKind::BodyTooLarge)),
            Some(answer) => Ok(answer),
            None => Err(failed(TransportErrorKind::Closed)),
        }
    }
}

impl Machine {
    fn note_request(&self, request: &HttpRequest, said: &str) {
        let Self { name, trace, .. } = self;
        let HttpRequest { method, url, .. } = request;
        let query = url.query().unwrap_or_default();
        trace.note(format_args!("{name} {method} {}?{query} {said}", url.path()));
    }
}

/// The way of a node to the database.
#[derive(Debug)]
pub struct NodeDatabase(pub Arc<Machine>);

impl Interference for NodeDatabase {
    fn before(&self, access: Access) -> BoxFuture<'_, guichet_store::Result<()>> {
        let machine = &self.0;
        async move {
            machine.risk().await;
            machine.time.sleep(machine.dice.pause(0, 4)).await;
            if machine.happens(machine.odds.store_refusal) {
                machine
                    .trace
                    .note(format_args!("{} {access:?} is refused", machine.name));
                return Err(machine.unavailable());
            }
            Ok(())
        }
        .boxed()
    }

    fn after(&self, access: Access) -> BoxFuture<'_, guichet_store::Result<()>> {
        let machine = &self.0;
        async move {
            machine.trace.note(format_args!("{} {access:?}", machine.name));
            machine.time.sleep(machine.dice.pause(0, 4)).await;
            machine.risk().await;
            if machine.happens(machine.odds.store_silence) {
                machine
                    .trace
                    .note(format_args!("{} the answer to a {access:?} is lost", machine.name));
                return Err(machine.unavailable());
            }
            Ok(())
        }
        .boxed()
    }
}
