//! Step 5, where the credential is a certificate.
//!
//! Owns the way of a private key into the vault and of its certificate to Entra, in this order: the
//! key is never lost, and a certificate that did not get there is registered by the next run. Never
//! sends a private key anywhere.

use std::sync::Arc;

use guichet_domain::CredentialId;
use guichet_graph::{CertificateKey, NewCertificate};
use guichet_store::records::{Credential, Integration};

use super::{Run, refused, replicated};
use crate::{
    Connect, Desired, Error,
    certificate::{self, Certificate},
    credential::{self, CredentialKind},
    plan::StepId,
    ports::{GraphEntropy, TimeAsClock},
};

const STEP: StepId = StepId::Secret;

/// Makes or reads, seals, stores and registers one.
pub(crate) async fn create(
    run: Run<'_>,
    integration: &Integration,
    application_object_id: &str,
) -> Result<Credential, Error> {
    let Run { connect, desired, .. } = run;
    let made = match brought(connect, desired)? {
        Some(brought) => brought,
        None => generate(connect, desired)?,
    };
    let id = CredentialId::generate(&TimeAsClock(connect.time.as_ref()), connect.entropy.as_ref());
    let mut credential = Credential {
        id,
        integration: integration.id,
        kind: CredentialKind::Certificate.as_str().to_owned(),
        key_id: new_key_id(connect),
        description: desired.application.secret_description.clone(),
        sealed: connect.vault.seal(&credential::certificate_purpose(id), &made.pem)?,
        expires_at: made.expires_at,
        created_at: connect.time.now(),
    };
    connect.store.add_credential(&credential).await?;
    match register(run, integration, application_object_id, &credential, &made).await {
        Ok(key_id) if key_id != credential.key_id => {
            // Entra chose an id of its own; it is the one that removes the certificate.
            credential.key_id = key_id;
            connect.store.remove_credential(id).await?;
            connect.store.add_credential(&credential).await?;
            Ok(credential)
        }
        Ok(_) => Ok(credential),
        Err((error, happened)) => {
            // The newest stored one is the one in use, so one that Entra refused must not stay.
            if !happened {
                connect.store.remove_credential(id).await?;
            } else if super::secret::retire(connect, integration, application_object_id, &credential)
                .await
                .is_err()
            {
                tracing::warn!(key_id = %credential.key_id, "a certificate was stored and may not be registered");
            }
            Err(error)
        }
    }
}

/// Registers a stored certificate that a run which was cut off did not get to Entra.
pub(crate) async fn finish(
    run: Run<'_>,
    integration: &Integration,
    application_object_id: &str,
    credential: &Credential,
) -> Result<(), Error> {
    let opened = credential::open_certificate(&run.connect.vault, credential, run.connect.entropy.clone())?;
    match register(run, integration, application_object_id, credential, &opened).await {
        Ok(_) => Ok(()),
        Err((error, _)) => Err(error),
    }
}

/// The id under which it is registered; or the error, and whether it may be registered nonetheless.
async fn register(
    run: Run<'_>,
    integration: &Integration,
    application_object_id: &str,
    credential: &Credential,
    certificate: &Certificate,
) -> Result<String, (Error, bool)> {
    let connect = run.connect;
    let administrator = &connect.administrator;
    let new = NewCertificate {
        key_id: &credential.key_id,
        display_name: &credential.description,
        end: credential.expires_at,
        der: &certificate.der,
    };
    let before = |error| (error, false);
    if let Some(present) = own_key(connect, integration, credential).await.map_err(before)? {
        let added = administrator
            .add_own_certificate(application_object_id, &new, &present)
            .await;
        return match added {
            Ok(added) => Ok(added.key_id),
            Err(error) => {
                let happened = may_have_happened(&error);
                Err((refused(STEP)(error), happened))
            }
        };
    }
    match administrator.add_certificate(application_object_id, &new).await {
        Ok(()) => {}
        Err(error) if super::is_lag(&error) => {
            let add = || administrator.add_certificate(application_object_id, &new);
            let again = async {
                replicated!(run, STEP, add());
                Ok(())
            };
            again.await.map_err(|error| (error, true))?;
        }
        Err(error) => {
            let happened = may_have_happened(&error);
            return Err((refused(STEP)(error), happened));
        }
    }
    Ok(credential.key_id.clone())
}

/// Whether the tenant may have done it although it did not say so. A repetition that fails for good
/// may follow an attempt whose answer was lost.
fn may_have_happened(error: &guichet_graph::Error) -> bool {
    error.may_have_had_effect || error.transport.is_some() || error.is_retry()
}

/// Removes a registered certificate; one that is gone already is fine.
pub(crate) async fn remove(
    connect: &Connect,
    integration: &Integration,
    application_object_id: &str,
    credential: &Credential,
) -> Result<(), Error> {
    let administrator = &connect.administrator;
    let key_id = &credential.key_id;
    let removed = match own_key(connect, integration, credential).await? {
        Some(present) => {
            administrator
                .remove_own_certificate(application_object_id, key_id, &present)
                .await
        }
        None => administrator.remove_certificate(application_object_id, key_id).await,
    };
    match removed {
        Err(error) if super::is_lag(&error) || super::secret::is_no_such_key(&error) => Ok(()),
        other => other.map_err(refused(STEP)),
    }
}

/// The key that proves the application to the directory when it works on itself: that of its newest
/// certificate beside the one in question. `None` for an administrator, who needs no proof.
async fn own_key(
    connect: &Connect,
    integration: &Integration,
    beside: &Credential,
) -> Result<Option<CertificateKey>, Error> {
    if !is_own(connect, integration).await? {
        return Ok(None);
    }
    let stored = connect.store.credentials(integration.id).await?;
    let present = stored
        .iter()
        .filter(|row| row.id != beside.id && CredentialKind::of(row) == CredentialKind::Certificate)
        .find_map(|row| credential::open_certificate(&connect.vault, row, connect.entropy.clone()).ok());
    Ok(present.map(|certificate| certificate.key))
}

/// Whether it is the application itself that is signed in, and not an administrator.
pub(crate) async fn is_own(connect: &Connect, integration: &Integration) -> Result<bool, Error> {
    let token = connect.administrator.token().await.map_err(Error::SignIn)?;
    let app_id = token.claims().and_then(|claims| claims.appid);
    Ok(match (app_id, &integration.app_id) {
        (Some(signed_in), Some(ours)) => signed_in.eq_ignore_ascii_case(ours),
        _ => false,
    })
}

/// The configured certificate, if one was brought.
pub(crate) fn brought(connect: &Connect, desired: &Desired) -> Result<Option<Certificate>, Error> {
    let application = &desired.application;
    let Some(file) = &application.certificate_file else {
        return Ok(None);
    };
    let key = application.key_file.as_ref().unwrap_or(file);
    let entropy = Arc::new(GraphEntropy(connect.entropy.clone()));
    let found = certificate::read(file, key, entropy)?;
    if found.expires_at <= connect.time.now() {
        return Err(Error::Certificate {
            origin: file.display().to_string(),
            detail: format!("it expired at {}", found.expires_at),
        });
    }
    Ok(Some(found))
}

fn generate(connect: &Connect, desired: &Desired) -> Result<Certificate, Error> {
    let application = &desired.application;
    let entropy = Arc::new(GraphEntropy(connect.entropy.clone()));
    let days = application.secret_lifetime_days;
    certificate::generate(&application.name, connect.time.now(), days, entropy)
}

fn new_key_id(connect: &Connect) -> String {
    let mut bytes = [0; 16];
    connect.entropy.fill(&mut bytes);
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}
