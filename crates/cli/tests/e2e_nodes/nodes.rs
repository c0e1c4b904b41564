//! The nodes: `guichet serve` as often as wanted, each on a port of its own behind the balancer.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use guichet_cli::{
    demo::{
        processes::{Process, free_port},
        stage::Stage,
    },
    failure::Failure,
};
use tokio::{process::Command, sync::Mutex};

use crate::balancer::Balancer;

#[derive(Debug)]
pub struct Nodes {
    nodes: Vec<(u16, Mutex<Option<Process>>)>,
    balancer: Balancer,
    kills: AtomicUsize,
    stalls: AtomicUsize,
    crashes: AtomicUsize,
}

impl Nodes {
    pub async fn start(stage: &Stage, count: usize) -> Result<Self, Failure> {
        let public = stage.service_url.rsplit(':').next().and_then(|port| port.parse().ok());
        let balancer = Balancer::start(public.expect("the service's address has a port")).await;
        let mut nodes = Vec::new();
        for _ in 0..count {
            nodes.push((free_port()?, Mutex::new(None)));
        }
        let nodes = Self {
            nodes,
            balancer,
            kills: AtomicUsize::new(0),
            stalls: AtomicUsize::new(0),
            crashes: AtomicUsize::new(0),
        };
        for node in 0..count {
            nodes.restart(stage, node).await?;
        }
        Ok(nodes)
    }

    /// Starts a node that is down. It is tried again while the database is starting.
    pub async fn restart(&self, stage: &Stage, node: usize) -> Result<(), Failure> {
        let (port, process) = &self.nodes[node];
        let listen = format!("127.0.0.1:{port}");
        let mut tries = 0;
        let started = loop {
            match stage.launcher.start("serve", &["serve", "--listen", &listen]).await {
                Ok((started, _)) => break started,
                Err(failure) if tries == 10 => return Err(failure),
                Err(_) => tries += 1,
            }
        };
        *process.lock().await = Some(started);
        self.balancer.set_up(*port, true);
        Ok(())
    }

    /// SIGKILL. The balancer notices at once, as one with health checks would soon.
    pub async fn kill(&self, node: usize) -> Result<(), Failure> {
        let (port, process) = &self.nodes[node];
        let running = process.lock().await.take();
        if let Some(running) = running {
            running.kill().await?;
            self.kills.fetch_add(1, Ordering::Relaxed);
        }
        self.balancer.set_up(*port, false);
        Ok(())
    }

    /// SIGSTOP, and SIGCONT after a while: the node does not know that time has passed.
    pub async fn stall(&self, node: usize, time: Duration) {
        let (port, process) = &self.nodes[node];
        let held = process.lock().await;
        let Some(id) = held.as_ref().and_then(Process::id) else {
            return;
        };
        self.balancer.set_up(*port, false);
        signal("-STOP", id).await;
        self.stalls.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(time).await;
        signal("-CONT", id).await;
        self.balancer.set_up(*port, true);
    }

    pub fn database_crashed(&self) {
        self.crashes.fetch_add(1, Ordering::Relaxed);
    }

    /// What was done to them.
    pub fn told(&self) -> String {
        let count = |of: &AtomicUsize| of.load(Ordering::Relaxed);
        format!(
            "{} kills, {} stalls, {} crashes of the database",
            count(&self.kills),
            count(&self.stalls),
            count(&self.crashes)
        )
    }
}

async fn signal(name: &str, process: u32) {
    let status = Command::new("kill").args([name, &process.to_string()]).status().await;
    assert!(status.expect("kill").success());
}

/// The same numbers for the same seed (SplitMix64).
#[derive(Debug)]
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    pub fn index(&mut self, count: usize) -> usize {
        let bound = u64::try_from(count).expect("few");
        usize::try_from(self.below(bound)).expect("few")
    }
}
