//! Client assertions: which kind, and the check of those that a registered certificate signed.
//!
//! Owns the order of the checks: readable, certificate known and valid, signature, audience, issuer and subject, time.
//! A header `x5c` is ignored: only registered certificates count. An assertion whose issuer is a web address belongs to
//! a federated credential and is checked in [`crate::entra::federation`].

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use url::Url;

use crate::directory::key_credentials::KeyCredential;
use crate::directory::policies::UnknownCertificate;
use crate::directory::tenant::Tenant;
use crate::entra::clients::Client;
use crate::entra::discovery;
use crate::entra::error::OAuthError;
use crate::entra::federation;
use crate::entra::form::{Form, LoginRequest};
use crate::entra::jwt::{self, Jwt};
use crate::state::Sandbox;

/// The one kind of assertion (RFC 7523).
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Checks the assertion a client presents in place of a secret.
///
/// # Errors
/// The refusal as Entra words it.
pub async fn check(
    sandbox: &Sandbox,
    request: &LoginRequest,
    form: &Form,
    client: &Client,
    assertion: &str,
) -> Result<(), OAuthError> {
    if form.need("client_assertion_type")? != JWT_BEARER {
        return Err(OAuthError::missing_credential());
    }
    let token = Jwt::parse(assertion)
        .ok_or_else(|| OAuthError::malformed_assertion("It must have three base64url parts separated by dots."))?;
    let outside = token
        .claim("iss")
        .is_some_and(|issuer| Url::parse(issuer).is_ok_and(|url| matches!(url.scheme(), "https" | "http")));
    if outside {
        federation::check(sandbox, request, client, &token).await
    } else {
        by_certificate(sandbox, request, client, &token)
    }
}

fn by_certificate(sandbox: &Sandbox, request: &LoginRequest, client: &Client, token: &Jwt) -> Result<(), OAuthError> {
    let tenant = &sandbox.tenant;
    if token.algorithm().is_none() {
        return Err(OAuthError::malformed_assertion("The algorithm must be PS256 or RS256."));
    }
    let Some(identifier) = identifier(token) else {
        return Err(OAuthError::malformed_assertion(
            "No certificate SHA-1 thumbprint, certificate SHA-256 thumbprint, nor keyId are specified in token header.",
        ));
    };
    {
        let objects = tenant.read();
        let of_application = objects.application_of(client.app_id).map(|own| own.keys.as_slice());
        let of_principal = objects
            .service_principal_of(client.app_id)
            .map(|own| own.keys.as_slice());
        let keys = of_application.into_iter().chain(of_principal).flatten();
        let named: Vec<&KeyCredential> = keys.filter(|key| key.is_named_by(token)).collect();
        let unknown = objects.policies.unknown_certificate;
        signed_by_one(tenant, client, token, &named, &identifier, unknown)?;
    }
    if !token
        .audiences()
        .iter()
        .any(|audience| is_our_audience(sandbox, request, audience))
    {
        return Err(OAuthError::invalid_assertion(
            "Client assertion audience claim does not match Realm issuer: use the token endpoint's address.",
        ));
    }
    let is_client = |name: &str| {
        let value = token.claim(name);
        value.is_some_and(|value| value.eq_ignore_ascii_case(&client.app_id.to_string()))
    };
    if !is_client("iss") || !is_client("sub") {
        return Err(OAuthError::invalid_assertion(
            "Client assertion application identifier doesn't match 'client_id' parameter: 'iss' and 'sub' must both be the client id.",
        ));
    }
    let now = tenant.clock.now();
    token
        .check_times(now)
        .map_err(|times| OAuthError::untimely_assertion(now, times))
}

fn signed_by_one(
    tenant: &Tenant,
    client: &Client,
    token: &Jwt,
    named: &[&KeyCredential],
    identifier: &str,
    unknown: UnknownCertificate,
) -> Result<(), OAuthError> {
    let now = tenant.clock.now();
    let first = *named.first().ok_or_else(|| match unknown {
        UnknownCertificate::KeyNotFound => OAuthError::unknown_assertion_key(client.app_id, identifier),
        UnknownCertificate::NotAuthorized => OAuthError::unauthorized_thumbprint(identifier),
    })?;
    let signer = named.iter().find(|key| key.signed(token));
    let Some(signer) = signer else {
        return Err(OAuthError::wrong_assertion_signature(identifier));
    };
    if named.iter().any(|key| key.is_valid_at(now)) && signer.is_valid_at(now) {
        Ok(())
    } else {
        Err(OAuthError::expired_assertion_key(identifier, first.start, first.end))
    }
}

/// The thumbprint as refusals show it: hexadecimal digits where it can be decoded.
fn identifier(token: &Jwt) -> Option<String> {
    let named = ["x5t#S256", "x5t"].iter().find_map(|name| token.header(name));
    match named {
        Some(thumbprint) => Some(
            URL_SAFE_NO_PAD
                .decode(thumbprint.trim_end_matches('='))
                .map_or_else(|_| thumbprint.to_owned(), |hash| jwt::hex(&hash)),
        ),
        None => token.header("kid").map(str::to_owned),
    }
}

/// The token endpoint of version 2 or 1, or one of the issuer names, at Microsoft's host or at ours.
fn is_our_audience(sandbox: &Sandbox, request: &LoginRequest, audience: &str) -> bool {
    let Ok(url) = Url::parse(audience) else {
        return false;
    };
    let origin = url.origin();
    let same = |base: &str| Url::parse(base).is_ok_and(|base| base.origin() == origin);
    let described = sandbox.description.get();
    let ours = same(&request.base_url)
        || described.is_some_and(|own| same(&own.authority) || own.authority_http.as_deref().is_some_and(same));
    let microsofts =
        url.scheme() == "https" && url.port().is_none() && url.host_str().is_some_and(discovery::is_login_host);
    if !(ours || microsofts) || url.query().is_some() {
        return false;
    }
    let path = url.path().trim_end_matches('/').to_ascii_lowercase();
    let mut words = path.trim_start_matches('/').split('/');
    let is_tenant = words.next().is_some_and(|name| sandbox.tenant.is_called(name));
    let rest: Vec<&str> = words.collect();
    is_tenant
        && matches!(
            rest.as_slice(),
            ["oauth2", "v2.0", "token"] | ["oauth2", "token"] | ["v2.0"] | []
        )
}
