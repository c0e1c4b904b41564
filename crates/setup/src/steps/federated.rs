//! Step 5, where the credential is federated: Entra is told whose tokens speak for the application.
//!
//! Owns the record in Entra. There is no secret, so a run that was cut off leaves nothing that nobody knows: the next
//! one finds the record by issuer and subject, which are unique.

use guichet_domain::CredentialId;
use guichet_store::records::{Credential, Integration};
use secrecy::SecretString;

use super::{Run, refused, replicated};
use crate::{
    Connect, Error,
    credential::{self, CredentialKind, NEVER},
    federated::Federated,
    plan::StepId,
    ports::TimeAsClock,
};

const STEP: StepId = StepId::Secret;
/// Entra's limit for a name is 120; it is part of an address.
const NAME: &str = "guichet";

/// Registers what is configured, or finds it registered, and records it.
pub(super) async fn create(
    run: Run<'_>,
    integration: &Integration,
    application: &str,
    wanted: &Federated,
) -> Result<Credential, Error> {
    let Run { connect, desired, .. } = run;
    let key_id = register(run, application, wanted).await?;
    let id = CredentialId::generate(&TimeAsClock(connect.time.as_ref()), connect.entropy.as_ref());
    let text = SecretString::from(wanted.to_text());
    let credential = Credential {
        id,
        integration: integration.id,
        kind: CredentialKind::Federated.as_str().to_owned(),
        key_id,
        description: desired.application.secret_description.clone(),
        sealed: connect.vault.seal(&credential::federated_purpose(id), &text)?,
        expires_at: NEVER,
        created_at: connect.time.now(),
    };
    connect.store.add_credential(&credential).await?;
    Ok(credential)
}

async fn register(run: Run<'_>, application: &str, wanted: &Federated) -> Result<String, Error> {
    let administrator = &run.connect.administrator;
    let present = replicated!(run, STEP, administrator.federated_credentials(application));
    let same = present
        .iter()
        .find(|record| record.issuer == wanted.issuer && record.subject == wanted.subject);
    if let Some(same) = same {
        if same.audiences == [wanted.audience.as_str()] {
            return Ok(same.id.clone());
        }
        // Issuer and subject are unique, so the one with another audience has to go first.
        let removed = administrator.remove_federated_credential(application, &same.id).await;
        removed.map_err(refused(STEP))?;
    }
    let taken = |name: &str| present.iter().any(|record| record.name == name);
    let name = (0..=present.len()).map(|number| match number {
        0 => NAME.to_owned(),
        number => format!("{NAME}-{number}"),
    });
    let name = name.into_iter().find(|name| !taken(name)).unwrap_or_default();
    let add = || {
        administrator.add_federated_credential(application, &name, &wanted.issuer, &wanted.subject, &wanted.audience)
    };
    match add().await {
        // It was made by an attempt whose answer was lost.
        Err(error) if error.is_already_exists() => {
            let now = administrator.federated_credentials(application).await;
            let found = now
                .map_err(refused(STEP))?
                .into_iter()
                .find(|record| record.name == name);
            found.map(|record| record.id).ok_or_else(|| refused(STEP)(error))
        }
        other => other.map(|record| record.id).map_err(refused(STEP)),
    }
}

/// The ids of the stored ones that the tenant has unchanged. Asks nobody where none is stored.
pub(super) async fn listed(connect: &Connect, application: &str, stored: &[Credential]) -> Result<Vec<String>, Error> {
    let ours: Vec<(&Credential, Federated)> = stored
        .iter()
        .filter(|row| CredentialKind::of(row) == CredentialKind::Federated)
        .filter_map(|row| Some((row, credential::open_federated(&connect.vault, row).ok()?)))
        .collect();
    if ours.is_empty() {
        return Ok(Vec::new());
    }
    let records = match connect.administrator.federated_credentials(application).await {
        Ok(records) => records,
        Err(error) if error.is_not_found() => Vec::new(),
        Err(error) => return Err(refused(STEP)(error)),
    };
    let is_there = |row: &Credential, ours: &Federated| {
        records.iter().any(|record| {
            record.id.eq_ignore_ascii_case(&row.key_id)
                && record.issuer == ours.issuer
                && record.subject == ours.subject
                && record.audiences == [ours.audience.as_str()]
        })
    };
    let intact = ours.iter().filter(|(row, ours)| is_there(row, ours));
    Ok(intact.map(|(row, _)| row.key_id.clone()).collect())
}

/// Removes the record; one that is gone already is fine.
pub(super) async fn remove(connect: &Connect, application: &str, id: &str) -> Result<(), Error> {
    let removed = connect.administrator.remove_federated_credential(application, id).await;
    removed.map_err(refused(STEP))
}
