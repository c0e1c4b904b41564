//! Who is calling: the checked content of a bearer token.
//!
//! Owns the reading of the `Authorization` header and the refusals of §5 of the contract. It never looks at what is
//! asked for; resources ask [`Caller::may`]. A verified token is remembered by its hash, so that the signature of one
//! token is checked once; at most [`MAX_CACHED`] are remembered.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::header::{AUTHORIZATION, HeaderValue, WWW_AUTHENTICATE};
use http::{HeaderMap, StatusCode};
use serde_json::Value;
use uuid::Uuid;

use crate::directory::permissions::{EXCHANGE_APP_ID, GRAPH_APP_ID};
use crate::entra::claims;
use crate::odata::error::ODataError;
use crate::state::Sandbox;

/// Verified tokens remembered at once: more than any test has clients, and a bound for a client that never caches.
const MAX_CACHED: usize = 4096;

/// Whether a token was issued to an application or to a signed-in person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallerKind {
    /// Client credentials: `roles` count.
    App,
    /// A signed-in user: `scopes` count.
    Delegated,
    /// No token: only upload URLs, which carry their own proof.
    Anonymous,
}

/// The sender of a request.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Application (client) id.
    pub app_id: Uuid,
    /// Object id of the application's service principal, if the tenant has one.
    pub service_principal_id: Option<Uuid>,
    /// The signed-in user of a delegated token.
    pub user_id: Option<Uuid>,
    /// Which kind of token.
    pub kind: CallerKind,
    /// Application permissions.
    pub roles: Vec<String>,
    /// Delegated permissions.
    pub scopes: Vec<String>,
}

impl Caller {
    /// Whether the token carries at least one of these permissions (application roles for an application, scopes for
    /// a signed-in user).
    #[must_use]
    pub fn may(&self, any_of: &[&str]) -> bool {
        let held = match self.kind {
            CallerKind::App => &self.roles,
            CallerKind::Delegated => &self.scopes,
            CallerKind::Anonymous => return false,
        };
        held.iter()
            .any(|permission| any_of.iter().any(|wanted| permission.eq_ignore_ascii_case(wanted)))
    }

    /// A caller without a token, for URLs that carry their own proof.
    #[must_use]
    pub fn anonymous() -> Self {
        Self {
            app_id: Uuid::nil(),
            service_principal_id: None,
            user_id: None,
            kind: CallerKind::Anonymous,
            roles: Vec::new(),
            scopes: Vec::new(),
        }
    }
}

/// Verified tokens by the hash of their text.
#[derive(Debug, Default)]
pub struct TokenCache(RwLock<HashMap<[u8; 32], Arc<Verified>>>);

#[derive(Debug)]
struct Verified {
    audience: Option<Audience>,
    caller: Caller,
    number: u64,
    not_before: i64,
    expires: i64,
}

/// A resource that takes tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Audience {
    Graph,
    Exchange,
}

impl Audience {
    /// Whose `aud` it is, with or without a trailing slash.
    fn of(claim: &str) -> Option<Self> {
        let (graph, exchange) = (GRAPH_APP_ID.to_string(), EXCHANGE_APP_ID.to_string());
        match claim.trim_end_matches('/') {
            "https://graph.microsoft.com" => Some(Self::Graph),
            "https://outlook.office365.com" | "https://outlook.office.com" => Some(Self::Exchange),
            other if other == graph => Some(Self::Graph),
            other if other == exchange => Some(Self::Exchange),
            _ => None,
        }
    }
}

/// Who sent a request to Graph.
///
/// # Errors
/// 401 `InvalidAuthenticationToken` with `WWW-Authenticate`.
pub fn caller(sandbox: &Sandbox, headers: &HeaderMap) -> Result<Caller, ODataError> {
    caller_for(sandbox, headers, Audience::Graph)
}

/// Who sent a request to Exchange's own interface.
///
/// # Errors
/// 401 `InvalidAuthenticationToken` with `WWW-Authenticate`.
pub fn exchange_caller(sandbox: &Sandbox, headers: &HeaderMap) -> Result<Caller, ODataError> {
    caller_for(sandbox, headers, Audience::Exchange)
}

fn caller_for(sandbox: &Sandbox, headers: &HeaderMap, audience: Audience) -> Result<Caller, ODataError> {
    let token = bearer(headers).ok_or_else(|| refusal("Access token is empty."))?;
    let hash = hash(token);
    let known = sandbox
        .tokens
        .0
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .get(&hash)
        .cloned();
    let verified = match known {
        Some(verified) => verified,
        None => {
            let verified = Arc::new(verify(sandbox, token)?);
            let mut cache = sandbox.tokens.0.write().unwrap_or_else(PoisonError::into_inner);
            if cache.len() >= MAX_CACHED {
                cache.clear();
            }
            cache.insert(hash, Arc::clone(&verified));
            verified
        }
    };
    if verified.audience != Some(audience) {
        return Err(refusal("Access token validation failure. Invalid audience."));
    }
    let now = sandbox.clock.now().as_second();
    if now >= verified.expires {
        return Err(refusal("Lifetime validation failed, the token is expired."));
    }
    if now < verified.not_before {
        return Err(refusal("Lifetime validation failed, the token is not yet valid."));
    }
    let caller = &verified.caller;
    if let Some(revoked) = sandbox.revocations.of(caller.app_id, caller.user_id, verified.number) {
        return Err(revocation_refusal(revoked.at, revoked.challenge));
    }
    Ok(verified.caller.clone())
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

fn hash(token: &str) -> [u8; 32] {
    let mut hash = [0_u8; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, token.as_bytes()).as_ref());
    hash
}

fn verify(sandbox: &Sandbox, token: &str) -> Result<Verified, ODataError> {
    if !token.contains('.') {
        return Err(refusal(
            "IDX14100: JWT is not well formed, there are no dots (.).\nThe token needs to be in JWS or JWE Compact Serialization Format. (JWS): 'EncodedHeader.EncodedPayload.EncodedSignature'. (JWE): 'EncodedProtectedHeader.EncodedEncryptedKey.EncodedInitializationVector.EncodedCiphertext.EncodedAuthenticationTag'.",
        ));
    }
    let (claims, input, signature) =
        parts(token).ok_or_else(|| refusal("CompactToken parsing failed with error code: 80049217"))?;
    if !sandbox.entra.key.verifies(input.as_bytes(), &signature) {
        return Err(refusal("Signature is invalid."));
    }
    let audience = Audience::of(claims["aud"].as_str().unwrap_or_default());
    if audience.is_none() {
        return Err(refusal("Access token validation failure. Invalid audience."));
    }
    let id = |name: &str| claims[name].as_str().and_then(|text| text.parse::<Uuid>().ok());
    let (Some(app_id), Some(object_id)) = (id("appid"), id("oid")) else {
        return Err(refusal("Access token validation failure."));
    };
    let delegated = claims["idtyp"] == "user";
    let roles = claims["roles"].as_array().into_iter().flatten();
    let roles = roles.filter_map(|role| role.as_str().map(str::to_owned)).collect();
    let scopes = claims["scp"]
        .as_str()
        .unwrap_or_default()
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    let principal = sandbox
        .tenant
        .read()
        .service_principal_of(app_id)
        .map(|principal| principal.id);
    let caller = Caller {
        app_id,
        service_principal_id: if delegated { principal } else { Some(object_id) },
        user_id: delegated.then_some(object_id),
        kind: if delegated {
            CallerKind::Delegated
        } else {
            CallerKind::App
        },
        roles,
        scopes,
    };
    let second = |name: &str| claims[name].as_i64().unwrap_or_default();
    Ok(Verified {
        audience,
        caller,
        number: claims::number(claims["uti"].as_str().unwrap_or_default()),
        not_before: second("nbf"),
        expires: second("exp"),
    })
}

/// Claims, signed text and signature of a compact token.
fn parts(token: &str) -> Option<(Value, &str, Vec<u8>)> {
    let (input, signature) = token.rsplit_once('.')?;
    let (header, payload) = input.split_once('.')?;
    let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).ok();
    let header: Value = serde_json::from_slice(&decode(header)?).ok()?;
    let claims: Value = serde_json::from_slice(&decode(payload)?).ok()?;
    (header.is_object() && claims.is_object()).then_some((claims, input, decode(signature)?))
}

/// The refusal of a token that was revoked. With a challenge it says, as continuous access evaluation does, which
/// claims a new token needs.
#[must_use]
pub fn revocation_refusal(at: i64, challenge: bool) -> ODataError {
    if !challenge {
        return refusal("Access token has been revoked.");
    }
    let wanted = serde_json::json!({"access_token": {"nbf": {"essential": true, "value": at.to_string()}}});
    let claims = STANDARD.encode(wanted.to_string());
    let header = format!(
        r#"Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", client_id="{GRAPH_APP_ID}", error="insufficient_claims", claims="{claims}""#
    );
    let error = refusal(
        "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: TokenIssuedBeforeRevocationTimestamp",
    );
    match HeaderValue::from_str(&header) {
        Ok(header) => error.with_header(WWW_AUTHENTICATE, header),
        Err(_) => error,
    }
}

fn refusal(message: &'static str) -> ODataError {
    let challenge = HeaderValue::from_static(
        r#"Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", client_id="00000003-0000-0000-c000-000000000000""#,
    );
    ODataError::new(StatusCode::UNAUTHORIZED, "InvalidAuthenticationToken", message)
        .with_header(WWW_AUTHENTICATE, challenge)
}
