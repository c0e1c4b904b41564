//! `guichet serve`: the engine and the HTTP server in one process.
//!
//! Checks the credential before it takes work: a wrong secret or an unreachable authority ends the
//! process with one clear error, and nothing is lost. Later outages are waited out, and later changes
//! of credential, mailboxes and intention are applied without a restart ([`life`]).

mod life;
mod renewal;

use std::{sync::Arc, time::Duration};

use guichet_api::{ApiParts, ListenConfig, TlsFiles};
use guichet_domain::ports::Entropy;
use guichet_engine::{EngineConfig, Handle, Nodes};
use guichet_store::ServiceLock;
use tokio_util::sync::CancellationToken;

use life::Life;

use crate::{
    args::ServeArgs,
    config::Config,
    failure::{Exit, Failure},
    system::{SystemClock, SystemEntropy},
    wiring,
};

/// Owner of the leases on an embedded database. One process at a time serves it, by its lock, so the
/// leases of its former life are its own.
const ONLY_OWNER: &str = "single-node";

pub(super) async fn run(config: Config, args: &ServeArgs, json: bool) -> Result<Exit, Failure> {
    let _lock = match config.nodes() {
        Nodes::One => Some(ServiceLock::acquire(&config.data_dir)?),
        Nodes::Many => None,
    };
    let store = wiring::open_store(&config).await?;
    let vault = Arc::new(wiring::open_vault(&config)?);
    wiring::integration(&config, &store).await?;

    let shutdown = CancellationToken::new();
    let handle = Handle::default();
    let listen = ListenConfig {
        listen: args.listen.unwrap_or(config.server.listen),
        tls: match (&config.server.tls_certificate, &config.server.tls_key) {
            (Some(certificate), Some(key)) => Some(TlsFiles {
                certificate: certificate.clone(),
                key: key.clone(),
            }),
            _ => None,
        },
    };
    let scheme = if listen.tls.is_some() { "https" } else { "http" };
    let parts = ApiParts {
        store: store.clone(),
        engine: handle.clone(),
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        routes: Arc::new(config.routes.clone()),
        addresses: Arc::new(config.addresses.regions.clone()),
        version: env!("CARGO_PKG_VERSION"),
        findings: Some(Arc::new(super::doctor::Checks::new(&config, &store)?)),
    };
    // The server answers before the engine starts: Graph validates the notification address while a
    // subscription is being created.
    let serving = guichet_api::serve(listen, parts, shutdown.clone())
        .await
        .map_err(|error| Failure::new(Exit::Local, error.to_string(), ""))?;
    let context = super::doctor::context(&config, &store)?;
    let mut life = Life::new(config, store.clone(), vault, handle, context);
    life.begin().await?;
    let stop_life = shutdown.child_token();
    let mut living = tokio::task::JoinSet::from_iter([life.follow(stop_life)]);

    let address = format!("{scheme}://{}", serving.local_address());
    if json {
        println!("{}", serde_json::json!({ "listening": address }));
    } else {
        println!("guichet serves at {address}");
        eprintln!("Make a key for the console and the API with `guichet key create NAME`. Stop with Ctrl-C.");
    }
    let broken = tokio::select! {
        () = super::asked_to_stop() => None,
        ended = living.join_next() => ended.and_then(Result::err),
    };
    tracing::info!("stopping");
    shutdown.cancel();
    while living.join_next().await.is_some() {}
    serving.stopped().await;
    store.close().await;
    match broken {
        None => Ok(Exit::Success),
        Some(error) => Err(Failure::new(
            Exit::Internal,
            format!("the service's own watch ended: {error}"),
            "start it again, nothing is lost; please report this with the log",
        )),
    }
}

/// The name of this process among the owners of leases.
fn owner(nodes: Nodes) -> String {
    if nodes == Nodes::One {
        return ONLY_OWNER.to_owned();
    }
    let mut random = [0; 8];
    SystemEntropy.fill(&mut random);
    let random = u64::from_be_bytes(random);
    format!("process-{}-{random:016x}", std::process::id())
}

fn engine_config(config: &Config, owner: &str) -> Result<EngineConfig, Failure> {
    let notification_url = wiring::notification_url(config)?;
    if notification_url.is_none() {
        tracing::info!("server.public_url is not set: mailboxes are polled, nothing is pushed");
    }
    Ok(EngineConfig {
        poll_interval: Duration::from_secs(config.sync.poll_seconds.into()),
        quiet_poll_interval: Duration::from_secs(config.sync.quiet_poll_seconds.into()),
        routes: config.routes.clone(),
        import: config.sync.import,
        mark_read: config.sync.mark_read,
        reference_line: config.sync.reference_line,
        notification_url,
        owner: owner.to_owned(),
        nodes: config.nodes(),
    })
}
