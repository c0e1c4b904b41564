//! The format of a sealed secret.
//!
//! ```text
//! version (1) | fingerprint of the master key (8) | wrapped data key (60) | sealed secret (28 + n)
//! ```
//!
//! The secret is sealed under a random data key, and the data key under a key derived from the
//! master key, so that a later change of the master key wraps 32 bytes anew and leaves the secret
//! where it is. Both parts are AES-256-GCM, laid out as nonce (12), ciphertext, tag (16), and both
//! bind version, part and purpose as associated data. Never logs either part. The fingerprint tells
//! a wrong key from damaged bytes; it is one-way and says nothing about the key.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use secrecy::{ExposeSecret, SecretBox, SecretString, zeroize::Zeroizing};

use super::KEY_LENGTH;
use crate::Error;

const VERSION: u8 = 1;
const TAG_LENGTH: usize = 16;
const WRAPPED_LENGTH: usize = NONCE_LEN + KEY_LENGTH + TAG_LENGTH;
pub(super) const FINGERPRINT_LENGTH: usize = 8;
const HEADER_LENGTH: usize = 1 + FINGERPRINT_LENGTH;

/// What the master key gives for sealing.
pub(super) struct Keys {
    pub wrapping: SecretBox<[u8; KEY_LENGTH]>,
    pub fingerprint: [u8; FINGERPRINT_LENGTH],
}

/// The two sealed parts; their names are part of the associated data, so that one can't pass for the other.
#[derive(Clone, Copy)]
enum Part {
    DataKey,
    Secret,
}

impl Part {
    fn associated_data(self, purpose: &str) -> Vec<u8> {
        let name: &[u8] = match self {
            Self::DataKey => b"data-key",
            Self::Secret => b"secret",
        };
        [
            b"guichet-seal:",
            [VERSION].as_slice(),
            b":",
            name,
            b":",
            purpose.as_bytes(),
        ]
        .concat()
    }
}

pub(super) fn seal(keys: &Keys, purpose: &str, plaintext: &SecretString) -> Result<Vec<u8>, Error> {
    let mut data_key = Zeroizing::new([0; KEY_LENGTH]);
    aws_lc_rs::rand::fill(data_key.as_mut_slice()).map_err(|_| Error::NoRandomness)?;
    let mut sealed = Vec::with_capacity(HEADER_LENGTH + WRAPPED_LENGTH + NONCE_LEN + TAG_LENGTH + 64);
    sealed.push(VERSION);
    sealed.extend_from_slice(&keys.fingerprint);
    let wrapping = keys.wrapping.expose_secret();
    sealed.extend(encrypt(wrapping, Part::DataKey, purpose, data_key.as_slice())?);
    let secret = plaintext.expose_secret().as_bytes();
    sealed.extend(encrypt(&data_key, Part::Secret, purpose, secret)?);
    Ok(sealed)
}

pub(super) fn unseal(keys: &Keys, origin: &str, purpose: &str, sealed: &[u8]) -> Result<SecretString, Error> {
    let damaged = || Error::SealDamaged {
        purpose: purpose.to_owned(),
    };
    let (&version, rest) = sealed.split_first().ok_or_else(damaged)?;
    if version != VERSION {
        return Err(Error::SealVersion {
            purpose: purpose.to_owned(),
            version,
        });
    }
    let (fingerprint, rest) = rest.split_at_checked(FINGERPRINT_LENGTH).ok_or_else(damaged)?;
    if fingerprint != keys.fingerprint {
        return Err(Error::WrongKey {
            origin: origin.to_owned(),
        });
    }
    let (wrapped, secret) = rest.split_at_checked(WRAPPED_LENGTH).ok_or_else(damaged)?;
    let wrapping = keys.wrapping.expose_secret();
    let opened = decrypt(wrapping, Part::DataKey, purpose, wrapped).ok_or_else(damaged)?;
    let mut data_key = Zeroizing::new([0; KEY_LENGTH]);
    data_key.copy_from_slice(opened.get(..KEY_LENGTH).ok_or_else(damaged)?);
    let plaintext = decrypt(&data_key, Part::Secret, purpose, secret).ok_or_else(damaged)?;
    let text = std::str::from_utf8(&plaintext).map_err(|_| damaged())?;
    Ok(SecretString::from(text))
}

/// Nonce, ciphertext and tag in one piece.
fn encrypt(key: &[u8; KEY_LENGTH], part: Part, purpose: &str, plaintext: &[u8]) -> Result<Vec<u8>, Error> {
    let key = RandomizedNonceKey::new(&AES_256_GCM, key).map_err(|_| Error::NoRandomness)?;
    let mut buffer = plaintext.to_vec();
    let aad = Aad::from(part.associated_data(purpose));
    let nonce = key
        .seal_in_place_append_tag(aad, &mut buffer)
        .map_err(|_| Error::NoRandomness)?;
    Ok([nonce.as_ref().as_slice(), &buffer].concat())
}

fn decrypt(key: &[u8; KEY_LENGTH], part: Part, purpose: &str, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, ciphertext) = sealed.split_at_checked(NONCE_LEN)?;
    let key = RandomizedNonceKey::new(&AES_256_GCM, key).ok()?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let aad = Aad::from(part.associated_data(purpose));
    let mut buffer = Zeroizing::new(ciphertext.to_vec());
    let length = key.open_in_place(nonce, aad, &mut buffer).ok()?.len();
    buffer.truncate(length);
    Some(buffer)
}
