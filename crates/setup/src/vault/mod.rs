//! Secrets at rest: one master key, and an envelope for each secret.
//!
//! Owns the master key and everything that is sealed under it. Never writes a key or a secret into
//! a message, a log or a debug print. Invariant: what was sealed for one purpose opens for no other
//! purpose and under no other master key.

mod envelope;
mod key_source;

use aws_lc_rs::hkdf;
use guichet_domain::token::TokenKey;
use secrecy::{ExposeSecret, SecretBox, SecretString};

pub use key_source::KeySource;

use crate::Error;

/// Length of the master key and of every derived key: AES-256.
pub const KEY_LENGTH: usize = 32;

/// Salt of every derivation: it separates this program's keys from those of any other program that
/// was given the same master key.
const SALT: &[u8] = b"guichet";

/// Seals and opens secrets, and derives keys for other uses.
///
/// Key material is drawn from the operating system's generator and not from the injected entropy
/// port: a repeated nonce would break AES-GCM, so no caller may choose it.
pub struct Vault {
    master: SecretBox<[u8; KEY_LENGTH]>,
    origin: String,
}

impl Vault {
    /// The key of the tokens in subjects, derived from the master key.
    pub fn token_key(&self) -> TokenKey {
        TokenKey::new(&self.derive("conversation-token"))
    }

    /// Reads the master key. A key file that does not exist yet is created, readable by its owner
    /// only, with a fresh random key.
    ///
    /// # Errors
    /// [`Error::KeyUnusable`] when the key cannot be read or created, has a wrong length, or lies in
    /// a file that others may read.
    pub fn open(source: KeySource) -> Result<Self, Error> {
        let origin = source.to_string();
        let master = source.read()?;
        Ok(Self { master, origin })
    }

    /// Where the master key came from, in words fit for a message.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Seals a secret for one purpose. `purpose` names the use and the record, for example
    /// `client-secret/<credential id>`, so that a sealed value moved to another row does not open.
    ///
    /// # Errors
    /// [`Error::NoRandomness`] when the operating system gives no random bytes.
    pub fn seal(&self, purpose: &str, plaintext: &SecretString) -> Result<Vec<u8>, Error> {
        envelope::seal(&self.keys(), purpose, plaintext)
    }

    /// Opens what [`seal`](Self::seal) made for the same purpose.
    ///
    /// # Errors
    /// [`Error::WrongKey`] when another master key sealed it; [`Error::SealDamaged`] when the bytes
    /// were altered, or belong to another purpose.
    pub fn unseal(&self, purpose: &str, sealed: &[u8]) -> Result<SecretString, Error> {
        envelope::unseal(&self.keys(), &self.origin, purpose, sealed)
    }

    /// A key of its own for another use, by HKDF-SHA256. The same label gives the same key as long
    /// as the master key stays.
    pub fn derive(&self, label: &str) -> [u8; KEY_LENGTH] {
        self.expand("derive", label)
    }

    fn keys(&self) -> envelope::Keys {
        let fingerprint = self.expand("vault", "fingerprint");
        let mut short = [0; envelope::FINGERPRINT_LENGTH];
        short.copy_from_slice(&fingerprint[..envelope::FINGERPRINT_LENGTH]);
        envelope::Keys {
            wrapping: SecretBox::new(Box::new(self.expand("vault", "wrapping"))),
            fingerprint: short,
        }
    }

    /// `realm` keeps the vault's own keys apart from those that callers derive.
    fn expand(&self, realm: &str, label: &str) -> [u8; KEY_LENGTH] {
        let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, SALT);
        let prk = salt.extract(self.master.expose_secret());
        let info = [realm.as_bytes(), b":", label.as_bytes()];
        let mut key = [0; KEY_LENGTH];
        prk.expand(&info, hkdf::HKDF_SHA256)
            .and_then(|okm| okm.fill(&mut key))
            .expect("one SHA-256 block is within what HKDF may expand to");
        key
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault")
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}
