//! The application's credential of any kind: what it is called, and how its sealed form is opened.
//!
//! Owns the mapping from a stored row to what signs in with it. Never prints a secret or a key.

use std::sync::Arc;

use guichet_domain::{CredentialId, ports::Entropy};
use guichet_graph::ClientCredential;
use guichet_store::records::Credential;
use serde::{Deserialize, Serialize};

use crate::{
    Error,
    certificate::{self, Certificate},
    client_secret,
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
}

impl CredentialKind {
    /// As it is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Secret => "secret",
            Self::Certificate => "certificate",
        }
    }

    /// Of a stored credential; a row that says nothing else holds a secret.
    pub fn of(credential: &Credential) -> Self {
        if credential.kind == Self::Certificate.as_str() {
            Self::Certificate
        } else {
            Self::Secret
        }
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

/// The vault's purpose for the certificate of one credential row.
pub(crate) fn certificate_purpose(id: CredentialId) -> String {
    format!("client-certificate/{id}")
}
