//! Step 6: the credential: which one is used, and the client secret. A certificate's own way is in
//! `certificate`.
//!
//! Owns the way of a secret value from Entra's answer into the vault. Entra shows it once, so it is
//! sealed and stored before anything else is tried; a secret whose value did not get that far is
//! removed again, at once or by the next run. Never removes a secret that someone else may use, and
//! never logs a value. Invariant: after a run that ended well, every secret of ours in the tenant
//! is stored here, and every stored one exists in the tenant.

use guichet_domain::CredentialId;
use guichet_graph::{Application, ClientCredential, NewSecret};
use guichet_store::records::{Credential, Integration};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use secrecy::ExposeSecret;

use super::{Run, certificate, federated, refused, replicated};
use crate::{
    Change, Connect, Desired, Error, client_secret,
    credential::{self, CredentialKind},
    doctor::{self, Code, Problem},
    plan::{StepId, Why},
    ports::TimeAsClock,
    rotate::Replaced,
};

const STEP: StepId = StepId::Secret;

/// A secret this young may be missing from what the directory lists.
const REPLICATION: SignedDuration = SignedDuration::from_mins(10);
/// Room for the difference between our clock and the directory's.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(5);
/// A secret with less time left than this is replaced, with overlap.
const RENEW_BEFORE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// What there is, judged.
#[derive(Default)]
pub(crate) struct Secrets {
    /// The newest stored secret that works, as far as can be seen from here.
    pub keep: Option<Credential>,
    /// Why a new one is needed, if one is.
    pub renew: Option<Why>,
    /// Stored ones that work no longer.
    drop: Vec<(Credential, Why)>,
    /// Key ids in the tenant that are ours and whose value was never stored.
    pub orphans: Vec<String>,
    /// The kept certificate is stored and not registered yet.
    unregistered: bool,
}

impl Secrets {
    /// Why a credential that has a proven successor goes; `None` if it stays until it expires.
    pub(crate) fn why_gone(&self, old: &Credential, replaced: Replaced) -> Option<Why> {
        let broken = self.drop.iter().find(|(credential, _)| credential.id == old.id);
        match (broken, replaced) {
            (Some((_, why)), _) => Some(*why),
            (None, Replaced::Removed) => Some(Why::SecretSuperseded),
            (None, Replaced::Kept) => None,
        }
    }
}

/// Compares what is stored with what the application lists.
pub(crate) async fn observe(
    connect: &Connect,
    desired: &Desired,
    integration: Option<&Integration>,
    application: Option<&Application>,
) -> Result<Secrets, Error> {
    let stored = match integration {
        Some(integration) => connect.store.credentials(integration.id).await?,
        None => Vec::new(),
    };
    let now = connect.time.now();
    let mut secrets = Secrets::default();
    let federated = match application {
        Some(application) => federated::listed(connect, &application.id, &stored).await?,
        None => Vec::new(),
    };
    for credential in &stored {
        match fault(connect, credential, application, &federated, now) {
            Some(why) => secrets.drop.push((credential.clone(), why)),
            None if secrets.keep.is_none() => secrets.keep = Some(credential.clone()),
            // An older one that still works overlaps with its successor until it expires.
            None => {}
        }
    }
    secrets.renew = match &secrets.keep {
        None => Some(secrets.drop.first().map_or(Why::SecretMissing, |(_, why)| *why)),
        Some(credential) => outdated(connect, desired, credential, now)?,
    };
    secrets.unregistered = secrets.renew.is_none()
        && secrets.keep.as_ref().is_some_and(|kept| {
            CredentialKind::of(kept) == CredentialKind::Certificate
                && !application.is_some_and(|application| is_listed(application, &federated, kept))
        });
    if let (Some(application), Some(integration)) = (application, integration) {
        secrets.orphans = orphans(desired, integration, application, &stored);
    }
    Ok(secrets)
}

/// Why one that works is not what is wanted any more.
fn outdated(
    connect: &Connect,
    desired: &Desired,
    credential: &Credential,
    now: Timestamp,
) -> Result<Option<Why>, Error> {
    let wanted = desired.application.credential;
    if CredentialKind::of(credential) != wanted {
        return Ok(Some(Why::CredentialKindDiffers));
    }
    if wanted == CredentialKind::Certificate
        && let Some(brought) = certificate::brought(connect, desired)?
    {
        let stored = credential::open_certificate(&connect.vault, credential, connect.entropy.clone())?;
        // One that was brought is renewed by bringing another; `doctor` says when it is time.
        return Ok((stored.der != brought.der).then_some(Why::CertificateDiffers));
    }
    if let (CredentialKind::Federated, Some(configured)) = (wanted, &desired.application.federated) {
        let stored = credential::open_federated(&connect.vault, credential)?;
        return Ok((stored != *configured).then_some(Why::FederatedDiffers));
    }
    Ok(is_due(credential, now).then_some(Why::SecretExpiring))
}

/// Whether it is time for a successor: the credential is in the last 30 days of its life, or in the last third if that
/// is shorter.
pub fn is_due(credential: &Credential, now: Timestamp) -> bool {
    credential.expires_at.duration_since(now) <= renew_before(credential)
}

fn is_listed(application: &Application, federated: &[String], credential: &Credential) -> bool {
    let is = |key_id: &str| key_id.eq_ignore_ascii_case(&credential.key_id);
    match CredentialKind::of(credential) {
        CredentialKind::Secret => application.password_credentials.iter().any(|found| is(&found.key_id)),
        CredentialKind::Certificate => application.key_credentials.iter().any(|found| is(&found.key_id)),
        CredentialKind::Federated => federated.iter().any(|found| is(found)),
    }
}

/// A third of its life, for a secret that never had 90 days.
fn renew_before(credential: &Credential) -> SignedDuration {
    let life = credential.expires_at.duration_since(credential.created_at);
    RENEW_BEFORE.min(life / 3)
}

fn fault(
    connect: &Connect,
    credential: &Credential,
    application: Option<&Application>,
    federated: &[String],
    now: Timestamp,
) -> Option<Why> {
    let listed = application.is_some_and(|application| is_listed(application, federated, credential));
    let young = now.duration_since(credential.created_at) < REPLICATION;
    if credential.expires_at <= now {
        Some(Why::SecretExpired)
    } else if !(listed || young && application.is_some()) {
        Some(Why::SecretRevoked)
    } else {
        match credential::open(&connect.vault, credential, connect.entropy.clone()) {
            Ok(ClientCredential::Secret(value)) if client_secret::is_secret_id(value.expose_secret()) => {
                Some(Why::SecretUnreadable)
            }
            Ok(_) => None,
            Err(_) => Some(Why::SecretUnreadable),
        }
    }
}

/// A process that died between Entra's answer and the store leaves a secret that carries our
/// description and was made after this integration was recorded. An older one belongs to an earlier
/// installation that may still run.
fn orphans(
    desired: &Desired,
    integration: &Integration,
    application: &Application,
    stored: &[Credential],
) -> Vec<String> {
    let ours_since = integration.created_at - CLOCK_SKEW;
    let passwords = application.password_credentials.iter();
    let orphans = passwords.filter(|password| {
        let described = password.display_name.as_deref() == Some(desired.application.secret_description.as_str());
        let known = stored
            .iter()
            .any(|credential| credential.key_id.eq_ignore_ascii_case(&password.key_id));
        let recent = password.start.is_some_and(|start| start >= ours_since);
        described && !known && recent
    });
    orphans.map(|password| password.key_id.clone()).collect()
}

pub(crate) fn changes(connect: &Connect, desired: &Desired, secrets: &Secrets) -> Vec<Change> {
    let description = &desired.application.secret_description;
    let mut changes = Vec::new();
    for key_id in &secrets.orphans {
        changes.push(Change::remove(STEP, key_id, description, Why::SecretOrphaned));
    }
    if let Some(why) = secrets.renew {
        let until = described(desired.application.credential, expiry(connect, desired));
        changes.push(Change::add(STEP, description, until, why));
    }
    if let (true, Some(kept)) = (secrets.unregistered, &secrets.keep) {
        let until = described(CredentialKind::Certificate, kept.expires_at);
        changes.push(Change::add(STEP, description, until, Why::CertificateUnregistered));
    }
    for (credential, why) in &secrets.drop {
        changes.push(Change::remove(STEP, &credential.key_id, &credential.description, *why));
    }
    changes
}

/// Leaves exactly one newest usable secret, and returns it.
pub(crate) async fn apply(
    run: Run<'_>,
    integration: &Integration,
    application: &Application,
) -> Result<(Credential, Vec<Change>), Error> {
    let Run { connect, desired, .. } = run;
    let secrets = observe(connect, desired, Some(integration), Some(application)).await?;
    let changes = changes(connect, desired, &secrets);
    for key_id in &secrets.orphans {
        remove(connect, &application.id, key_id).await?;
    }
    let current = match (secrets.renew, secrets.keep) {
        (None, Some(credential)) => {
            if secrets.unregistered {
                certificate::finish(run, integration, &application.id, &credential).await?;
            }
            credential
        }
        _ => create(run, integration, &application.id).await?,
    };
    for (credential, _) in &secrets.drop {
        retire(connect, integration, &application.id, credential).await?;
    }
    Ok((current, changes))
}

/// Makes and stores a new one, whatever there is, and clears away what a run that was cut off left.
pub(crate) async fn renew(
    run: Run<'_>,
    integration: &Integration,
    application_object_id: &str,
    secrets: &Secrets,
) -> Result<(Credential, Vec<Change>), Error> {
    let Run { connect, desired, .. } = run;
    let description = &desired.application.secret_description;
    let mut changes = Vec::new();
    for key_id in &secrets.orphans {
        remove(connect, application_object_id, key_id).await?;
        changes.push(Change::remove(STEP, key_id, description, Why::SecretOrphaned));
    }
    let new = create(run, integration, application_object_id).await?;
    let until = described(desired.application.credential, new.expires_at);
    changes.push(Change::add(STEP, description, until, Why::SecretRotated));
    Ok((new, changes))
}

/// Removes a stored credential: in the tenant, then here.
pub(crate) async fn retire(
    connect: &Connect,
    integration: &Integration,
    application_object_id: &str,
    credential: &Credential,
) -> Result<(), Error> {
    match CredentialKind::of(credential) {
        CredentialKind::Secret => remove(connect, application_object_id, &credential.key_id).await?,
        CredentialKind::Certificate => {
            certificate::remove(connect, integration, application_object_id, credential).await?;
        }
        CredentialKind::Federated => federated::remove(connect, application_object_id, &credential.key_id).await?,
    }
    connect.store.remove_credential(credential.id).await?;
    Ok(())
}

async fn create(run: Run<'_>, integration: &Integration, application_object_id: &str) -> Result<Credential, Error> {
    let Run { connect, desired, .. } = run;
    // What could fail after Entra has answered is tried before.
    connect.store.check().await?;
    if desired.application.credential == CredentialKind::Certificate {
        return certificate::create(run, integration, application_object_id).await;
    }
    if let (CredentialKind::Federated, Some(wanted)) = (desired.application.credential, &desired.application.federated)
    {
        return federated::create(run, integration, application_object_id, wanted).await;
    }
    let description = &desired.application.secret_description;
    let end = expiry(connect, desired);
    let add = || {
        connect
            .administrator
            .add_password(application_object_id, description, end)
    };
    let secret = match add().await {
        Err(error) if super::is_lag(&error) => replicated!(run, STEP, add()),
        Err(error) if is_policy(&error) => return Err(forbidden(desired, &error)),
        other => other.map_err(refused(STEP))?,
    };
    match keep(connect, desired, integration, &secret, end).await {
        Ok(credential) => Ok(credential),
        Err(error) => {
            // Its value is lost with this process, so it must not stay; if this fails too, the next
            // run finds it as an orphan.
            if remove(connect, application_object_id, &secret.key_id).await.is_err() {
                tracing::warn!(key_id = %secret.key_id, "a client secret was made and could not be stored or removed");
            }
            Err(error)
        }
    }
}

/// Seals and stores the value, in one breath.
async fn keep(
    connect: &Connect,
    desired: &Desired,
    integration: &Integration,
    secret: &NewSecret,
    asked_end: Timestamp,
) -> Result<Credential, Error> {
    if client_secret::is_secret_id(secret.secret_text.expose_secret()) {
        let problem = Problem::new(Code::CredentialIsSecretId, &secret.key_id, "the answer to addPassword");
        return Err(Error::Diagnosed {
            problems: vec![problem],
        });
    }
    let id = CredentialId::generate(&TimeAsClock(connect.time.as_ref()), connect.entropy.as_ref());
    let credential = Credential {
        id,
        integration: integration.id,
        kind: CredentialKind::Secret.as_str().to_owned(),
        key_id: secret.key_id.clone(),
        description: desired.application.secret_description.clone(),
        sealed: connect.vault.seal(&client_secret::purpose(id), &secret.secret_text)?,
        expires_at: secret.end.unwrap_or(asked_end),
        created_at: connect.time.now(),
    };
    connect.store.add_credential(&credential).await?;
    Ok(credential)
}

/// Removes a secret in the tenant; one that is gone already is fine.
pub(crate) async fn remove(connect: &Connect, application_object_id: &str, key_id: &str) -> Result<(), Error> {
    let removed = connect
        .administrator
        .remove_password(application_object_id, key_id)
        .await;
    match removed {
        Err(error) if super::is_lag(&error) || is_no_such_key(&error) => Ok(()),
        other => other.map_err(refused(STEP)),
    }
}

/// The directory answers 400 for a key id that the application does not have.
pub(crate) fn is_no_such_key(error: &guichet_graph::Error) -> bool {
    let message = error.message.to_ascii_lowercase();
    error.status == Some(400)
        && ["no password credential found", "no key credential found"]
            .iter()
            .any(|words| message.contains(words))
}

/// The tenant's app management policy, which no directory role overrules.
fn is_policy(error: &guichet_graph::Error) -> bool {
    error.code.to_ascii_lowercase().ends_with("asperapppolicy")
}

fn forbidden(desired: &Desired, error: &guichet_graph::Error) -> Error {
    let application = &desired.application;
    let problem = Problem::new(Code::SecretPolicy, &application.name, doctor::evidence(error))
        .with("days", &application.secret_lifetime_days)
        .with("error", &error.code);
    Error::Diagnosed {
        problems: vec![problem],
    }
}

fn expiry(connect: &Connect, desired: &Desired) -> Timestamp {
    let days = i64::from(desired.application.secret_lifetime_days);
    connect.time.now() + SignedDuration::from_hours(24 * days)
}

/// Kind and last day.
pub(crate) fn described(kind: CredentialKind, end: Timestamp) -> String {
    match kind {
        CredentialKind::Federated => kind.as_str().to_owned(),
        _ => format!("{}, {}", kind.as_str(), end.to_zoned(TimeZone::UTC).date()),
    }
}

/// Whether the sign-in service may not know the secret yet.
pub(crate) fn is_young(connect: &Connect, credential: &Credential) -> bool {
    connect.time.now().duration_since(credential.created_at) < REPLICATION
}
