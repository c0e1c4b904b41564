//! `connect plan` and `connect apply`: the administrator's procedure from its first step to its last.
//!
//! Owns the order of the steps. Never stores or logs the administrator's token. Invariant: every id
//! is recorded as soon as it is known, and every step looks before it acts, so that a run that was
//! killed anywhere is continued by the next.

use std::sync::Arc;

use guichet_domain::{IntegrationId, ports::Entropy};
use guichet_graph::{Endpoints, GraphClient, RetryPolicy, Time, TokenSource};
use guichet_net::Transport;
use guichet_store::{Store, records::Integration};
use jiff::Timestamp;
use serde::Serialize;

use crate::{
    Change, Desired, Error, Plan, Progress, Vault,
    plan::StepId,
    ports::GraphEntropy,
    progress::Steps,
    steps::{self, Run},
};

/// What connecting works with.
#[derive(Clone, Debug)]
pub struct Connect {
    /// Graph as the signed-in administrator; from [`crate::administrator`].
    pub administrator: GraphClient,
    /// The way out, for discovery and for the application's own requests.
    pub transport: Arc<dyn Transport>,
    /// Where ids, credential and mailboxes are recorded.
    pub store: Store,
    /// Seals the client secret.
    pub vault: Arc<Vault>,
    /// Clock and waits.
    pub time: Arc<dyn Time>,
    /// For ids.
    pub entropy: Arc<dyn Entropy>,
}

/// What `apply` achieved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Applied {
    /// Our id of the integration.
    pub integration: IntegrationId,
    /// Directory (tenant) id.
    pub tenant_id: String,
    /// Application (client) id.
    pub app_id: String,
    /// OAuth 2.0 token endpoint (v2).
    pub token_endpoint: String,
    /// The client secret's id.
    pub key_id: String,
    /// When the client secret expires.
    pub secret_expires_at: Timestamp,
    /// How many mailboxes are served.
    pub mailboxes: usize,
    /// The changes that were made, in order; empty when all was as wanted.
    pub changes: Vec<Change>,
}

impl Connect {
    /// Compares the tenant with what is wanted. Changes nothing.
    ///
    /// # Errors
    /// Every variant but those about waiting and secrets; nothing was changed.
    pub async fn plan(&self, desired: &Desired) -> Result<Plan, Error> {
        desired.validate()?;
        let name = &desired.application.name;
        let tenant = steps::tenant::resolve(self, desired).await?;
        let integration = steps::tenant::recorded(self, &tenant).await?;
        let integration = integration.as_ref();
        let mut changes = steps::tenant::changes(desired, &tenant, integration);

        let application = steps::application::observe(self, desired, integration).await?;
        let application = application.as_ref();
        changes.extend(steps::application::changes(desired, integration, application));

        let principal = steps::principal::observe(self, application).await?;
        changes.extend(steps::principal::changes(name, integration, principal.as_ref()));

        let consent = steps::consent::observe(self, principal.as_ref()).await?;
        changes.extend(steps::consent::changes(desired, &consent));
        let is_owner = steps::owner::observe(self, desired, application, principal.as_ref()).await?;
        changes.extend(steps::owner::changes(desired, is_owner));

        let scope = steps::scope::observe(self, desired, principal.as_ref()).await?;
        changes.extend(steps::scope::changes(desired, &scope));
        changes.extend(steps::consent::narrowing(desired, &consent));

        let secrets = steps::secret::observe(self, desired, integration, application).await?;
        changes.extend(steps::secret::changes(self, desired, &secrets));

        let mailboxes = steps::mailboxes::observe(self, desired, integration).await?;
        let (mailbox_changes, mut problems) = steps::mailboxes::changes(desired, &mailboxes);
        changes.extend(mailbox_changes);
        problems.extend(steps::consent::problems(desired, &consent));

        changes.extend(steps::activation::changes(name, integration));
        Ok(Plan { changes, problems })
    }

    /// Makes the tenant as wanted, step by step. May be dropped or killed at any moment and run
    /// again.
    ///
    /// # Errors
    /// Where a step can't be done: what was done stays and is recorded. [`Error::Diagnosed`] after
    /// the last step names mailboxes that can't be served; the others are.
    pub async fn apply(&self, desired: &Desired, progress: &dyn Progress) -> Result<Applied, Error> {
        desired.validate()?;
        let run = Run {
            connect: self,
            desired,
            progress,
        };
        let mut told = Steps::new(progress);

        told.started(StepId::Tenant);
        let (tenant, mut integration, changes) = steps::tenant::apply(run).await?;
        told.done(StepId::Tenant, changes);

        told.started(StepId::Application);
        let (application, changes) = steps::application::apply(run, &mut integration).await?;
        told.done(StepId::Application, changes);

        told.started(StepId::ServicePrincipal);
        let (principal, changes) = steps::principal::apply(run, &mut integration, &application).await?;
        told.done(StepId::ServicePrincipal, changes);

        told.started(StepId::Consent);
        let mut changes = steps::consent::apply(run, &principal).await?;
        changes.extend(steps::owner::apply(run, &application, &principal).await?);
        told.done(StepId::Consent, changes);

        if desired.is_scoped() {
            told.started(StepId::Scope);
            let mut changes = steps::scope::apply(run, &principal).await?;
            changes.extend(steps::consent::narrow(run, &principal).await?);
            told.done(StepId::Scope, changes);
        }

        told.started(StepId::Secret);
        let (credential, changes) = steps::secret::apply(run, &integration, &application).await?;
        told.done(StepId::Secret, changes);

        told.started(StepId::Token);
        let client = steps::token::prove(run, &integration, &credential).await?;
        told.done(StepId::Token, Vec::new());

        let settling = !told.made.is_empty() || steps::secret::is_young(self, &credential);
        let mailboxes = serve(run, &mut told, &integration, &client, settling).await?;
        Ok(Applied {
            integration: integration.id,
            tenant_id: tenant.id,
            app_id: application.app_id,
            token_endpoint: tenant.token_endpoint.to_string(),
            key_id: credential.key_id,
            secret_expires_at: credential.expires_at,
            mailboxes,
            changes: told.made,
        })
    }

    /// A Graph client of the application itself.
    pub(crate) fn client(&self, endpoints: Endpoints, source: Arc<dyn TokenSource>) -> GraphClient {
        GraphClient::new(
            self.transport.clone(),
            source,
            endpoints,
            RetryPolicy::default(),
            self.time.clone(),
            Arc::new(GraphEntropy(self.entropy.clone())),
        )
    }

    pub(crate) async fn record(&self, integration: &mut Integration) -> Result<(), Error> {
        integration.updated_at = self.time.now();
        self.store.upsert_integration(integration).await?;
        Ok(())
    }
}

/// The last two steps: the mailboxes are reached, and the integration is switched on if one of them is. How many are
/// served.
///
/// # Errors
/// [`Error::Diagnosed`] after both, naming the mailboxes that can't be served.
pub(crate) async fn serve(
    run: Run<'_>,
    told: &mut Steps<'_>,
    integration: &Integration,
    application: &GraphClient,
    settling: bool,
) -> Result<usize, Error> {
    told.started(StepId::Mailboxes);
    let (changes, problems) = steps::mailboxes::apply(run, integration, application, settling).await?;
    told.done(StepId::Mailboxes, changes);

    let wanted = run.desired.mailboxes.len();
    let served = wanted.saturating_sub(problems.len());
    if served > 0 || wanted == 0 {
        told.started(StepId::Activation);
        let changes = steps::activation::apply(run, integration).await?;
        told.done(StepId::Activation, changes);
    }
    if problems.is_empty() {
        Ok(served)
    } else {
        Err(Error::Diagnosed { problems })
    }
}
