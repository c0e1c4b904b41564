//! Check: is something connected, and can its secret be opened?
//!
//! Never shows the secret.

use guichet_graph::ClientCredential;
use guichet_store::records::{Credential, Integration};
use secrecy::ExposeSecret;

use super::{Code, DoctorContext, Problem};
use crate::{Error, client_secret, credential};

/// What later checks need.
#[derive(Default)]
pub(super) struct Recorded {
    pub integration: Option<Integration>,
    pub credential: Option<Credential>,
    /// Only if it opens and looks like a value.
    pub opened: Option<ClientCredential>,
}

pub(super) async fn check(context: &DoctorContext, problems: &mut Vec<Problem>) -> guichet_store::Result<Recorded> {
    let Some(integration) = context.store.integration().await? else {
        problems.push(Problem::new(Code::IntegrationAbsent, "", "no integration is recorded"));
        return Ok(Recorded::default());
    };
    problems.push(state(&integration));
    // The newest is the one in use.
    let credential = context.store.credentials(integration.id).await?.into_iter().next();
    let opened = match &credential {
        Some(credential) => open(context, credential, problems),
        None => {
            problems.push(Problem::new(Code::CredentialAbsent, "", "no credential is recorded"));
            None
        }
    };
    Ok(Recorded {
        integration: Some(integration),
        credential,
        opened,
    })
}

fn state(integration: &Integration) -> Problem {
    let code = if integration.reported_state == "error" {
        Code::IntegrationError
    } else if integration.intended_state == "active" {
        Code::IntegrationActive
    } else {
        Code::IntegrationInactive
    };
    let mut evidence = format!(
        "intended {}, reported {}",
        integration.intended_state, integration.reported_state
    );
    if let Some(since) = integration.reported_since {
        evidence.push_str(&format!(" since {since}"));
    }
    if !integration.reported_code.is_empty() {
        evidence.push_str(&format!(", {}", integration.reported_code));
    }
    if !integration.reported_text.is_empty() {
        evidence.push_str(": ");
        evidence.push_str(&integration.reported_text);
    }
    Problem::new(code, &integration.application_name, evidence)
}

fn open(context: &DoctorContext, credential: &Credential, problems: &mut Vec<Problem>) -> Option<ClientCredential> {
    let key_id = credential.key_id.as_str();
    let vault = match &context.vault {
        Ok(vault) => vault,
        Err(error) => {
            problems.push(Problem::new(Code::KeyUnusable, "", error.to_string()));
            return None;
        }
    };
    match credential::open(vault, credential, context.entropy.clone()) {
        Ok(ClientCredential::Secret(value)) if client_secret::is_secret_id(value.expose_secret()) => {
            let evidence = format!("the value stored for secret id {key_id} is a GUID");
            problems.push(Problem::new(Code::CredentialIsSecretId, key_id, evidence));
            None
        }
        Ok(opened) => {
            let evidence = format!("{} id {key_id}, {}", credential.kind, vault.origin());
            problems.push(Problem::new(Code::CredentialPresent, key_id, evidence));
            Some(opened)
        }
        Err(error) => {
            let code = match error {
                Error::WrongKey { .. } => Code::CredentialWrongKey,
                _ => Code::CredentialDamaged,
            };
            problems.push(Problem::new(code, key_id, error.to_string()));
            None
        }
    }
}
