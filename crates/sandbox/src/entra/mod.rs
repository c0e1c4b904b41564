//! Entra ID: tokens, device sign-in and discovery documents.
//!
//! Owns the token endpoint's state (signing key, device codes, refresh tokens) and the routes below
//! `https://{login}/{tenant}/`. It reads the directory to know clients and permissions and never changes it, except
//! for the consent a person gives while signing in.

pub mod claims;
pub mod client_credentials;
pub mod clients;
pub mod device_code;
pub mod discovery;
pub mod error;
pub mod form;
pub mod keys;
pub mod refresh;
pub mod routes;
pub mod scope;
pub mod sign_in_page;
pub mod tenancy;
pub mod token;

use crate::error::Error;

/// State of the identity provider.
#[derive(Debug)]
pub struct Entra {
    /// Signs every token.
    pub key: keys::SigningKey,
    /// Device sign-ins under way.
    pub device_codes: device_code::DeviceCodes,
    /// Refresh tokens given out.
    pub refresh_tokens: refresh::RefreshTokens,
}

impl Entra {
    /// A provider with a fresh key and nothing under way.
    ///
    /// # Errors
    /// When the key cannot be made.
    pub fn new() -> Result<Self, Error> {
        Ok(Self {
            key: keys::SigningKey::generate()?,
            device_codes: device_code::DeviceCodes::default(),
            refresh_tokens: refresh::RefreshTokens::default(),
        })
    }
}
