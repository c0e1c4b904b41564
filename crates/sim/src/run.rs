//! One simulation, from its seed to its verdict.
//!
//! Owns the order of things: set-up, storm, calm, judgement. Everything runs on one thread of one runtime; nothing in
//! it waits for real time. Invariant: the same scenario gives the same trace, event by event.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use guichet_domain::{EmailAddress, FolderId, GraphFolderId, IntegrationId, MailboxId, token::TokenKey};
use guichet_store::{
    Store,
    records::{Integration, Mailbox},
    simulation::Weakness,
};
use jiff::{SignedDuration, Timestamp};
use tokio::task::JoinSet;

use crate::{
    dice::Dice,
    node::{Census, Cluster, FrontDoor},
    oracle::{self, Oracle},
    people::{Thread, World},
    ports::{Machine, NodeTime, Odds, Tally},
    tenant::{Asked, Broken, Tenant},
    time::VirtualTime,
    trace::Trace,
    weather,
};

/// When simulations begin: 2026-03-02T08:00:00Z.
const BEGIN: i64 = 1_772_438_400;
/// The nodes have at least this long after the last trouble, so that what comes late is seen.
const SHORTEST_CALM: SignedDuration = SignedDuration::from_mins(10);
/// And at most this long to finish everything. A reply whose fate is open is looked for for half an hour, and pauses
/// between attempts grow to five minutes.
const LONGEST_CALM: SignedDuration = SignedDuration::from_mins(60);
/// Between two looks of the oracle.
const LOOK: Duration = Duration::from_secs(15);
/// Tasks asked for in one go before the runtime looks elsewhere: all that are ready.
const NO_INTERVAL: u32 = u32::MAX;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Troubles {
    /// Nothing.
    None,
    /// Faults of the tenant, of the store, and of the nodes.
    Storm,
}

/// Something that is posted to the sandbox's control interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// When, in seconds from the beginning.
    pub at: u64,
    pub path: &'static str,
    /// JSON. A rule below `/faults` is for the nodes' requests only.
    pub body: &'static str,
}

/// What is simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scenario {
    pub seed: u64,
    /// How many nodes; drawn from the seed where nothing is said.
    pub nodes: Option<usize>,
    pub troubles: Troubles,
    /// A safeguard that is missing.
    pub weakness: Option<Weakness>,
    /// What is ordered of the sandbox's control interface besides what a storm orders.
    pub orders: &'static [Order],
    /// Lines of the trace that are kept for a failure.
    pub kept_lines: usize,
}

impl Scenario {
    /// A storm over some nodes.
    pub fn storm(seed: u64) -> Self {
        Self {
            seed,
            nodes: None,
            troubles: Troubles::Storm,
            weakness: None,
            orders: &[],
            kept_lines: 0,
        }
    }
}

/// A simulation that went well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Hash of the trace.
    pub hash: u64,
    /// Events of the trace.
    pub events: u64,
    pub nodes: usize,
    pub mails: usize,
    pub replies: usize,
    /// Virtual time that passed.
    pub lasted: SignedDuration,
    /// Deaths of nodes, standstills, failures of the store, requests without an answer, and refused ones.
    pub troubles: [u64; 5],
    /// The last lines of the trace.
    pub last: Vec<String>,
}

/// A simulation that went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub seed: u64,
    /// What is wrong, one sentence each.
    pub wrong: Vec<String>,
    /// The last lines of the trace.
    pub last: Vec<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.last {
            writeln!(f, "{line}")?;
        }
        writeln!(f, "seed {}:", self.seed)?;
        for line in &self.wrong {
            writeln!(f, "  {line}")?;
        }
        write!(f, "again, with the trace: cargo xtask sim --seed {}", self.seed)
    }
}

/// Runs a simulation.
///
/// # Errors
/// [`Failure`] with what is wrong and how to see it again.
pub fn run(scenario: &Scenario) -> Result<Report, Failure> {
    let time = VirtualTime::from(Timestamp::from_second(BEGIN).unwrap_or_default());
    let trace = Arc::new(Trace::new(time.clone(), scenario.kept_lines));
    let failed = |wrong| Failure {
        seed: scenario.seed,
        wrong,
        last: trace.last(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .event_interval(NO_INTERVAL)
        .build()
        .map_err(|error| failed(vec![error.to_string()]))?;
    let outcome = runtime.block_on(Box::pin(simulate(scenario, &time, &trace)));
    match outcome {
        Err(Broken(why)) => Err(failed(vec![format!("the simulation broke: {why}")])),
        Ok(verdict) if !verdict.wrong.is_empty() => Err(failed(verdict.wrong)),
        Ok(verdict) => {
            let (hash, events) = trace.hash();
            let (mails, replies) = oracle::counts(&verdict.threads);
            let began = Timestamp::from_second(BEGIN).unwrap_or_default();
            Ok(Report {
                hash,
                events,
                nodes: verdict.nodes,
                mails,
                replies,
                lasted: time.now().duration_since(began),
                troubles: verdict.troubles,
                last: trace.last(),
            })
        }
    }
}

struct Verdict {
    wrong: Vec<String>,
    threads: Vec<Arc<Thread>>,
    nodes: usize,
    troubles: [u64; 5],
}

async fn simulate(scenario: &Scenario, time: &Arc<VirtualTime>, trace: &Arc<Trace>) -> Asked<Verdict> {
    let Scenario {
        seed, weakness, orders, ..
    } = *scenario;
    let dice = Dice::new(seed, "plan");
    let nodes = scenario
        .nodes
        .unwrap_or_else(|| usize::try_from(dice.between(1, 5)).unwrap_or(1));
    let stormy = scenario.troubles == Troubles::Storm;
    let census = Arc::new(Census::default());
    let door = Arc::new(FrontDoor {
        census: census.clone(),
        dice: Arc::new(Dice::new(seed, "front door")),
        time: time.clone(),
        trace: trace.clone(),
    });
    let followed = usize::try_from(dice.between(1, 2)).unwrap_or(1);
    let tenant = Tenant::start(seed, time, followed, door).await?;
    let troubled = Arc::new(AtomicBool::new(false));
    let onlooker = Machine::new(
        "onlooker".to_owned(),
        seed,
        Odds::default(),
        time.clone(),
        trace.clone(),
        troubled.clone(),
        Arc::default(),
    );
    let observer = tenant.observer(Arc::new(NodeTime(onlooker)), seed)?;
    let store = Store::in_memory().await?;
    let mailboxes = connect(&store, &tenant, &observer, time.now()).await?;
    let storm_ends = time.after(dice.pause(120_000, 300_000));
    let world = Arc::new(World {
        seed,
        time: time.clone(),
        trace: trace.clone(),
        tenant: tenant.clone(),
        store: store.clone(),
        census: census.clone(),
        threads: threads(&dice, &mailboxes),
        until: storm_ends,
    });
    let tally = Arc::new(Tally::default());
    let odds = if stormy { weather::odds(&dice) } else { Odds::default() };
    let cluster = Arc::new(Cluster {
        seed,
        nodes,
        odds,
        weakness,
        time: time.clone(),
        trace: trace.clone(),
        tenant: tenant.clone(),
        store,
        census: census.clone(),
        troubled: troubled.clone(),
        tally: tally.clone(),
        poll: dice.pause(5_000, 60_000),
        page: if dice.chance(5_000) { dice.between(1, 5) } else { 50 },
        tokens: Arc::new(TokenKey::new(&[7; 32])),
    });
    trace.note(format_args!("{nodes} nodes, {followed} mailboxes, {odds:?}"));

    let mut tasks: JoinSet<Asked<()>> = JoinSet::new();
    for number in 0..nodes {
        let life = cluster.clone().live(number);
        tasks.spawn(async move { Err(life.await) });
    }
    let verdict = Arc::new(std::sync::Mutex::new(None));
    let judge = {
        let (world, tenant, verdict) = (world.clone(), tenant.clone(), verdict.clone());
        let trace = trace.clone();
        async move {
            let oracle = Oracle {
                world: &world,
                mailboxes: &mailboxes,
                observer: &observer,
            };
            troubled.store(stormy, Ordering::Relaxed);
            let mut people = JoinSet::new();
            for thread in &world.threads {
                people.spawn(world.clone().customer(thread.clone()));
                people.spawn(world.clone().agent(thread.clone()));
            }
            if stormy {
                for thread in &world.threads {
                    let mailbox = oracle.mailboxes.iter().find(|mailbox| mailbox.id == thread.mailbox);
                    let user = mailbox.map(|mailbox| mailbox.graph_user_id.clone()).unwrap_or_default();
                    people.spawn(world.clone().meddler(thread.clone(), observer.clone(), user));
                }
            }
            people.spawn(weather::carry_out(world.clone(), orders));
            if stormy {
                people.spawn(weather::storm(world.clone()));
            }
            let mut wrong = storm(&oracle, &mut people).await?;
            troubled.store(false, Ordering::Relaxed);
            weather::clear_up(&tenant).await?;
            trace.note(format_args!("the storm is over"));
            if wrong.is_empty() {
                wrong = calm(&oracle, &census).await?;
            }
            for line in oracle.ledger().await? {
                trace.note(format_args!("{line}"));
            }
            *verdict.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(wrong);
            Ok(())
        }
    };
    tasks.spawn(judge);
    let mut ended = None;
    let over = || {
        ended = tasks.try_join_next();
        ended.is_some()
    };
    if !time.drive(tenant.clock(), over).await {
        return Err(Broken("nobody waits for anything any more".to_owned()));
    }
    let wrong = match ended {
        Some(Err(error)) => vec![format!("a task ended badly: {error}")],
        Some(Ok(Err(broken))) => return Err(broken),
        Some(Ok(Ok(()))) | None => {
            let said = verdict.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
            said.ok_or_else(|| Broken("there is no verdict".to_owned()))?
        }
    };
    Ok(Verdict {
        wrong,
        threads: world.threads.clone(),
        nodes,
        troubles: tally.read(),
    })
}

/// Looks on until everybody has done what they do; gives what is wrong on the way.
async fn storm(oracle: &Oracle<'_>, people: &mut JoinSet<Asked<()>>) -> Asked<Vec<String>> {
    let time = &oracle.world.time;
    loop {
        tokio::select! {
            biased;
            ended = people.join_next() => match ended {
                Some(Ok(done)) => done?,
                Some(Err(error)) => return Ok(vec![format!("a task ended badly: {error}")]),
                None => return Ok(Vec::new()),
            },
            () = time.sleep(LOOK) => {
                let wrong = oracle.at_any_moment().await?;
                if !wrong.is_empty() {
                    return Ok(wrong);
                }
            }
        }
    }
}

/// Gives the nodes their time, then judges.
async fn calm(oracle: &Oracle<'_>, census: &Census) -> Asked<Vec<String>> {
    let time = &oracle.world.time;
    let began = time.now();
    loop {
        time.sleep(LOOK).await;
        let passed = time.now().duration_since(began);
        let mut wrong = oracle.at_any_moment().await?;
        let unfinished = oracle.unfinished().await?;
        if wrong.is_empty() && passed < LONGEST_CALM && (passed < SHORTEST_CALM || !unfinished.is_empty()) {
            continue;
        }
        wrong.extend(oracle.at_the_end().await?);
        wrong.extend(unfinished);
        let panics = census.panics();
        if panics > 0 {
            wrong.push(format!("{panics} tasks of nodes panicked"));
        }
        return Ok(wrong);
    }
}

/// Records the tenant as `connect apply` does.
async fn connect(
    store: &Store,
    tenant: &Tenant,
    observer: &guichet_graph::GraphClient,
    now: Timestamp,
) -> Asked<Vec<Mailbox>> {
    let integration = IntegrationId::from_uuid(uuid::Uuid::from_u128(1));
    store
        .upsert_integration(&Integration {
            id: integration,
            tenant_id: tenant.id().to_owned(),
            application_name: "nodes".to_owned(),
            app_id: Some(crate::tenant::NODES.to_owned()),
            application_object_id: None,
            application_created: false,
            service_principal_id: None,
            authority: "https://localhost".to_owned(),
            graph_url: "https://localhost".to_owned(),
            token_endpoint: None,
            intended_state: "active".to_owned(),
            reported_state: "active".to_owned(),
            reported_code: String::new(),
            reported_text: String::new(),
            reported_fix: String::new(),
            reported_since: Some(now),
            created_at: now,
            updated_at: now,
        })
        .await?;
    let mut connected = Vec::new();
    for (address, number) in tenant.mailboxes.iter().zip(1_u128..) {
        let user = observer.user(address).await?;
        let inbox = observer.folder(&user.id, "inbox").await?;
        let mailbox = Mailbox {
            id: MailboxId::from_uuid(uuid::Uuid::from_u128(0x10 + number)),
            integration,
            address: EmailAddress::parse(address)?,
            graph_user_id: user.id,
            display_name: user.display_name,
            enabled: true,
            created_at: now,
        };
        let mailbox = store.upsert_mailbox(&mailbox).await?;
        let folder = FolderId::from_uuid(uuid::Uuid::from_u128(0x20 + number));
        store
            .ensure_folder(folder, mailbox.id, &GraphFolderId::new(inbox.id), "inbox")
            .await?;
        connected.push(mailbox);
    }
    Ok(connected)
}

fn threads(dice: &Dice, mailboxes: &[Mailbox]) -> Vec<Arc<Thread>> {
    let most = if dice.chance(500) { 12 } else { 4 };
    let count = usize::try_from(dice.between(1, most)).unwrap_or(1);
    (0..count)
        .filter_map(|number| {
            let mailbox = dice.pick(mailboxes)?;
            Some(Arc::new(Thread {
                number,
                customer: format!("customer{number}@outside.example"),
                address: mailbox.address.to_string(),
                mailbox: mailbox.id,
                delivered: std::sync::Mutex::default(),
                accepted: std::sync::Mutex::default(),
                moved: std::sync::Mutex::default(),
            }))
        })
        .collect()
}
