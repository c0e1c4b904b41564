//! Nodes: the real engine with the real client, started, killed and started again.
//!
//! Owns every life of every node. A dead node's tasks are dropped where they wait; nothing of it is told or waited
//! for. Invariant: a node that is dead or leaves comes back, unless the simulation is over.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use futures::{FutureExt, future::BoxFuture};
use guichet_domain::{SubscriptionId, token::TokenKey};
use guichet_engine::{ChangeNotification, Engine, EngineConfig, Handle, Import, Nodes, Parts};
use guichet_graph::Metered;
use guichet_sandbox::{Posted, Receiver, Reply};
use guichet_store::{Store, simulation::Weakness};
use serde_json::Value;
use url::Url;

use crate::{
    dice::Dice,
    ports::{Machine, NodeDatabase, NodeNetwork, NodeTime, Odds, Tally},
    tenant::{Asked, Broken, Tenant},
    time::VirtualTime,
    trace::Trace,
};

/// Where the nodes are told of changes; each of them may be asked.
pub const NOTIFICATIONS: &str = "https://guichet.contoso.example/notifications/graph";

/// A node that can be spoken to.
#[derive(Clone, Debug)]
pub struct Living {
    pub machine: Arc<Machine>,
    pub handle: Handle,
    pub store: Store,
}

/// The nodes that live at the moment, by their number.
#[derive(Debug, Default)]
pub struct Census {
    living: Mutex<Vec<Option<Living>>>,
    panics: AtomicU64,
}

impl Census {
    fn with<T>(&self, work: impl FnOnce(&mut Vec<Option<Living>>) -> T) -> T {
        work(&mut self.living.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// One of the living, by chance.
    pub fn any(&self, dice: &Dice) -> Option<Living> {
        let living: Vec<Living> = self.with(|all| all.iter().flatten().cloned().collect());
        dice.pick(&living).cloned()
    }

    fn put(&self, number: usize, living: Option<Living>) {
        self.with(|all| {
            if all.len() <= number {
                all.resize_with(number + 1, || None);
            }
            let before = std::mem::replace(&mut all[number], living);
            if let Some(before) = before {
                let panics = before.handle.status().panics;
                self.panics.fetch_add(panics, Ordering::Relaxed);
            }
        });
    }

    /// Tasks of nodes that panicked so far.
    pub fn panics(&self) -> u64 {
        let of_living: u64 = self.with(|all| all.iter().flatten().map(|one| one.handle.status().panics).sum());
        self.panics.load(Ordering::Relaxed) + of_living
    }
}

/// What all nodes have in common.
#[derive(Debug)]
pub struct Cluster {
    pub seed: u64,
    pub nodes: usize,
    pub odds: Odds,
    pub weakness: Option<Weakness>,
    pub time: Arc<VirtualTime>,
    pub trace: Arc<Trace>,
    pub tenant: Arc<Tenant>,
    /// The database, without interference.
    pub store: Store,
    pub census: Arc<Census>,
    /// Whether anything may go wrong with nodes.
    pub troubled: Arc<AtomicBool>,
    pub tally: Arc<Tally>,
    pub poll: Duration,
    /// Items of a page at most.
    pub page: u64,
    pub tokens: Arc<TokenKey>,
}

impl Cluster {
    /// Lives one life after the other, until dropped.
    pub async fn live(self: Arc<Self>, number: usize) -> Broken {
        let dice = Dice::new(self.seed, &format!("node {number}"));
        for life in 1_u32.. {
            let machine = Machine::new(
                format!("n{number}.{life}"),
                self.seed,
                self.odds,
                self.time.clone(),
                self.trace.clone(),
                self.troubled.clone(),
                self.tally.clone(),
            );
            let lived = tokio::select! {
                biased;
                () = machine.death.notified() => Ok(()),
                lived = self.one_life(number, &machine, &dice) => lived,
            };
            self.census.put(number, None);
            if let Err(broken) = lived {
                return broken;
            }
            self.time.sleep(dice.pause(100, 15_000)).await;
        }
        Broken("a node ran out of lives".to_owned())
    }

    async fn one_life(&self, number: usize, machine: &Arc<Machine>, dice: &Dice) -> Asked<()> {
        let interference = Arc::new(NodeDatabase(machine.clone()));
        let store = self.store.seen_by_node(interference, self.weakness);
        let many = self.nodes > 1;
        let owner = if many {
            machine.name.clone()
        } else {
            "the only one".to_owned()
        };
        if !many && store.release_owner(&owner, self.time.now()).await.is_err() {
            return Ok(());
        }
        let handle = Handle::default();
        let engine = match self.start(machine, &store, handle.clone(), owner).await? {
            Some(engine) => engine,
            None => return Ok(()),
        };
        machine.trace.note(format_args!("{} lives", machine.name));
        self.census.put(
            number,
            Some(Living {
                machine: machine.clone(),
                handle,
                store,
            }),
        );
        // Now and then a node leaves in an orderly way, as for an update.
        let stay = dice.pause(60_000, 600_000);
        self.time.sleep(stay).await;
        while !self.troubled.load(Ordering::Relaxed) {
            self.time.sleep(Duration::from_secs(3600)).await;
        }
        machine.trace.note(format_args!("{} leaves", machine.name));
        engine.shutdown().await;
        Ok(())
    }

    async fn start(
        &self,
        machine: &Arc<Machine>,
        store: &Store,
        handle: Handle,
        owner: String,
    ) -> Asked<Option<Engine>> {
        let entropy = Arc::new(Dice::new(self.seed, &format!("{} draws", machine.name)));
        let time = Arc::new(NodeTime(machine.clone()));
        let network = Arc::new(NodeNetwork {
            machine: machine.clone(),
            tenant: self.tenant.clone(),
            page: self.page,
        });
        let parts = Parts {
            store: store.clone(),
            graph: self.tenant.client_of_node(
                Arc::new(Metered::new(network, Arc::default(), time.clone())),
                time.clone(),
                entropy.clone(),
            )?,
            time: time.clone(),
            clock: time,
            entropy,
            tokens: self.tokens.clone(),
            config: EngineConfig {
                poll_interval: self.poll,
                quiet_poll_interval: self.poll * 3,
                routes: Vec::new(),
                import: Import::New,
                mark_read: true,
                reference_line: true,
                notification_url: Some(Url::parse(NOTIFICATIONS)?),
                owner,
                nodes: if self.nodes > 1 { Nodes::Many } else { Nodes::One },
            },
        };
        match Engine::start_in_place(parts, handle).await {
            Ok(engine) => Ok(Some(engine)),
            Err(guichet_engine::StartError::Store(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// The front door: notifications reach one of the nodes, as through a load balancer.
#[derive(Debug)]
pub struct FrontDoor {
    pub census: Arc<Census>,
    pub dice: Arc<Dice>,
    pub time: Arc<VirtualTime>,
    pub trace: Arc<Trace>,
}

impl Receiver for FrontDoor {
    fn receive(&self, posted: Posted) -> BoxFuture<'static, Option<Reply>> {
        let chosen = self.census.any(&self.dice);
        let (time, trace, way) = (self.time.clone(), self.trace.clone(), self.dice.pause(1, 60));
        async move {
            time.sleep(way).await;
            let living = chosen?;
            living.machine.stand().await;
            let url = Url::parse(&posted.url).ok()?;
            let token = url.query_pairs().find(|(name, _)| name == "validationToken");
            if let Some((_, token)) = token {
                return Some(Reply {
                    status: 200,
                    content_type: "text/plain".to_owned(),
                    body: token.into_owned().into_bytes(),
                });
            }
            let body: Value = serde_json::from_slice(&posted.body).ok()?;
            let notifications: Vec<ChangeNotification> = body["value"].as_array()?.iter().map(notification).collect();
            let genuine = living.handle.notify(&notifications);
            trace.note(format_args!(
                "{} is told {} times, {genuine} genuine",
                living.machine.name,
                notifications.len()
            ));
            Some(Reply {
                status: 202,
                ..Reply::default()
            })
        }
        .boxed()
    }
}

fn notification(item: &Value) -> ChangeNotification {
    let text = |name: &str| item[name].as_str().unwrap_or_default().to_owned();
    ChangeNotification {
        subscription: SubscriptionId::new(text("subscriptionId")),
        client_state: text("clientState"),
        lifecycle_event: item["lifecycleEvent"].as_str().map(str::to_owned),
    }
}
