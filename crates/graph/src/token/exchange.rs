//! One exchange with the token endpoint.
//!
//! Owns the form encoding of the request and the reading of the answer. Never logs either: both
//! hold secrets.

use std::time::Duration;

use bytes::Bytes;
use guichet_net::{BodyLimit, HttpRequest, HttpResponse, Transport};
use http::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, Method};
use jiff::Timestamp;
use secrecy::SecretString;
use serde::{Deserialize, Deserializer};
use url::Url;
use url::form_urlencoded::Serializer;

use super::{AccessToken, error_from_entra};
use crate::error::{Error, Result};
use crate::ports::Time;
use crate::wire::lenient;

/// Token answers are a few kilobytes; those of users with many groups may reach a hundred.
const ANSWER_LIMIT: BodyLimit = BodyLimit::mebibytes(1);

/// A lifetime beyond this is a mistake; the longest that Entra gives is 28 hours.
const MAX_LIFETIME: Duration = Duration::from_secs(48 * 60 * 60);

/// A token as granted.
pub(super) struct Granted {
    pub token: AccessToken,
    pub lifetime: Duration,
    pub refresh: Option<SecretString>,
    pub scopes: Vec<String>,
}

/// Posts a form; answers of any status come back.
pub(super) async fn post_form(
    transport: &dyn Transport,
    operation: &'static str,
    url: &Url,
    fields: &[(&str, &str)],
) -> Result<HttpResponse> {
    let mut headers = HeaderMap::new();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/x-www-form-urlencoded"),
    );
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    let body = Serializer::new(String::new()).extend_pairs(fields).finish();
    let request = HttpRequest {
        method: Method::POST,
        url: url.clone(),
        headers,
        body: Bytes::from(body),
    };
    // A token asked for twice is asked for once too often, and nothing worse.
    transport
        .send(request, ANSWER_LIMIT)
        .await
        .map_err(|error| Error::from_transport(operation, false, error))
}

/// Asks for a token.
pub(super) async fn request_token(
    transport: &dyn Transport,
    time: &dyn Time,
    operation: &'static str,
    url: &Url,
    fields: &[(&str, &str)],
) -> Result<Granted> {
    // Taken before the request, so that the token is never believed longer than it lives.
    let asked_at = time.now();
    let answer = post_form(transport, operation, url, fields).await?;
    if !answer.status.is_success() {
        return Err(error_from_entra(operation, url, &answer, Some(time.now())));
    }
    read_token(operation, url, &answer, asked_at)
}

fn read_token(operation: &'static str, url: &Url, answer: &HttpResponse, asked_at: Timestamp) -> Result<Granted> {
    #[derive(Deserialize)]
    struct Wire {
        #[serde(deserialize_with = "lenient::secret")]
        access_token: SecretString,
        #[serde(deserialize_with = "seconds")]
        expires_in: u64,
        #[serde(default, deserialize_with = "lenient::optional_secret")]
        refresh_token: Option<SecretString>,
        #[serde(default)]
        scope: Option<String>,
    }
    /// A number in every answer seen, a string in the endpoint's version 1.
    fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<u64, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Seconds {
            Number(u64),
            Text(String),
        }
        match Seconds::deserialize(deserializer)? {
            Seconds::Number(seconds) => Ok(seconds),
            Seconds::Text(text) => text.parse().map_err(serde::de::Error::custom),
        }
    }
    let wire: Wire = serde_json::from_slice(&answer.body)
        .map_err(|error| Error::unreadable(operation, false, url, &error).with_status(answer.status.as_u16()))?;
    let lifetime = Duration::from_secs(wire.expires_in).min(MAX_LIFETIME);
    let expires_at = asked_at.saturating_add(lifetime).unwrap_or(asked_at);
    let scopes = wire
        .scope
        .unwrap_or_default()
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    Ok(Granted {
        token: AccessToken::new(wire.access_token, expires_at),
        lifetime,
        refresh: wire.refresh_token,
        scopes,
    })
}
