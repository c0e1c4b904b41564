//! What a new subscription must satisfy, and the handshake with its endpoint.
//!
//! Owns the limits of contract §3: `https` only unless configured otherwise, lives between 45 minutes (a shorter wish
//! is raised) and 10,080 minutes, a client state of at most 128 characters, and an endpoint that echoes a token within
//! ten seconds.

use std::time::Duration;

use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use url::Url;

use crate::notify::subscription::ChangeTypes;
use crate::odata::error::ODataError;

/// The longest life of a mail subscription.
pub const MAX_LIFE_MINUTES: i64 = 10_080;
/// Shorter wishes are raised to this.
const MIN_LIFE_MINUTES: i64 = 45;
/// The longest client state.
const MAX_CLIENT_STATE: usize = 128;
/// The longest notification URL.
const MAX_URL: usize = 2_048;
/// How long an endpoint may take to echo the token.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Clocks of client and tenant may differ by this much at the upper limit.
const EXPIRY_LEEWAY: SignedDuration = SignedDuration::from_secs(60);
/// As much of an endpoint's answer as is read; the token is shorter.
const MAX_ECHO: usize = 4_096;

/// A refusal of a subscription request.
pub fn invalid(message: impl Into<std::borrow::Cow<'static, str>>) -> ODataError {
    ODataError::new(StatusCode::BAD_REQUEST, "InvalidRequest", message)
}

/// Reads `changeType`.
pub fn change_types(text: &str) -> Result<ChangeTypes, ODataError> {
    let mut types = ChangeTypes::default();
    for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
        match word.to_ascii_lowercase().as_str() {
            "created" => types.created = true,
            "updated" => types.updated = true,
            "deleted" => types.deleted = true,
            _ => {
                return Err(invalid(format!(
                    "The change type '{word}' is not one of created, updated, deleted."
                )));
            }
        }
    }
    if types == ChangeTypes::default() {
        return Err(invalid(
            "The property 'changeType' is required: created, updated, deleted, joined by commas.",
        ));
    }
    Ok(types)
}

/// Checks a notification URL.
pub fn endpoint(text: &str, name: &str, plain_http: bool) -> Result<String, ODataError> {
    let url = Url::parse(text).map_err(|_| invalid(format!("The property '{name}' is not an absolute URL.")))?;
    let allowed = url.scheme() == "https" || (plain_http && url.scheme() == "http");
    if !allowed || url.host().is_none() || text.len() > MAX_URL {
        return Err(invalid(format!(
            "The property '{name}' must be an HTTPS URL of at most {MAX_URL} characters."
        )));
    }
    Ok(text.to_owned())
}

/// Checks a client state.
pub fn client_state(text: &str) -> Result<String, ODataError> {
    if text.chars().count() > MAX_CLIENT_STATE {
        return Err(invalid(format!(
            "The property 'clientState' has more than {MAX_CLIENT_STATE} characters."
        )));
    }
    Ok(text.to_owned())
}

/// Reads and bounds an expiration.
pub fn expiration(text: Option<&str>, now: Timestamp) -> Result<Timestamp, ODataError> {
    let wished: Timestamp = text
        .ok_or_else(|| invalid("The property 'expirationDateTime' is required."))?
        .parse()
        .map_err(|_| invalid("The property 'expirationDateTime' is not a date and time with an offset."))?;
    if wished <= now {
        return Err(invalid("Subscription expiration must be in the future."));
    }
    let life = wished.duration_since(now);
    if life > SignedDuration::from_mins(MAX_LIFE_MINUTES) + EXPIRY_LEEWAY {
        return Err(invalid(format!(
            "Subscription expiration can only be {MAX_LIFE_MINUTES} minutes in the future."
        )));
    }
    let least = now
        .checked_add(SignedDuration::from_mins(MIN_LIFE_MINUTES))
        .unwrap_or(wished);
    Ok(wished.max(least))
}

/// Asks an endpoint to echo `token`.
pub async fn handshake(client: &reqwest::Client, url: &str, token: &str) -> Result<(), ODataError> {
    let mut target = Url::parse(url).map_err(|_| invalid("The notification URL cannot be read."))?;
    target.query_pairs_mut().append_pair("validationToken", token);
    let attempt = async {
        let response = client
            .post(target)
            .header(http::header::CONTENT_TYPE, "text/plain; charset=utf-8")
            .body("")
            .send()
            .await
            .map_err(|error| {
                if error.is_timeout() {
                    timed_out()
                } else {
                    unreachable(&error)
                }
            })?;
        if response.status() != StatusCode::OK {
            return Err(refused());
        }
        let is_text = response
            .headers()
            .get(http::header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| value.trim().to_ascii_lowercase().starts_with("text/plain"));
        let echo = bounded_text(response).await?;
        if is_text && echo == token {
            Ok(())
        } else {
            Err(mismatch())
        }
    };
    tokio::time::timeout(HANDSHAKE_TIMEOUT, attempt)
        .await
        .unwrap_or_else(|_| Err(timed_out()))
}

async fn bounded_text(mut response: reqwest::Response) -> Result<String, ODataError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|_| refused())? {
        if bytes.len() + chunk.len() > MAX_ECHO {
            return Err(mismatch());
        }
        bytes.extend_from_slice(&chunk);
    }
    String::from_utf8(bytes).map_err(|_| mismatch())
}

fn timed_out() -> ODataError {
    invalid("Subscription validation request timed out.")
}

fn unreachable(error: &reqwest::Error) -> ODataError {
    let reason = if error.is_connect() {
        "the endpoint cannot be reached or its certificate is not trusted"
    } else {
        "the exchange was cut"
    };
    invalid(format!("Subscription validation request failed. {reason}."))
}

fn refused() -> ODataError {
    invalid(
        "Subscription validation request failed. Notification endpoint must respond with 200 OK to validation request.",
    )
}

fn mismatch() -> ODataError {
    invalid(
        "Subscription validation request failed. The notification endpoint must answer with content type text/plain and the decoded validation token.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn expirations_are_bounded_on_both_sides() {
        let now = at("2026-01-01T00:00:00Z");
        assert_eq!(
            expiration(Some("2026-01-01T00:10:00Z"), now).unwrap(),
            at("2026-01-01T00:45:00Z")
        );
        assert_eq!(
            expiration(Some("2026-01-07T23:00:00.587179+00:00"), now).unwrap(),
            at("2026-01-07T23:00:00.587179Z")
        );
        assert!(expiration(Some("2026-01-08T00:05:00Z"), now).is_err());
        assert!(expiration(Some("2025-12-31T23:59:59Z"), now).is_err());
        assert!(expiration(Some("tomorrow"), now).is_err());
        assert!(expiration(None, now).is_err());
    }

    #[test]
    fn plain_http_is_refused_unless_configured() {
        assert!(endpoint("https://hook.example/n", "notificationUrl", false).is_ok());
        assert!(endpoint("http://127.0.0.1:8080/n", "notificationUrl", false).is_err());
        assert!(endpoint("http://127.0.0.1:8080/n", "notificationUrl", true).is_ok());
        assert!(endpoint("ftp://hook.example/n", "notificationUrl", true).is_err());
        assert!(endpoint("/n", "notificationUrl", true).is_err());
    }

    #[test]
    fn change_types_are_read_in_any_order_and_case() {
        assert!(change_types("Deleted, created").unwrap().deleted);
        assert!(change_types("").is_err() && change_types("moved").is_err());
        assert!(client_state(&"x".repeat(128)).is_ok() && client_state(&"x".repeat(129)).is_err());
    }
}
