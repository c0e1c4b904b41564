//! The integration's life while the service runs: what the operator intends, what is recorded, and
//! what is.
//!
//! Owns the running engine. A changed credential, mailbox or folder, and a switched integration, are
//! noticed in the store and applied without a restart of the process; a consent that came back is
//! noticed because a failing engine gets a new token; a credential near its end is renewed. Never gives
//! a working engine up for a credential that has not given a token. Invariant: at most one engine runs,
//! and it is the one that the recorded basis describes, or the last one that worked.

use std::{sync::Arc, time::Duration};

use guichet_domain::{CredentialId, FolderId, GraphFolderId, MailboxId, finding::Severity, ports::Clock};
use guichet_engine::{Engine, EngineStatus, Handle, Nodes, Parts, StartError};
use guichet_graph::{Class, GraphClient, Traffic};
use guichet_setup::{
    Language, Vault, catalogue,
    doctor::{self, Code, DoctorContext, Problem},
};
use guichet_store::{
    Store,
    records::{self, Integration, Report},
};
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use super::{engine_config, owner, renewal::Renewal};
use crate::{
    config::Config,
    failure::{Exit, Failure},
    system::{SystemClock, SystemEntropy, SystemTime},
    wiring,
};

/// Pause between two looks at what is recorded; a look is four small queries.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Requests are counted here and written down so often.
const RECORD_EVERY: SignedDuration = SignedDuration::from_secs(60);
/// Pause before something that failed is tried again, if nothing changed meanwhile.
const RETRY_AFTER: SignedDuration = SignedDuration::from_secs(30);
/// How long a diagnosis may take.
const MAX_DIAGNOSIS: Duration = Duration::from_secs(60);

const ACTIVE: &str = "active";

/// What an engine was started from. Another basis needs another engine.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Basis {
    app_id: Option<String>,
    token_endpoint: Option<String>,
    credential: Option<CredentialId>,
    mailboxes: Vec<(MailboxId, String)>,
    folders: Vec<(FolderId, GraphFolderId)>,
}

impl Basis {
    async fn read(store: &Store, integration: &Integration) -> guichet_store::Result<Self> {
        let credential = store.credentials(integration.id).await?.into_iter().next();
        let mut mailboxes = store.mailboxes().await?;
        mailboxes.retain(|mailbox| mailbox.enabled);
        let mut folders = store.folders().await?;
        folders.retain(|folder| mailboxes.iter().any(|mailbox| mailbox.id == folder.mailbox));
        Ok(Self {
            app_id: integration.app_id.clone(),
            token_endpoint: integration.token_endpoint.clone(),
            credential: credential.map(|credential| credential.id),
            mailboxes: mailboxes.into_iter().map(|m| (m.id, m.graph_user_id)).collect(),
            folders: folders.into_iter().map(|f| (f.id, f.graph_folder_id)).collect(),
        })
    }
}

struct Running {
    engine: Engine,
    graph: GraphClient,
    basis: Basis,
}

/// The life of the integration.
pub(super) struct Life {
    config: Config,
    store: Store,
    vault: Arc<Vault>,
    handle: Handle,
    doctor: DoctorContext,
    /// This process among the owners of leases.
    owner: String,
    running: Option<Running>,
    /// The basis that could not be activated, and when it is tried again.
    failed: Option<(Basis, Timestamp)>,
    /// When a failing engine is looked into again.
    next_diagnosis: Timestamp,
    next_renewal: Renewal,
    /// What the engine sends, and when that is recorded again.
    traffic: Arc<Traffic>,
    next_record: Timestamp,
    reported: Option<Report>,
}

/// Why an engine could not be started.
enum Refused {
    /// The sign-in service gave no token.
    Token(Box<guichet_graph::Error>),
    /// Something here is in the way.
    Here(Failure),
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Self::Here(failure)
    }
}

impl Life {
    pub fn new(config: Config, store: Store, vault: Arc<Vault>, handle: Handle, doctor: DoctorContext) -> Self {
        Self {
            owner: owner(config.nodes()),
            config,
            store,
            vault,
            handle,
            doctor,
            running: None,
            failed: None,
            next_diagnosis: Timestamp::UNIX_EPOCH,
            next_renewal: Renewal::new(),
            traffic: Arc::default(),
            next_record: Timestamp::UNIX_EPOCH,
            reported: None,
        }
    }

    /// The first activation. What stands in its way ends the process with one clear error, so that
    /// whoever starts the service sees it; later troubles are reported and waited out.
    pub async fn begin(&mut self) -> Result<(), Failure> {
        let (integration, _) = wiring::integration(&self.config, &self.store).await?;
        if integration.intended_state != ACTIVE {
            return Ok(self.look().await?);
        }
        let basis = Basis::read(&self.store, &integration).await?;
        // A node that joins others at work changes nothing in what they report.
        if self.config.nodes() == Nodes::One || integration.reported_state != ACTIVE {
            self.report(&integration, Report::plain("activating")).await?;
        }
        match self.activate(&integration, basis).await {
            Ok(()) => Ok(()),
            Err(refused) => {
                let problem = self.explain(&integration, &refused).await;
                self.report_problem(&integration, &problem).await?;
                Err(self.failure(refused))
            }
        }
    }

    /// Looks every few seconds until it is told to stop, then ends the engine.
    pub async fn follow(mut self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            if let Err(error) = self.look().await {
                tracing::warn!(%error, "what is recorded of the integration can't be read or written");
            }
            if SystemClock.now() >= self.next_record {
                self.record_traffic().await;
            }
            // May wait for minutes and be dropped at any moment, so it does not delay the end.
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.renew() => {}
            }
        }
        if let Some(running) = self.running.take() {
            running.engine.shutdown().await;
        }
        self.record_traffic().await;
    }

    /// Writes down how many requests were sent since the last time. If that fails, a minute of them is not counted.
    async fn record_traffic(&mut self) {
        let now = SystemClock.now();
        self.next_record = now + RECORD_EVERY;
        let whole = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        let taken = self.traffic.take();
        let metrics = self.handle.metrics();
        for (user, count) in &taken {
            metrics.requests.inc_by(count.sent);
            metrics.requests_throttled.inc_by(count.throttled);
            metrics.requests_held.inc_by(count.held);
            if count.held > 0 {
                tracing::info!(mailbox = %user, held = count.held, "requests were held back to keep within the limits");
            }
        }
        let sent = taken.into_iter().filter(|(_, count)| count.sent > 0);
        let counts = sent.map(|(graph_user, count)| records::Traffic {
            graph_user,
            requests: whole(count.sent),
            throttled: whole(count.throttled),
        });
        let counts: Vec<records::Traffic> = counts.collect();
        if counts.is_empty() {
            return;
        }
        if let Err(error) = self.store.add_traffic(&counts, now).await {
            tracing::warn!(%error, "how many requests were sent can't be written down");
        }
    }

    async fn look(&mut self) -> guichet_store::Result<()> {
        let Some(integration) = self.store.integration().await? else {
            return Ok(());
        };
        if integration.intended_state != ACTIVE {
            return self.deactivate(&integration).await;
        }
        let basis = Basis::read(&self.store, &integration).await?;
        if self.running.as_ref().is_some_and(|running| running.basis == basis) {
            self.failed = None;
            return self.judge(&integration).await;
        }
        let now = SystemClock.now();
        let waits = matches!(&self.failed, Some((failed, until)) if *failed == basis && now < *until);
        if waits {
            return Ok(());
        }
        if self.running.is_none() {
            self.report(&integration, Report::plain("activating")).await?;
        }
        if let Err(refused) = self.activate(&integration, basis.clone()).await {
            let problem = self.explain(&integration, &refused).await;
            tracing::warn!(code = problem.code.as_str(), evidence = %problem.evidence, "not activated");
            self.failed = Some((basis, SystemClock.now() + RETRY_AFTER));
            self.report_problem(&integration, &problem).await?;
        }
        Ok(())
    }

    /// Proves the credential, then puts a new engine in the place of the old one.
    async fn activate(&mut self, integration: &Integration, basis: Basis) -> Result<(), Refused> {
        let graph = wiring::connected_graph(&self.config, &self.store, &self.vault, &self.traffic).await?;
        graph
            .check_token()
            .await
            .map_err(|error| Refused::Token(Box::new(error)))?;
        let config = engine_config(&self.config, &self.owner)?;
        if let Some(old) = self.running.take() {
            tracing::info!("credential, mailboxes or folders have changed; the engine starts anew");
            old.engine.shutdown().await;
        }
        let release = self.store.release_owner(&self.owner, SystemClock.now()).await;
        release.map_err(Failure::from)?;
        let parts = Parts {
            store: self.store.clone(),
            graph: graph.clone(),
            time: Arc::new(SystemTime),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            tokens: Arc::new(self.vault.token_key()),
            config,
        };
        let started = Engine::start(parts, self.handle.clone()).await;
        let engine = started.map_err(|error| match error {
            StartError::Store(error) => error.into(),
            StartError::NoMailbox => Failure::new(
                Exit::Configuration,
                "no mailbox is connected",
                "run `guichet connect apply` first",
            ),
        })?;
        self.running = Some(Running { engine, graph, basis });
        self.report(integration, Report::plain(ACTIVE))
            .await
            .map_err(Failure::from)?;
        Ok(())
    }

    /// Only what works is renewed; the next look takes the new credential up.
    async fn renew(&mut self) {
        if self.running.is_some() {
            let (config, store, vault) = (&self.config, &self.store, &self.vault);
            self.next_renewal.look(config, store, vault, &self.owner).await;
        }
    }

    async fn deactivate(&mut self, integration: &Integration) -> guichet_store::Result<()> {
        self.failed = None;
        if let Some(running) = self.running.take() {
            tracing::info!("the integration is switched off");
            self.report(integration, Report::plain("deactivating")).await?;
            running.engine.shutdown().await;
        }
        self.report(integration, Report::plain("inactive")).await
    }

    /// How the running engine is doing. One sick mailbox has its own health and is not the
    /// integration's; when no folder can be read, or no token can be had, the integration fails.
    async fn judge(&mut self, integration: &Integration) -> guichet_store::Result<()> {
        let Some(running) = &self.running else { return Ok(()) };
        match running.graph.check_token().await {
            Err(error) if !matches!(error.class, Class::Retry { .. }) => {
                let problem = self.token_problem(integration, &error);
                return self.report_problem(integration, &problem).await;
            }
            _ => {}
        }
        if !all_fail(&self.handle.status()) {
            return self.report(integration, Report::plain(ACTIVE)).await;
        }
        let now = SystemClock.now();
        if now < self.next_diagnosis {
            return Ok(());
        }
        let problem = self.diagnose().await;
        self.next_diagnosis = SystemClock.now() + RETRY_AFTER;
        match problem {
            Some(problem) => self.report_problem(integration, &problem).await,
            None => {
                // A new token passes: the old one was from before a consent, or from before an outage.
                tracing::info!("every check passes with a new token; the engine starts anew with one");
                let basis = Basis::read(&self.store, integration).await?;
                if let Err(refused) = self.activate(integration, basis).await {
                    let problem = self.explain(integration, &refused).await;
                    self.report_problem(integration, &problem).await?;
                }
                Ok(())
            }
        }
    }

    async fn explain(&self, integration: &Integration, refused: &Refused) -> Problem {
        match refused {
            Refused::Token(error) => self.token_problem(integration, error),
            Refused::Here(failure) => {
                let found = self.diagnose().await;
                found.unwrap_or_else(|| Problem {
                    code: Code::IntegrationError,
                    subject: integration.application_name.clone(),
                    evidence: failure.title.clone(),
                    params: Vec::new(),
                })
            }
        }
    }

    /// The first trouble that the doctor finds; what the service itself reported is no finding here.
    async fn diagnose(&self) -> Option<Problem> {
        let problems = tokio::time::timeout(MAX_DIAGNOSIS, doctor::problems(&self.doctor)).await;
        problems.unwrap_or_default().into_iter().find(|problem| {
            problem.code.severity() == Severity::Error
                && !matches!(problem.code, Code::IntegrationError | Code::OutboxDead)
        })
    }

    fn token_problem(&self, integration: &Integration, error: &guichet_graph::Error) -> Problem {
        let app_id = integration.app_id.as_deref().unwrap_or_default();
        doctor::token_problem(error, &self.config.desired(), app_id)
    }

    fn failure(&self, refused: Refused) -> Failure {
        let error = match refused {
            Refused::Here(failure) => return failure,
            Refused::Token(error) => error,
        };
        let authority = &self.config.microsoft.authority();
        match error.class {
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
        }
    }

    async fn report_problem(&mut self, integration: &Integration, problem: &Problem) -> guichet_store::Result<()> {
        let fixes = Language::ALL.map(|language| (language.code(), catalogue::finding(problem, language).fix));
        let fixes: std::collections::BTreeMap<_, _> = fixes.into_iter().collect();
        let report = Report {
            state: "error",
            code: problem.code.as_str().to_owned(),
            text: problem.evidence.clone(),
            fix: serde_json::to_string(&fixes).unwrap_or_default(),
        };
        self.report(integration, report).await
    }

    /// Writes only what differs from what is recorded. `connect` may have written meanwhile, so what
    /// was written last is no proof by itself.
    async fn report(&mut self, integration: &Integration, report: Report) -> guichet_store::Result<()> {
        let same = |last: &Report| last.state == report.state && last.code == report.code;
        let recorded = integration.reported_state == report.state && integration.reported_code == report.code;
        if recorded && self.reported.as_ref().is_some_and(same) {
            return Ok(());
        }
        self.store.report(integration.id, &report, SystemClock.now()).await?;
        self.reported = Some(report);
        Ok(())
    }
}

fn all_fail(status: &EngineStatus) -> bool {
    let mut folders = status.folders.iter().peekable();
    folders.peek().is_some() && folders.all(guichet_engine::FolderStatus::is_failing)
}
