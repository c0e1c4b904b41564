//! Several nodes on one PostgreSQL database, killed, stalled and cut off from it again and again while mail comes
//! in and replies go out: nothing is lost, nothing is doubled.
//!
//! The everyday run is short; `cargo xtask chaos` makes it long by the variables in [`Scale`].

mod balancer;
mod checks;
#[path = "../exactly_once/mod.rs"]
mod exactly_once;
mod nodes;
#[path = "../../../../tests/servers/postgres.rs"]
mod server;

use std::{path::PathBuf, sync::Arc, time::Duration};

use guichet_cli::{
    demo::{mails::customer_mail, processes::Launcher, stage::Stage},
    failure::Failure,
};
use http::Method;
use serde_json::json;
use tokio::{task::JoinSet, time::Instant};

use nodes::{Dice, Nodes};
use server::Server;

/// How much is done.
#[derive(Clone, Copy, Debug)]
struct Scale {
    nodes: usize,
    mails: usize,
    replies: usize,
    seconds: u64,
    seed: u64,
}

impl Scale {
    fn from_environment() -> Self {
        let number = |name: &str, usual: u64| {
            let given = std::env::var(format!("GUICHET_CHAOS_{name}")).ok();
            given.map_or(usual, |text| {
                text.parse()
                    .unwrap_or_else(|_| panic!("GUICHET_CHAOS_{name}={text} is no number"))
            })
        };
        let count = |name: &str, usual| usize::try_from(number(name, usual)).expect("a small number");
        Self {
            nodes: count("NODES", 3),
            mails: count("MAILS", 200),
            replies: count("REPLIES", 20),
            seconds: number("SECONDS", 20),
            seed: number("SEED", 1),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_that_die_and_stall_lose_and_double_nothing() {
    let Some(server) = Server::join("nodes") else {
        eprintln!("skipped: PostgreSQL is not installed (Debian package postgresql)");
        return;
    };
    guichet_net::install_tls_provider();
    if let Err(failure) = story(&server, Scale::from_environment()).await {
        panic!("{}\n{}", failure.title, failure.fix);
    }
}

async fn story(server: &Server, scale: Scale) -> Result<(), Failure> {
    let name = format!("nodes_{}", std::process::id());
    let dir = tempfile::tempdir().expect("a temporary directory");
    let launcher = Launcher::new(PathBuf::from(env!("CARGO_BIN_EXE_guichet")), dir.path());
    let launcher = launcher.with("GUICHET_DATABASE", &server.create(&name));
    let stage = Arc::new(Stage::set(launcher, 2).await?);
    let nodes = Nodes::start(&stage, scale.nodes).await?;
    troubles(&stage).await?;

    let ends = now() + Duration::from_secs(scale.seconds);
    let mut tasks = JoinSet::new();
    tasks.spawn(inject_all(stage.clone(), scale, ends));
    tasks.spawn(exactly_once::reply_to_all(stage.api()?, scale.replies));
    let mut probes = disturb(&nodes, &stage, server, scale, ends).await?;
    while let Some(ended) = tasks.join_next().await {
        ended.expect("no task panics")?;
    }
    stage.control.send(Method::DELETE, "/faults", &[], Vec::new()).await?;

    let api = stage.api()?;
    checks::settled(&api, scale.mails + probes.len()).await?;
    exactly_once::check_ledger(&api, scale.mails + probes.len(), scale.replies).await?;
    exactly_once::check_outside(&stage, scale.replies).await?;
    probes.sort_unstable();
    println!(
        "{} mails and {} replies over {} nodes, none lost, none doubled; {}; after a node was killed, a mail to a \
         mailbox was in the ledger within {:.1?} (median) and {:.1?} (longest of {})",
        scale.mails,
        scale.replies,
        scale.nodes,
        nodes.told(),
        probes.get(probes.len() / 2).copied().unwrap_or_default(),
        probes.last().copied().unwrap_or_default(),
        probes.len(),
    );
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "real processes run in real time")]
fn now() -> Instant {
    Instant::now()
}

/// What Microsoft does meanwhile.
async fn troubles(stage: &Stage) -> Result<(), Failure> {
    for (probability, path, action) in [
        (0.03, "/messages", json!({ "kind": "status", "status": 503 })),
        (0.02, "/messages", json!({ "kind": "cut_after" })),
        (
            0.02,
            "/v1.0",
            json!({ "kind": "status", "status": 429, "retry_after": 1 }),
        ),
        (0.05, "/v1.0", json!({ "kind": "latency", "milliseconds": 150 })),
    ] {
        let rule = json!({ "path_contains": path, "probability": probability, "times": 0, "action": action });
        stage.control.post("/faults", &rule).await?;
    }
    Ok(())
}

async fn inject_all(stage: Arc<Stage>, scale: Scale, ends: Instant) -> Result<(), Failure> {
    let mailboxes = stage.mailboxes();
    let begun = now();
    let all = ends.duration_since(begun);
    for number in 0..scale.mails {
        // Spread over the whole time, in bursts of ten.
        let due = begun + all.mul_f64((number / 10 * 10) as f64 / scale.mails as f64);
        tokio::time::sleep_until(due).await;
        let mailbox = &mailboxes[number % mailboxes.len()];
        let mail = customer_mail(number, mailbox, &format!("Parcel {number}"));
        stage.inject(mailbox, mail).await?;
    }
    Ok(())
}

/// Kills nodes, stalls them for longer and shorter than a lease, and crashes the database.
async fn disturb(
    nodes: &Nodes,
    stage: &Stage,
    server: &Server,
    scale: Scale,
    ends: Instant,
) -> Result<Vec<Duration>, Failure> {
    let mut dice = Dice::new(scale.seed);
    let mut waits = Vec::new();
    let mut round = 0_usize;
    while now() < ends {
        tokio::time::sleep(Duration::from_millis(dice.below(900))).await;
        let node = dice.index(scale.nodes);
        round += 1;
        match round % 6 {
            0 => {
                server.crash_and_restart();
                nodes.database_crashed();
            }
            1 | 4 => nodes.stall(node, Duration::from_millis(500 + dice.below(10_500))).await,
            _ => {
                nodes.kill(node).await?;
                waits.push(probe(stage, scale.mails + waits.len()).await?);
                nodes.restart(stage, node).await?;
            }
        }
    }
    Ok(waits)
}

/// How long it takes the nodes that are left to take in a mail.
async fn probe(stage: &Stage, number: usize) -> Result<Duration, Failure> {
    let mailboxes = stage.mailboxes();
    let mailbox = &mailboxes[number % mailboxes.len()];
    let begun = now();
    stage.inject(mailbox, customer_mail(number, mailbox, "Probe")).await?;
    let api = stage.api()?;
    checks::arrived(&api, number).await?;
    Ok(begun.elapsed())
}
