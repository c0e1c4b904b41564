//! API keys: how they are made, stored and checked.
//!
//! A key carries 256 random bits, so nobody can guess one and a plain SHA-256 is enough to store it: slow
//! password hashes protect secrets that people choose. The lookup compares digests, so its timing tells
//! nothing about a key that an attacker could build upon. Never logs a key.

use aws_lc_rs::digest;
use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use guichet_domain::{ApiKeyId, ports::Entropy};
use http::{HeaderMap, header};

use crate::{
    problem::{Code, Problem},
    state::ApiState,
};

const PREFIX: &str = "gk_";
const KEY_BYTES: usize = 32;
/// `gk_` and 43 characters.
const KEY_CHARS: usize = PREFIX.len() + KEY_BYTES.div_ceil(3) * 4 - 1;

/// A new API key: `gk_` and 43 characters of URL-safe base 64 (256 random bits). It is shown once; the
/// store gets [`hash_api_key`] of it.
pub fn new_api_key(entropy: &dyn Entropy) -> String {
    let mut bytes = [0u8; KEY_BYTES];
    entropy.fill(&mut bytes);
    format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))
}

/// The form in which a key is stored: SHA-256 in lower-case hexadecimal digits. No slow hash is needed,
/// because the key is not chosen by a person but has 256 bits of entropy.
pub fn hash_api_key(key: &str) -> String {
    hex(digest::digest(&digest::SHA256, key.as_bytes()).as_ref())
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            // Writing to a String can't fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// Who asks: the key that the request came with.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    pub key: ApiKeyId,
}

/// Lets a request pass that carries a valid key; its [`Client`] goes along as an extension.
pub(crate) async fn require_key(
    State(state): State<ApiState>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let hash = hash_api_key(bearer(request.headers())?);
    match state.store().api_key_by_hash(&hash).await? {
        Some(key) if key.revoked_at.is_none() => {
            request.extensions_mut().insert(Client { key: key.id });
            Ok(next.run(request).await)
        }
        _ => Err(Problem::new(
            Code::Unauthenticated,
            "the API key is unknown or was revoked",
        )),
    }
}

fn bearer(headers: &HeaderMap) -> Result<&str, Problem> {
    let refuse = |detail: &str| Problem::new(Code::Unauthenticated, detail);
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values
        .next()
        .ok_or_else(|| refuse("the Authorization header is missing"))?;
    if values.next().is_some() {
        return Err(refuse("there is more than one Authorization header"));
    }
    let malformed = || refuse("the Authorization header must read `Bearer gk_…`");
    let (scheme, key) = value
        .to_str()
        .ok()
        .and_then(|text| text.split_once(' '))
        .ok_or_else(malformed)?;
    let key = key.trim();
    let plausible = key.len() == KEY_CHARS && key.starts_with(PREFIX);
    if !scheme.eq_ignore_ascii_case("bearer") || !plausible {
        return Err(malformed());
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Fixture, TestEntropy};
    use http::StatusCode;

    #[test]
    fn keys_are_long_random_and_stored_as_digests() {
        let entropy = TestEntropy::default();
        let (one, two) = (new_api_key(&entropy), new_api_key(&entropy));
        assert_ne!(one, two);
        assert_eq!(one.len(), KEY_CHARS);
        assert_eq!(KEY_CHARS, 46);
        // SHA-256 of the three bytes "abc", from FIPS 180-4.
        let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hash_api_key("abc"), known);
    }

    #[tokio::test]
    async fn every_route_below_v1_needs_a_valid_key() {
        let fixture = Fixture::new().await;
        for (path, item) in crate::openapi().paths.paths {
            for (method, _) in crate::openapi::operations(&item) {
                let path = path.replace("{id}", "0").replace("{aid}", "0").replace("{query}", "x");
                let answer = fixture.anonymous(method.clone(), &path).await;
                if path.starts_with("/v1/") {
                    answer.is_problem(StatusCode::UNAUTHORIZED, "unauthenticated");
                    assert!(answer.headers.contains_key(header::WWW_AUTHENTICATE));
                } else {
                    assert_ne!(answer.status, StatusCode::UNAUTHORIZED, "{method} {path}");
                }
            }
        }
    }

    #[tokio::test]
    async fn wrong_revoked_and_malformed_keys_are_refused() {
        let fixture = Fixture::new().await;
        assert_eq!(fixture.get("/v1/totals").await.status, StatusCode::OK);
        let right = fixture.key.clone();
        let mut wrong = right.clone();
        wrong.pop();
        wrong.push(if right.ends_with('A') { 'B' } else { 'A' });
        for value in [
            format!("Bearer {wrong}"),
            format!("Basic {right}"),
            format!("Bearer {right}x"),
            "Bearer".to_owned(),
            "Bearer ".to_owned(),
            right.clone(),
        ] {
            let answer = fixture.with_authorization("/v1/totals", &value).await;
            answer.is_problem(StatusCode::UNAUTHORIZED, "unauthenticated");
            assert!(!answer.text().contains("gk_A"), "a key is repeated in the answer");
        }
        assert_eq!(
            fixture
                .with_authorization("/v1/totals", &format!("bearer {right}"))
                .await
                .status,
            StatusCode::OK
        );
        fixture.revoke_key().await;
        fixture
            .get("/v1/totals")
            .await
            .is_problem(StatusCode::UNAUTHORIZED, "unauthenticated");
    }
}
