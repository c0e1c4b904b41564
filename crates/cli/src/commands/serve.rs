//! `guichet serve`: the engine and the HTTP server in one process.
//!
//! Checks the credential before it takes work: a wrong secret or an unreachable authority ends the
//! process with one clear error, and nothing is lost. Later outages are waited out.

use std::{sync::Arc, time::Duration};

use guichet_api::{ApiParts, ListenConfig, TlsFiles};
use guichet_domain::ports::Clock;
use guichet_engine::{Engine, EngineConfig, Handle, Parts, StartError};
use guichet_graph::Class;
use guichet_store::{ServiceLock, Store};
use tokio_util::sync::CancellationToken;

use crate::{
    args::ServeArgs,
    config::Config,
    failure::{Exit, Failure},
    system::{SystemClock, SystemEntropy, SystemTime},
    wiring,
};

/// Owner of the leases. One process at a time serves an embedded database, by its lock, so the
/// leases of its former life are its own.
const OWNER: &str = "single-node";

pub(super) async fn run(config: Config, args: &ServeArgs, json: bool) -> Result<Exit, Failure> {
    let _lock = ServiceLock::acquire(&config.data_dir)?;
    let store = wiring::open_store(&config).await?;
    let vault = wiring::open_vault(&config)?;
    let graph = wiring::connected_graph(&config, &store, &vault).await?;
    report_state(&store, "activating", "").await?;
    if let Err(failure) = check_credential(&config, &graph).await {
        report_state(&store, "error", &failure.title).await?;
        return Err(failure);
    }

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
        version: env!("CARGO_PKG_VERSION"),
        findings: Some(Arc::new(super::doctor::Checks::new(&config, &store)?)),
    };
    // The server answers before the engine starts: Graph validates the notification address while a
    // subscription is being created.
    let serving = guichet_api::serve(listen, parts, shutdown.clone())
        .await
        .map_err(|error| Failure::new(Exit::Local, error.to_string(), ""))?;
    store.release_owner(OWNER, SystemClock.now()).await?;
    let engine = Engine::start(
        Parts {
            store: store.clone(),
            graph,
            time: Arc::new(SystemTime),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            tokens: Arc::new(wiring::token_key(&vault)),
            config: engine_config(&config)?,
        },
        handle,
    )
    .await
    .map_err(|error| match error {
        StartError::Store(error) => error.into(),
        StartError::NoMailbox => Failure::new(
            Exit::Configuration,
            "no mailbox is connected",
            "run `guichet connect apply` first",
        ),
    })?;

    report_state(&store, "active", "").await?;
    let address = format!("{scheme}://{}", serving.local_address());
    if json {
        println!("{}", serde_json::json!({ "listening": address }));
    } else {
        println!("guichet serves at {address}");
        eprintln!("Make a key for the console and the API with `guichet key create NAME`. Stop with Ctrl-C.");
    }
    super::asked_to_stop().await;
    tracing::info!("stopping");
    shutdown.cancel();
    engine.shutdown().await;
    serving.stopped().await;
    store.close().await;
    Ok(Exit::Success)
}

/// Records how the integration is doing; what the operator intends stays as it is.
async fn report_state(store: &Store, reported: &str, text: &str) -> Result<(), Failure> {
    if let Some(integration) = store.integration().await? {
        let intended = &integration.intended_state;
        store
            .set_integration_state(integration.id, intended, reported, text, SystemClock.now())
            .await?;
    }
    Ok(())
}

fn engine_config(config: &Config) -> Result<EngineConfig, Failure> {
    let notification_url = wiring::notification_url(config)?;
    if notification_url.is_none() {
        tracing::info!("server.public_url is not set: mailboxes are polled, nothing is pushed");
    }
    Ok(EngineConfig {
        poll_interval: Duration::from_secs(config.sync.poll_seconds.into()),
        routes: config.routes.clone(),
        import: config.sync.import,
        mark_read: config.sync.mark_read,
        reference_line: config.sync.reference_line,
        notification_url,
        owner: OWNER.to_owned(),
    })
}

async fn check_credential(config: &Config, graph: &guichet_graph::GraphClient) -> Result<(), Failure> {
    let Err(error) = graph.check_token().await else {
        return Ok(());
    };
    let authority = &config.microsoft.authority;
    Err(match error.class {
        Class::Retry { .. } => Failure::new(
            Exit::Unreachable,
            format!("the sign-in service {authority} can't be reached: {error}"),
            "check `authority`, `proxy` and `ca_files` in [microsoft] and the network; mail waits in the mailboxes",
        ),
        _ => Failure::new(
            Exit::Refused,
            format!("the sign-in service {authority} refuses the client credential: {error}"),
            "run `guichet doctor` for the cause; `guichet connect apply` makes a new secret",
        ),
    })
}
