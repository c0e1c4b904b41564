//! The administrator's manual procedure, part by part, and how far each part is done.
//!
//! Owns the parts and what proves each of them: findings of the doctor, and what is recorded. Never asks
//! the tenant anything itself. Invariant: a part is done only if something was seen that proves it; what
//! could not be seen is not done.

use guichet_domain::finding::Severity;
use guichet_store::{
    Store,
    records::{Credential, Integration},
};
use serde::Serialize;

use crate::{
    Desired,
    credential::CredentialKind,
    doctor::{Code, Problem},
};

/// A part of the procedure, in the order in which an administrator does it by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Each mailbox is licensed, or is a shared one: it opens.
    Mailboxes,
    /// No application policy of Exchange blocks the application, and none opens too much.
    Policies,
    /// The application registration is active.
    ApplicationActive,
    /// The application is registered.
    Registration,
    /// Application (client) id and directory (tenant) id are recorded.
    Ids,
    /// The permissions are there, with admin consent.
    Permissions,
    /// The credential is made, stored and proven.
    Credential,
    /// The token endpoint is known.
    TokenEndpoint,
    /// The addresses are on the connection filter's allow list.
    AllowList,
    /// The integration is switched on.
    Activation,
    /// Changes in Microsoft 365 are noticed, without switching the integration off and on.
    Changes,
}

impl Part {
    /// Every part, in order.
    pub const ALL: [Self; 11] = [
        Self::Mailboxes,
        Self::Policies,
        Self::ApplicationActive,
        Self::Registration,
        Self::Ids,
        Self::Permissions,
        Self::Credential,
        Self::TokenEndpoint,
        Self::AllowList,
        Self::Activation,
        Self::Changes,
    ];

    /// Whether a finding that is not good says that this part is open.
    const fn is_spoilt_by(self, code: Code) -> bool {
        match self {
            Self::Mailboxes => matches!(
                code,
                Code::MailboxesAbsent
                    | Code::MailboxNotConnected
                    | Code::MailboxUnknown
                    | Code::MailboxNone
                    | Code::MailboxStale
                    | Code::MailboxRefused
                    | Code::MailboxUnlicensed
                    | Code::MailboxLicenceLost
                    | Code::FolderMissing
                    | Code::FolderLocalised
                    | Code::FolderNotConnected
            ),
            Self::Policies => matches!(
                code,
                Code::MailboxPolicy | Code::MailboxDenied | Code::ScopeDefeated | Code::ScopeTooWide
            ),
            Self::ApplicationActive => matches!(code, Code::ApplicationDisabled | Code::ConditionalAccess),
            Self::Registration => matches!(
                code,
                Code::ApplicationNotInTenant | Code::ApplicationIdInvalid | Code::ApplicationPublic
            ),
            Self::Ids => matches!(
                code,
                Code::IntegrationAbsent | Code::TenantMismatch | Code::TenantUnknown
            ),
            Self::Permissions => matches!(
                code,
                Code::ConsentMissing
                    | Code::ConsentMissingRead
                    | Code::ConsentMissingSend
                    | Code::ConsentRequired
                    | Code::AdminConsentRequired
            ),
            Self::Credential => matches!(
                code,
                Code::KeyUnusable
                    | Code::CredentialAbsent
                    | Code::CredentialWrongKey
                    | Code::CredentialDamaged
                    | Code::CredentialIsSecretId
                    | Code::SecretWrong
                    | Code::SecretExpired
                    | Code::CertificateNotRegistered
                    | Code::CertificateExpired
                    | Code::AssertionUnreadable
                    | Code::FederatedIssuer
                    | Code::FederatedSubject
                    | Code::FederatedAudience
            ),
            Self::TokenEndpoint => matches!(
                code,
                Code::DiscoveryMismatch | Code::AuthorityNotEntra | Code::CloudMismatch | Code::TenantOtherCloud
            ),
            Self::AllowList => matches!(
                code,
                Code::AllowListMissing | Code::AllowListStale | Code::ExchangeReportUnusable
            ),
            Self::Activation => matches!(code, Code::IntegrationInactive),
            Self::Changes => matches!(code, Code::IntegrationError),
        }
    }
}

/// How far a part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Done, and proven.
    Done,
    /// Nothing has to be done here.
    NotNeeded,
    /// Not done; a finding says what to do.
    Open,
    /// It could not be seen from here.
    NotSeen,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Done, Self::NotNeeded, Self::Open, Self::NotSeen];
}

/// One line of the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Item {
    /// The part.
    pub part: Part,
    /// How far it is.
    pub state: State,
    /// What proves it, or what was seen instead: ids, addresses, permissions. Never a secret.
    pub evidence: String,
    /// Codes of the findings that speak against it.
    pub findings: Vec<Code>,
}

/// What the list is made from, besides the findings.
#[derive(Clone, Debug)]
pub struct Facts {
    /// What is wanted.
    pub desired: Desired,
    /// Whether addresses are configured for the allow list.
    pub has_ranges: bool,
    integration: Option<Integration>,
    credential: Option<Credential>,
}

impl Facts {
    /// Reads what is recorded.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn read(store: &Store, desired: Desired, has_ranges: bool) -> guichet_store::Result<Self> {
        let integration = store.integration().await?;
        let credential = match &integration {
            Some(integration) => store.credentials(integration.id).await?.into_iter().next(),
            None => None,
        };
        Ok(Self {
            desired,
            has_ranges,
            integration,
            credential,
        })
    }

    fn recorded<'a>(&'a self, value: impl Fn(&'a Integration) -> Option<&'a str>) -> Option<&'a str> {
        self.integration.as_ref().and_then(value)
    }
}

/// The whole list, judged by what the doctor saw.
pub fn list(facts: &Facts, problems: &[Problem]) -> Vec<Item> {
    Part::ALL.map(|part| item(part, facts, problems)).to_vec()
}

fn item(part: Part, facts: &Facts, problems: &[Problem]) -> Item {
    let against: Vec<&Problem> = problems
        .iter()
        .filter(|problem| problem.code.severity() > Severity::Ok && part.is_spoilt_by(problem.code))
        .collect();
    if !against.is_empty() {
        let evidence = against.iter().map(|problem| problem.evidence.as_str());
        let mut findings: Vec<Code> = against.iter().map(|problem| problem.code).collect();
        findings.dedup();
        return Item {
            part,
            state: State::Open,
            evidence: evidence.collect::<Vec<_>>().join("; "),
            findings,
        };
    }
    let (state, evidence) = match (part, proof(part, facts, problems)) {
        (_, Some(evidence)) => (State::Done, evidence),
        (Part::AllowList, None) if !facts.has_ranges => (State::NotNeeded, String::new()),
        (_, None) => (State::NotSeen, String::new()),
    };
    Item {
        part,
        state,
        evidence,
        findings: Vec::new(),
    }
}

/// What shows that a part is done.
fn proof(part: Part, facts: &Facts, problems: &[Problem]) -> Option<String> {
    let seen = |code: Code| problems.iter().find(|problem| problem.code == code);
    let token = seen(Code::TokenOk);
    match part {
        Part::Mailboxes => opened(facts, problems),
        Part::Policies if facts.desired.is_scoped() => {
            opened(facts, problems)?;
            seen(Code::ScopeOk).map(|denied| denied.subject.clone())
        }
        Part::Policies => opened(facts, problems),
        Part::ApplicationActive => token.map(|token| token.evidence.clone()),
        Part::Registration => token.and(facts.recorded(|row| Some(&row.application_name)).map(str::to_owned)),
        Part::Ids => {
            let (app, tenant) = (
                facts.recorded(|row| row.app_id.as_deref())?,
                facts.recorded(|row| Some(&row.tenant_id))?,
            );
            Some(format!("{app}, {tenant}"))
        }
        Part::Permissions => seen(Code::ConsentOk)
            .or_else(|| seen(Code::ConsentByRbac))
            .or_else(|| seen(Code::ConsentExcess))
            .map(|consent| consent.evidence.clone()),
        Part::Credential => {
            token?;
            let credential = facts.credential.as_ref()?;
            Some(match CredentialKind::of(credential) {
                CredentialKind::Federated => credential.key_id.clone(),
                _ => format!("{}, {}", credential.key_id, credential.expires_at),
            })
        }
        Part::TokenEndpoint => {
            seen(Code::AuthorityOk)?;
            facts.recorded(|row| row.token_endpoint.as_deref()).map(str::to_owned)
        }
        Part::AllowList => seen(Code::AllowListOk).map(|list| list.evidence.clone()),
        Part::Activation => seen(Code::IntegrationActive).map(|active| active.evidence.clone()),
        Part::Changes => {
            let row = facts.integration.as_ref()?;
            (row.reported_state == "active").then(|| row.reported_since.map_or_else(String::new, |at| at.to_string()))
        }
    }
}

/// The wanted mailboxes, if every one of them opened.
fn opened(facts: &Facts, problems: &[Problem]) -> Option<String> {
    let wanted = &facts.desired.mailboxes;
    let well = |address: &&guichet_domain::EmailAddress| {
        problems
            .iter()
            .any(|problem| problem.code == Code::MailboxOk && problem.subject == address.as_str())
    };
    let all = !wanted.is_empty() && wanted.iter().all(|address| well(&address));
    all.then(|| {
        let names: Vec<&str> = wanted.iter().map(guichet_domain::EmailAddress::as_str).collect();
        names.join(", ")
    })
}
