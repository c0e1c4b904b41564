//! Access tokens: where they come from and what they say.
//!
//! Owns the port through which a call gets its token, and the token itself. Never validates a
//! token: Graph's are opaque to clients; the claims are read for diagnosis only. Never shows a
//! token's text in debug output.

mod assertion;
mod authorization_code;
mod client_credentials;
mod device_code;
mod entra_error;
mod exchange;
mod fixed;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

pub use assertion::CertificateKey;
pub use authorization_code::{AuthorizationCode, BrowserSignIn};
pub use client_credentials::{AssertionSource, ClientCredential, ClientCredentials};
pub use device_code::{DeviceCode, DeviceCodePrompt, UserToken};
pub use entra_error::{EntraError, parse_token_error};
pub use fixed::FixedToken;

pub(crate) use entra_error::error_from_entra;

use crate::endpoints::Resource;
use crate::error::Result;

/// The operation that errors of a token that can't be had name.
pub const GET_TOKEN: &str = "get token";

/// Gives tokens.
#[async_trait]
pub trait TokenSource: Send + Sync + fmt::Debug {
    /// A token that is good for some minutes at least, from memory where possible.
    ///
    /// # Errors
    /// The sign-in service's refusal, with its `AADSTS…` code, or the transport's failure.
    async fn token(&self, resource: Resource) -> Result<AccessToken>;

    /// Says that the resource refused this token (401), so that the next call gets another one.
    fn invalidate(&self, resource: &Resource, refused: &AccessToken);
}

/// A bearer token. Cheap to clone.
#[derive(Clone)]
pub struct AccessToken {
    inner: Arc<Inner>,
}

struct Inner {
    secret: SecretString,
    expires_at: Timestamp,
}

/// What a token says about itself; everything is optional, since tokens of version 1 and 2 differ.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct TokenClaims {
    /// The resource the token is for.
    pub aud: Option<String>,
    /// Who issued it.
    pub iss: Option<String>,
    /// Tenant id.
    pub tid: Option<String>,
    /// Client id of the application (`appid` in version 1, `azp` in version 2).
    #[serde(alias = "azp")]
    pub appid: Option<String>,
    /// Object id of the service principal or the user.
    pub oid: Option<String>,
    /// `app` for a token without a user.
    pub idtyp: Option<String>,
    /// Display name of the application.
    pub app_displayname: Option<String>,
    /// Name of the signed-in user, if any.
    pub upn: Option<String>,
    /// Application permissions granted in Entra ID. Rights given by RBAC for Applications do not
    /// appear here.
    pub roles: Vec<String>,
    /// Delegated permissions, separated by spaces.
    pub scp: Option<String>,
    /// Directory roles of the signed-in user (template ids).
    pub wids: Vec<String>,
}

impl AccessToken {
    /// A token with its expiry.
    pub fn new(secret: SecretString, expires_at: Timestamp) -> Self {
        Self {
            inner: Arc::new(Inner { secret, expires_at }),
        }
    }

    /// The token's text.
    pub fn secret(&self) -> &SecretString {
        &self.inner.secret
    }

    /// When it stops being accepted, by the clock of the one who asked for it.
    pub fn expires_at(&self) -> Timestamp {
        self.inner.expires_at
    }

    /// The claims, unvalidated, for diagnosis only. `None` if the token is not a JWT.
    pub fn claims(&self) -> Option<TokenClaims> {
        let payload = self.inner.secret.expose_secret().split('.').nth(1)?;
        let json = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
        serde_json::from_slice(&json).ok()
    }

    /// Whether both are the same token, not merely equal in text.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken")
            .field("expires_at", &self.inner.expires_at)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jwt(claims: &str) -> AccessToken {
        let text = format!(
            "{}.{}.sig",
            URL_SAFE_NO_PAD.encode("{}"),
            URL_SAFE_NO_PAD.encode(claims)
        );
        AccessToken::new(text.into(), Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn claims_of_both_versions_name_the_application() {
        let first = jwt(r#"{"appid":"a","tid":"t","oid":"o","roles":["Mail.Send"],"xms_tcdt":1}"#)
            .claims()
            .unwrap();
        assert_eq!(first.appid.as_deref(), Some("a"));
        assert_eq!(first.roles, ["Mail.Send"]);
        assert_eq!(jwt(r#"{"azp":"a"}"#).claims().unwrap().appid.as_deref(), Some("a"));
    }

    #[test]
    fn token_that_is_no_jwt_has_no_claims() {
        assert_eq!(AccessToken::new("opaque".into(), Timestamp::UNIX_EPOCH).claims(), None);
    }

    #[test]
    fn token_text_is_absent_from_debug_output() {
        let token = AccessToken::new("very-secret".into(), Timestamp::UNIX_EPOCH);
        assert!(!format!("{token:?}").contains("very-secret"));
    }
}
