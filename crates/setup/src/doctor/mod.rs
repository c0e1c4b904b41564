//! Diagnosis: one file per check, each giving findings with evidence.
//!
//! Owns the order of the checks and what they know from each other. Never changes anything, in the
//! tenant or here. Invariant: a check that can't look because of an earlier problem stays silent,
//! so that one cause gives one finding.

mod authority;
mod code;
mod consent;
mod diagnose;
mod endpoint;
mod exchange;
mod expiry;
mod folders;
mod history;
mod licences;
mod mailboxes;
mod problem;
mod recorded;
mod round_trip;
mod rules;
mod scope;
mod subscriptions;
mod token;
mod traffic;
mod work;

use std::{path::PathBuf, sync::Arc};

use guichet_domain::{AddressRange, EmailAddress, finding::Finding, ports::Entropy};
use guichet_graph::{Endpoints, RetryPolicy, Time};
use guichet_net::Transport;
use guichet_store::{
    Store,
    records::{FindingRow, Integration},
};
use serde::Deserialize;
use url::Url;

pub use code::Code;
pub use problem::Problem;

pub(crate) use authority::other_cloud;
pub(crate) use diagnose::{SignInNames, aadsts, evidence, mailbox, sign_in};

use crate::{Desired, Error, Language, Vault, catalogue, steps::token::endpoints};

/// What the checks look at.
#[derive(Debug)]
pub struct DoctorContext {
    /// What is recorded.
    pub store: Store,
    /// The vault, or why it did not open.
    pub vault: Result<Arc<Vault>, Error>,
    /// The way out.
    pub transport: Arc<dyn Transport>,
    /// Clock.
    pub time: Arc<dyn Time>,
    /// For request ids.
    pub entropy: Arc<dyn Entropy>,
    /// What is configured; `None` where there is no configuration, then only what is recorded is
    /// checked.
    pub desired: Option<Desired>,
    /// Public address of the notification endpoint; `None` for polling only.
    pub notification_url: Option<Url>,
    /// What the operator says of the checks themselves.
    pub options: Options,
    /// Addresses that are to be on the connection filter's allow list.
    pub ranges: Vec<AddressRange>,
}

/// What the operator says of the checks themselves.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// A mailbox of the tenant that is not listed, to try whether it is denied.
    pub outside_mailbox: Option<EmailAddress>,
    /// Whether the notification endpoint is asked from this machine. Off where the network lets Microsoft in
    /// and does not let this machine out and in again.
    pub probe_endpoint: bool,
    /// Whether each mailbox sends a mail to itself, to see whether it arrives.
    #[serde(skip)]
    pub round_trip: bool,
    /// What the exported PowerShell script saw in Exchange, a JSON file.
    pub exchange_report: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            outside_mailbox: None,
            probe_endpoint: true,
            round_trip: false,
            exchange_report: None,
        }
    }
}

/// Which tenant is asked, and where.
struct Place {
    /// Id or domain name.
    tenant: String,
    endpoints: Endpoints,
}

impl Place {
    /// As configured, so that a mistake in the configuration is found before it is applied; else as
    /// recorded.
    fn of(integration: &Integration, desired: Option<&Desired>) -> Option<Self> {
        Some(match desired {
            Some(desired) => Self {
                tenant: desired.tenant.clone(),
                endpoints: endpoints(desired),
            },
            None => Self {
                tenant: integration.tenant_id.clone(),
                endpoints: Endpoints {
                    authority: integration.authority.parse().ok()?,
                    graph: integration.graph_url.parse().ok()?,
                },
            },
        })
    }
}

/// What a refused or failed token request of the application means.
pub fn token_problem(error: &guichet_graph::Error, desired: &Desired, app_id: &str) -> Problem {
    let names = SignInNames {
        authority: &desired.authority,
        graph: &desired.graph,
        tenant: &desired.tenant,
        app_id,
    };
    sign_in(error, names)
}

/// Runs every check, records what was seen, and words the findings, the passed ones too.
pub async fn run(context: &DoctorContext, language: Language) -> Vec<Finding> {
    let problems = problems(context).await;
    let lasting: Vec<Problem> = problems
        .iter()
        .filter(|problem| !problem.code.is_of_moment())
        .cloned()
        .collect();
    let open = history::record(context, &lasting).await;
    let words = |problem: &Problem| {
        let mut finding = catalogue::finding(problem, language);
        let same = |row: &&FindingRow| row.code == finding.code && row.subject == finding.subject;
        finding.first_seen = open.iter().find(same).map(|row| row.first_seen);
        finding
    };
    problems.iter().map(words).collect()
}

/// Runs every check.
pub async fn problems(context: &DoctorContext) -> Vec<Problem> {
    match checks(context).await {
        Ok(problems) => problems,
        Err((mut problems, error)) => {
            problems.push(Problem::new(Code::StoreUnusable, "", error.to_string()));
            problems
        }
    }
}

type Broken = (Vec<Problem>, guichet_store::Error);

async fn checks(context: &DoctorContext) -> Result<Vec<Problem>, Broken> {
    let mut problems = Vec::new();
    macro_rules! stored {
        ($call:expr) => {
            match $call.await {
                Ok(value) => value,
                Err(error) => return Err((problems, error)),
            }
        };
    }
    let recorded = stored!(recorded::check(context, &mut problems));
    let Some(integration) = recorded.integration else {
        return Ok(problems);
    };
    if let Some(credential) = &recorded.credential {
        problems.extend(expiry::check(credential, context.time.now()));
    }
    let expired = problems.iter().any(|problem| problem.code == Code::SecretExpired);
    let place = Place::of(&integration, context.desired.as_ref());
    let reachable = match &place {
        Some(place) => authority::check(context, place, &integration, &mut problems).await,
        None => false,
    };
    if let (true, false, Some(place), Some(opened)) = (reachable, expired, &place, recorded.opened)
        && let Some(signed_in) = token::check(context, place, &integration, opened, &mut problems).await
    {
        problems.extend(consent::check(&signed_in.claims, context.desired.as_ref()));
        let mut found = stored!(mailboxes::check(context, &integration, &signed_in.client));
        let well = found.iter().filter(|problem| problem.code == Code::MailboxOk);
        let reachable: Vec<String> = well.map(|problem| problem.subject.clone()).collect();
        // The missing consent has been said; each mailbox denies for that reason.
        let unread = |problem: &Problem| matches!(problem.code, Code::ConsentMissing | Code::ConsentMissingRead);
        let has = |code| found.iter().any(|problem| problem.code == code);
        if let Some(missing) = problems.iter_mut().find(|problem| unread(problem)) {
            // Exchange's own roles stand in no token: where every mailbox opens, access is there.
            if has(Code::MailboxOk) && !has(Code::MailboxDenied) {
                missing.code = Code::ConsentByRbac;
            }
            found.retain(|problem| problem.code != Code::MailboxDenied);
        }
        let mut served = stored!(mailboxes::served(context, &integration));
        licences::check(context, &signed_in.client, &served, &mut found).await;
        problems.extend(found);
        let found = stored!(folders::check(context, &integration, &signed_in.client, &reachable));
        problems.extend(found);
        served.retain(|mailbox| reachable.iter().any(|address| address == mailbox.address.as_str()));
        let found = stored!(rules::check(context, &signed_in.client, &served));
        problems.extend(found);
        let may_send = !problems
            .iter()
            .any(|problem| matches!(problem.code, Code::ConsentMissing | Code::ConsentMissingSend));
        if let (true, true, Ok(vault)) = (context.options.round_trip, may_send, &context.vault) {
            let key = vault.token_key();
            problems.extend(round_trip::check(context, &signed_in.client, &served, &key).await);
        }
        let defeated = problems.iter().any(|problem| problem.code == Code::ScopeDefeated);
        problems.extend(scope::check(context, &signed_in.client, defeated).await);
    }
    // The clock has been named; that Entra refuses what it signs follows from it.
    if problems.iter().any(|problem| problem.code == Code::ClockSkewed) {
        problems.retain(|problem| problem.code != Code::TokenClock);
    }
    let found = stored!(mailboxes::listed(context, &integration));
    problems.extend(found);
    problems.extend(exchange::check(context, &integration));
    let endpoint = endpoint::check(context).await;
    let mut found = stored!(subscriptions::check(context));
    if endpoint
        .as_ref()
        .is_some_and(|problem| problem.code != Code::EndpointOk)
    {
        // Microsoft makes and renews a subscription only after the endpoint has answered.
        let follows = |problem: &Problem| {
            matches!(
                problem.code,
                Code::SubscriptionAbsent | Code::SubscriptionExpired | Code::SubscriptionElsewhere
            )
        };
        found.retain(|problem| !follows(problem));
    }
    problems.extend(endpoint);
    problems.extend(found);
    let found = stored!(traffic::check(context, &integration));
    problems.extend(found);
    let found = stored!(work::check(context));
    problems.extend(found);
    Ok(problems)
}

/// A doctor asks once: what passes by itself after a retry is for the service, not for a diagnosis.
fn once() -> RetryPolicy {
    RetryPolicy::never()
}
