//! The client secret: what passes for one, and how its sealed form is opened.
//!
//! Owns the difference between the secret's *value* and its *id*, which the portal shows side by
//! side. Never prints a value.

use guichet_domain::CredentialId;
use guichet_store::records::Credential;
use secrecy::SecretString;
use uuid::Uuid;

use crate::{Error, vault::Vault};

/// Takes the value of a client secret as an administrator pastes it.
///
/// # Errors
/// [`Error::SecretIsId`] for a GUID: that is the secret's id, and Entra would answer AADSTS7000215
/// without end; [`Error::SecretEmpty`] for nothing.
pub fn parse(text: &str) -> Result<SecretString, Error> {
    let value = text.trim();
    if value.is_empty() {
        Err(Error::SecretEmpty)
    } else if is_secret_id(value) {
        Err(Error::SecretIsId)
    } else {
        Ok(SecretString::from(value))
    }
}

/// Whether the text is a GUID in one of the forms in which portals show one.
pub fn is_secret_id(text: &str) -> bool {
    Uuid::parse_str(text.trim()).is_ok()
}

/// The vault's purpose for the secret of one credential row.
pub(crate) fn purpose(id: CredentialId) -> String {
    format!("client-secret/{id}")
}

/// Opens the secret of a stored credential.
///
/// # Errors
/// As [`Vault::unseal`].
pub fn unseal(vault: &Vault, credential: &Credential) -> Result<SecretString, Error> {
    vault.unseal(&purpose(credential.id), &credential.sealed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    #[test]
    fn the_secret_id_is_refused_in_every_form_and_a_value_is_trimmed() {
        for id in [
            "f0b0b335-1d71-4883-8f98-567911bfdca6",
            " F0B0B335-1D71-4883-8F98-567911BFDCA6\n",
            "{f0b0b335-1d71-4883-8f98-567911bfdca6}",
        ] {
            assert!(matches!(parse(id), Err(Error::SecretIsId)), "{id} was accepted");
        }
        assert!(matches!(parse("  "), Err(Error::SecretEmpty)));
        let value = "[6gyXA5S20@MN+WRXAJ]I-TO7g1:h2P8";
        assert_eq!(parse(&format!("{value}\n")).unwrap().expose_secret(), value);
    }
}
