//! The application's credential of any kind: what it is called, and how its sealed form is opened.
//!
//! Owns the mapping from a stored row to what signs in with it. Never prints a secret or a key.

use std::sync::Arc;

use guichet_domain::{CredentialId, ports::Entropy};
use guichet_graph::ClientCredential;
use guichet_store::records::Credential;
use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};

use crate::{
    Error,
    certificate::{self, Certificate},
    client_secret,
    federated::{Federated, TokenFile},
    ports::GraphEntropy,
    vault::Vault,
};

/// The kind of a client credential.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CredentialKind {
    /// A client secret.
    #[default]
    Secret,
    /// A certificate, made here or brought.
    Certificate,
    /// Tokens of an outside issuer, for example of the platform on which Guichet runs.
    Federated,
}

/// End of what does not end: the year 9999.
pub const NEVER: Timestamp = Timestamp::constant(253_370_764_800, 0);

impl CredentialKind {
    /// As it is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Secret => "secret",
            Self::Certificate => "certificate",
            Self::Federated => "federated",
        }
    }

    /// Of a stored credential; a row that says nothing else holds a secret.
    pub fn of(credential: &Credential) -> Self {
        [Self::Certificate, Self::Federated]
            .into_iter()
            .find(|kind| kind.as_str() == credential.kind)
            .unwrap_or(Self::Secret)
    }
}

/// What the application signs in with.
///
/// # Errors
/// As [`Vault::unseal`]; [`Error::Certificate`] for a sealed certificate that is none.
pub fn open(vault: &Vault, credential: &Credential, entropy: Arc<dyn Entropy>) -> Result<ClientCredential, Error> {
    match CredentialKind::of(credential) {
        CredentialKind::Secret => client_secret::unseal(vault, credential).map(ClientCredential::Secret),
        CredentialKind::Certificate => {
            open_certificate(vault, credential, entropy).map(|opened| ClientCredential::Certificate(opened.key))
        }
        CredentialKind::Federated => {
            let opened = open_federated(vault, credential)?;
            Ok(ClientCredential::Assertion(Arc::new(TokenFile(opened.token_file))))
        }
    }
}

pub(crate) fn open_certificate(
    vault: &Vault,
    credential: &Credential,
    entropy: Arc<dyn Entropy>,
) -> Result<Certificate, Error> {
    let pem = vault.unseal(&certificate_purpose(credential.id), &credential.sealed)?;
    certificate::parse(pem, &credential.key_id, Arc::new(GraphEntropy(entropy)))
}

pub(crate) fn open_federated(vault: &Vault, credential: &Credential) -> Result<Federated, Error> {
    let purpose = federated_purpose(credential.id);
    let text = vault.unseal(&purpose, &credential.sealed)?;
    Federated::parse(text.expose_secret()).ok_or(Error::SealDamaged { purpose })
}

/// The vault's purpose for the federated credential of one credential row.
pub(crate) fn federated_purpose(id: CredentialId) -> String {
    format!("client-federated/{id}")
}

/// The vault's purpose for the certificate of one credential row.
pub(crate) fn certificate_purpose(id: CredentialId) -> String {
    format!("client-certificate/{id}")
}
