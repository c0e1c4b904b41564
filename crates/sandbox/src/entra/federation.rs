//! Assertions of outside issuers: federated credentials.
//!
//! Owns the exact matching of issuer, subject and audience, and the fetching of an issuer's keys. An issuer is asked
//! only after an administrator's record named it. What an issuer sends is bounded in time and size, and redirects are
//! not followed. Tokens of the tenant itself are checked with its own key, without a request.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::Value;

use crate::directory::federated::FederatedCredential;
use crate::entra::clients::Client;
use crate::entra::error::OAuthError;
use crate::entra::form::LoginRequest;
use crate::entra::jwt::{Algorithm, Jwt, PublicKey};
use crate::error::Error;
use crate::state::Sandbox;

/// How long an issuer may take for one document.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Largest document of an issuer: far above any key set.
const MAX_DOCUMENT: usize = 256 * 1024;
/// Keys of one issuer that are tried.
const MAX_KEYS: usize = 64;

/// A client that trusts these authorities and nothing else.
///
/// # Errors
/// When a certificate cannot be read.
pub fn issuer_client(trusted_pem: &[Vec<u8>]) -> Result<reqwest::Client, Error> {
    fn crypto(error: impl std::fmt::Display) -> Error {
        Error::Crypto(error.to_string())
    }
    let mut roots = rustls::RootCertStore::empty();
    for pem in trusted_pem {
        for certificate in CertificateDer::pem_slice_iter(pem) {
            roots.add(certificate.map_err(crypto)?).map_err(crypto)?;
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(crypto)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .timeout(TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .pool_max_idle_per_host(0)
        .no_proxy()
        .build()
        .map_err(crypto)
}

/// Checks an outside assertion.
///
/// # Errors
/// AADSTS700211, 700213 or 700212 when no record matches; 50166 when the issuer cannot be asked; 50013, 500133 or
/// 700229 when the assertion is not acceptable.
pub async fn check(sandbox: &Sandbox, request: &LoginRequest, client: &Client, token: &Jwt) -> Result<(), OAuthError> {
    let tenant = &sandbox.tenant;
    let issuer = token.claim("iss").unwrap_or_default();
    {
        let objects = tenant.read();
        let records = objects
            .application_of(client.app_id)
            .map(|own| own.federated.as_slice());
        matched(records.unwrap_or_default(), token)?;
    }
    if token.algorithm() != Some(Algorithm::Rs256) {
        return Err(OAuthError::malformed_assertion("The algorithm must be RS256."));
    }
    let id = tenant.id;
    let own = [
        format!("https://login.microsoftonline.com/{id}/v2.0"),
        format!("https://sts.windows.net/{id}/"),
        format!("{}/{id}/v2.0", request.base_url),
    ];
    let signed = if own.iter().any(|own| own == issuer) {
        let (input, signature) = token.signed_parts();
        let signed = sandbox.entra.key.verifies(input, signature);
        // Without idtyp (version 2) an application is its own subject; a person never is.
        let for_application = token.claim("idtyp").map_or_else(
            || token.claim("oid").is_some() && token.claim("oid") == token.claim("sub"),
            |kind| kind == "app",
        );
        if signed && !for_application {
            return Err(OAuthError::federated_user_token());
        }
        signed
    } else {
        let keys = keys_of(&sandbox.entra.issuers, issuer)
            .await
            .map_err(|reason| OAuthError::issuer_unreachable(issuer, &reason))?;
        signed_by_any(token, &keys)
    };
    if !signed {
        return Err(OAuthError::invalid_assertion(
            "The issuer's keys did not sign the assertion.",
        ));
    }
    let now = tenant.clock.now();
    token
        .check_times(now)
        .map_err(|times| OAuthError::untimely_assertion(now, times))
}

fn matched(records: &[FederatedCredential], token: &Jwt) -> Result<(), OAuthError> {
    let claim = |name: &str| token.claim(name).unwrap_or_default();
    let of_issuer: Vec<_> = records.iter().filter(|record| record.issuer == claim("iss")).collect();
    if of_issuer.is_empty() {
        return Err(OAuthError::unknown_federated_issuer(claim("iss")));
    }
    let of_subject: Vec<_> = of_issuer
        .iter()
        .filter(|record| record.subject == claim("sub"))
        .collect();
    if of_subject.is_empty() {
        return Err(OAuthError::unknown_federated_subject(claim("sub")));
    }
    let audiences = token.audiences();
    if of_subject
        .iter()
        .any(|record| audiences.contains(&record.audience.as_str()))
    {
        Ok(())
    } else {
        Err(OAuthError::unknown_federated_audience(&audiences.join(" ")))
    }
}

/// The RSA keys in an issuer's key set, each with its id.
async fn keys_of(client: &reqwest::Client, issuer: &str) -> Result<Vec<Value>, String> {
    let address = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    let configuration = document(client, &address).await?;
    if configuration["issuer"].as_str() != Some(issuer) {
        return Err("the issuer in the discovery document is another one".to_owned());
    }
    let Some(address) = configuration["jwks_uri"].as_str() else {
        return Err("the discovery document has no jwks_uri".to_owned());
    };
    match document(client, address).await?["keys"].take() {
        Value::Array(keys) => Ok(keys),
        _ => Err("the key set has no keys".to_owned()),
    }
}

async fn document(client: &reqwest::Client, address: &str) -> Result<Value, String> {
    let failed = |error: reqwest::Error| error.without_url().to_string();
    let mut response = client.get(address).send().await.map_err(failed)?;
    if !response.status().is_success() {
        return Err(format!("it answered with status {}", response.status().as_u16()));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if body.len() + chunk.len() > MAX_DOCUMENT {
            return Err(format!("its document is longer than {MAX_DOCUMENT} bytes"));
        }
        body.extend_from_slice(&chunk);
    }
    serde_json::from_slice(&body).map_err(|_| "its document is not JSON".to_owned())
}

fn signed_by_any(token: &Jwt, keys: &[Value]) -> bool {
    let part = |key: &Value, name: &str| URL_SAFE_NO_PAD.decode(key[name].as_str()?.trim_end_matches('=')).ok();
    let named = |key: &&Value| match token.header("kid") {
        Some(kid) => key["kid"] == kid,
        None => true,
    };
    let rsa = keys
        .iter()
        .filter(|key| key["kty"] == "RSA")
        .filter(named)
        .take(MAX_KEYS);
    let mut public = rsa.filter_map(|key| {
        Some(PublicKey::Components {
            modulus: part(key, "n")?,
            exponent: part(key, "e")?,
        })
    });
    public.any(|key| token.signed_by(&key))
}
