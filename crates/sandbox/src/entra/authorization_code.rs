//! Authorization codes: given out after a sign-in, redeemed once for tokens.
//!
//! Owns the codes and the checks of their redemption: client, redirect URI, PKCE (RFC 7636), origin, time, and once
//! only. At most [`MAX_CODES`] are kept, the oldest goes first.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::ORIGIN;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use subtle::ConstantTimeEq as _;
use uuid::Uuid;

use crate::directory::redirects::Platform;
use crate::entra::clients::{self, Need};
use crate::entra::error::OAuthError;
use crate::entra::form::{Form, LoginRequest};
use crate::entra::jwt;
use crate::entra::token::{self, SignIn};
use crate::state::Sandbox;

/// Life of a code.
const LIFE: SignedDuration = SignedDuration::from_mins(10);
/// Codes kept at once.
const MAX_CODES: usize = 1000;
/// Letters of a code.
const LENGTH: usize = 160;

/// What binds a code to the program that asked for it.
#[derive(Debug, Clone)]
pub enum Challenge {
    /// The base64url SHA-256 of the verifier.
    Sha256(String),
    /// The verifier itself.
    Plain(String),
}

impl Challenge {
    /// Reads the parameters of an authorization request.
    ///
    /// # Errors
    /// AADSTS501491.
    pub fn parse(form: &Form) -> Result<Option<Self>, OAuthError> {
        let Some(challenge) = form.get("code_challenge") else {
            return Ok(None);
        };
        if !(43..=128).contains(&challenge.len()) {
            return Err(OAuthError::invalid_challenge());
        }
        match form.get("code_challenge_method") {
            Some("S256") => Ok(Some(Self::Sha256(challenge.to_owned()))),
            None | Some("plain") => Ok(Some(Self::Plain(challenge.to_owned()))),
            Some(_) => Err(OAuthError::invalid_challenge()),
        }
    }

    fn admits(&self, verifier: &str) -> bool {
        let (expected, given) = match self {
            Self::Sha256(challenge) => (challenge, URL_SAFE_NO_PAD.encode(jwt::sha256(verifier.as_bytes()))),
            Self::Plain(challenge) => (challenge, verifier.to_owned()),
        };
        expected.as_bytes().ct_eq(given.as_bytes()).into()
    }
}

/// What a code stands for.
#[derive(Debug, Clone)]
pub struct Authorization {
    /// For whom.
    pub client: Uuid,
    /// Who signed in.
    pub user: Uuid,
    /// What was asked for.
    pub scope: String,
    /// Where the code was sent, as the client wrote it; none when it left the choice to the registration.
    pub redirect_uri: Option<String>,
    /// What kind of program that is.
    pub platform: Platform,
    /// What the verifier must fit.
    pub challenge: Option<Challenge>,
    /// What the identity token repeats.
    pub nonce: Option<String>,
}

/// Codes given out.
#[derive(Debug, Default)]
pub struct Codes(Mutex<VecDeque<Issued>>);

struct Issued {
    code: String,
    authorization: Authorization,
    expires_at: Timestamp,
    redeemed: bool,
}

impl std::fmt::Debug for Issued {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Issued").finish_non_exhaustive()
    }
}

impl Codes {
    /// A new code.
    pub fn issue(&self, sandbox: &Sandbox, authorization: Authorization) -> String {
        let code = format!("1.{}", sandbox.entropy.secret(LENGTH));
        let expires_at = sandbox.clock.now().checked_add(LIFE).unwrap_or(Timestamp::MAX);
        let mut codes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if codes.len() >= MAX_CODES {
            codes.pop_front();
        }
        codes.push_back(Issued {
            code: code.clone(),
            authorization,
            expires_at,
            redeemed: false,
        });
        code
    }

    fn find(&self, code: &str) -> Option<Authorization> {
        let codes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let issued = codes.iter().find(|issued| issued.code == code)?;
        Some(issued.authorization.clone())
    }

    /// Takes the code out of use; only the first call succeeds.
    fn redeem(&self, code: &str, now: Timestamp) -> Result<(), OAuthError> {
        let mut codes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let issued = codes
            .iter_mut()
            .find(|issued| issued.code == code)
            .ok_or_else(OAuthError::invalid_grant)?;
        if issued.redeemed {
            return Err(OAuthError::redeemed_code());
        }
        if now >= issued.expires_at {
            return Err(OAuthError::expired_code());
        }
        issued.redeemed = true;
        Ok(())
    }
}

/// `grant_type=authorization_code`.
///
/// # Errors
/// The refusal as Entra words it.
pub async fn grant(sandbox: &Sandbox, request: &LoginRequest, form: &Form) -> Result<Value, OAuthError> {
    let code = form.need("code")?;
    let authorization = sandbox.entra.codes.find(code);
    let need = match authorization.as_ref().map(|authorization| authorization.platform) {
        Some(Platform::Web) => Need::Always,
        Some(Platform::Public | Platform::SinglePage) => Need::Never,
        None => Need::IfConfidential,
    };
    let client = clients::identify(sandbox, request, form, need).await?;
    let authorization = authorization
        .filter(|authorization| authorization.client == client.app_id)
        .ok_or_else(OAuthError::invalid_grant)?;
    check_redirect(form, &authorization)?;
    check_origin(request, authorization.platform)?;
    match (&authorization.challenge, form.get("code_verifier")) {
        (None, None) => {}
        (Some(challenge), Some(verifier)) if challenge.admits(verifier) => {}
        _ => return Err(OAuthError::wrong_verifier()),
    }
    sandbox.entra.codes.redeem(code, sandbox.clock.now())?;
    token::user_answer(
        sandbox,
        request,
        form,
        &SignIn {
            client,
            user: authorization.user,
            scope: form.get("scope").unwrap_or(&authorization.scope),
            nonce: authorization.nonce.as_deref(),
        },
    )
}

fn check_redirect(form: &Form, authorization: &Authorization) -> Result<(), OAuthError> {
    match (&authorization.redirect_uri, form.get("redirect_uri")) {
        (None, _) => Ok(()),
        (Some(_), None) => Err(OAuthError::missing_parameter("redirect_uri")),
        (Some(asked), Some(given)) if asked == given => Ok(()),
        (Some(asked), Some(given)) => Err(OAuthError::other_redirect(given, asked)),
    }
}

/// A browser names the origin of a page; only single-page applications may redeem from one.
fn check_origin(request: &LoginRequest, platform: Platform) -> Result<(), OAuthError> {
    let origin = request.headers.get(ORIGIN).and_then(|value| value.to_str().ok());
    match (platform, origin) {
        (Platform::SinglePage, None) => Err(OAuthError::cross_origin_needed()),
        (Platform::Web | Platform::Public, Some(origin)) => Err(OAuthError::cross_origin_refused(origin)),
        _ => Ok(()),
    }
}
