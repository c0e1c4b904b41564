//! Entra ID: tokens, device sign-in and discovery documents.
//!
//! Owns the token endpoint's state (signing key, device codes, refresh tokens) and the routes below
//! `https://{login}/{tenant}/`. It reads the directory to know clients and permissions and never changes it, except
//! for the consent a person gives while signing in.

pub mod admin_consent;
pub mod assertion;
pub mod authorization_code;
pub mod authorize;
pub mod claims;
pub mod client_credentials;
pub mod clients;
pub mod device_code;
pub mod discovery;
pub mod error;
pub mod federation;
pub mod form;
pub mod jwt;
pub mod keys;
pub mod on_behalf_of;
pub mod password;
pub mod redirect;
pub mod refresh;
pub mod repeats;
pub mod routes;
pub mod scope;
pub mod sign_in_page;
pub mod tenancy;
pub mod token;
pub mod userinfo;

use std::sync::Arc;

use crate::error::Error;

/// State of the identity provider.
#[derive(Debug)]
pub struct Entra {
    /// Signs every token.
    pub key: Arc<keys::SigningKey>,
    /// Device sign-ins under way.
    pub device_codes: device_code::DeviceCodes,
    /// Refresh tokens given out.
    pub refresh_tokens: refresh::RefreshTokens,
    /// Authorization codes given out.
    pub codes: authorization_code::Codes,
    /// How often the same token is asked for.
    pub repeats: repeats::Repeats,
    /// Asks outside issuers for their keys.
    pub issuers: reqwest::Client,
}

impl Entra {
    /// A provider with nothing under way, and a fresh key if none was saved; outside issuers are trusted under `trusted_pem` only.
    ///
    /// # Errors
    /// When the key cannot be made.
    pub fn new(trusted_pem: &[Vec<u8>], key: Option<&keys::SavedKey>) -> Result<Self, Error> {
        Ok(Self {
            key: Arc::new(match key {
                Some(saved) => keys::SigningKey::restore(saved)?,
                None => keys::SigningKey::generate()?,
            }),
            device_codes: device_code::DeviceCodes::default(),
            refresh_tokens: refresh::RefreshTokens::default(),
            codes: authorization_code::Codes::default(),
            repeats: repeats::Repeats::default(),
            issuers: federation::issuer_client(trusted_pem)?,
        })
    }
}
