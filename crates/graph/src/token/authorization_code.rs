//! Sign-in of a person in a browser of this machine (OAuth authorization code with PKCE, RFC 7636 and
//! RFC 8252).
//!
//! Owns the address that the browser opens, the check of what comes back, and the exchange. Never
//! listens: whoever has the loopback address hands over the query that arrived there. Invariant: an
//! answer that does not carry this sign-in's state is never believed.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use guichet_net::Transport;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use url::{Url, form_urlencoded};

use super::exchange::{Granted, request_token};
use super::{UserToken, parse_token_error};
use crate::class::Class;
use crate::error::{Error, Result};
use crate::ports::{Entropy, Time};

const OPERATION: &str = "sign in with a browser";

/// Bytes of the verifier and of the state: 256 bits each.
const RANDOM_BYTES: usize = 32;

/// Signs a person in.
#[derive(Debug)]
pub struct AuthorizationCode {
    transport: Arc<dyn Transport>,
    time: Arc<dyn Time>,
    entropy: Arc<dyn Entropy>,
    authorization_endpoint: Url,
    token_endpoint: Url,
}

/// A sign-in that has begun.
pub struct BrowserSignIn {
    /// What the browser opens.
    pub address: Url,
    /// What the answer must carry.
    pub state: String,
    verifier: SecretString,
    client_id: String,
    redirect_uri: String,
}

impl AuthorizationCode {
    /// Uses the two endpoints that discovery gives.
    pub fn new(
        transport: Arc<dyn Transport>,
        time: Arc<dyn Time>,
        entropy: Arc<dyn Entropy>,
        authorization_endpoint: Url,
        token_endpoint: Url,
    ) -> Self {
        Self {
            transport,
            time,
            entropy,
            authorization_endpoint,
            token_endpoint,
        }
    }

    /// Begins. Nothing is sent.
    pub fn start(&self, client_id: &str, redirect_uri: &str, scopes: &[&str]) -> BrowserSignIn {
        let (verifier, state) = (self.random(), self.random());
        let challenge = URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, verifier.as_bytes()));
        let mut address = self.authorization_endpoint.clone();
        address.query_pairs_mut().extend_pairs([
            ("client_id", client_id),
            ("response_type", "code"),
            ("redirect_uri", redirect_uri),
            ("response_mode", "query"),
            ("scope", &scopes.join(" ")),
            ("state", &state),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            // An administrator often has several accounts.
            ("prompt", "select_account"),
        ]);
        BrowserSignIn {
            address,
            state,
            verifier: verifier.into(),
            client_id: client_id.to_owned(),
            redirect_uri: redirect_uri.to_owned(),
        }
    }

    /// Takes the query that came back to the redirect address.
    ///
    /// # Errors
    /// The service's refusal with its `AADSTS` code or OAuth word; `Denied` with code
    /// `state_mismatch` for an answer to another sign-in.
    pub async fn finish(&self, begun: &BrowserSignIn, query: &str) -> Result<UserToken> {
        let field = |name: &str| {
            form_urlencoded::parse(query.as_bytes())
                .find(|(known, _)| known == name)
                .map(|(_, value)| value.into_owned())
        };
        if field("state").as_deref() != Some(begun.state.as_str()) {
            let text = "the answer belongs to another sign-in; start again";
            return Err(Error::new(Class::Denied, OPERATION, "state_mismatch", text));
        }
        let Some(code) = field("code").map(SecretString::from) else {
            let word = field("error").unwrap_or_else(|| "no_code".to_owned());
            return Err(refusal(&word, &field("error_description").unwrap_or_default()));
        };
        let fields = [
            ("grant_type", "authorization_code"),
            ("client_id", begun.client_id.as_str()),
            ("redirect_uri", begun.redirect_uri.as_str()),
            ("code", code.expose_secret()),
            ("code_verifier", begun.verifier.expose_secret()),
        ];
        let Granted {
            token, refresh, scopes, ..
        } = request_token(&*self.transport, &*self.time, OPERATION, &self.token_endpoint, &fields).await?;
        Ok(UserToken { token, refresh, scopes })
    }

    fn random(&self) -> String {
        let mut bytes = [0; RANDOM_BYTES];
        self.entropy.fill(&mut bytes);
        URL_SAFE_NO_PAD.encode(bytes)
    }
}

/// A refusal that came through the browser, read as one of the token endpoint.
fn refusal(word: &str, description: &str) -> Error {
    let digits = description.strip_prefix("AADSTS").unwrap_or_default();
    let digits: String = digits.chars().take_while(char::is_ascii_digit).collect();
    let codes: Vec<u32> = digits.parse().into_iter().collect();
    let body = json!({ "error": word, "error_description": description, "error_codes": codes });
    match parse_token_error(body.to_string().as_bytes()) {
        Some(read) => Error::new(read.class(), OPERATION, read.code(), read.description),
        None => Error::new(Class::Denied, OPERATION, word, description),
    }
}

impl fmt::Debug for BrowserSignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BrowserSignIn")
            .field("client_id", &self.client_id)
            .field("redirect_uri", &self.redirect_uri)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_through_the_browser_keeps_its_code_and_words() {
        let error = refusal("access_denied", "AADSTS65004: User declined to consent.\r\nTrace ID: t");
        assert_eq!(error.code, "AADSTS65004");
        assert!(error.message.contains("declined"), "{}", error.message);
        let error = refusal("access_denied", "the user canceled the authentication");
        assert_eq!(error.code, "access_denied");
        assert!(error.message.contains("canceled"), "{}", error.message);
    }
}
