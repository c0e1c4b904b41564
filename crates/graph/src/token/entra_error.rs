//! What the sign-in service answers when it refuses.
//!
//! Owns the reading of OAuth error bodies and the class of each `AADSTS` code (contract §1.2).
//! Microsoft says that codes may change, so an unknown code falls back to the `error` field.

use std::time::Duration;

use guichet_net::HttpResponse;
use jiff::Timestamp;
use serde::Deserialize;
use url::Url;

use crate::class::{Class, RETRY};
use crate::error::{Error, header_text, shortened};
use crate::retry::retry_after;

/// Longest description taken over; the longest of Microsoft's is about 600 characters.
const MAX_DESCRIPTION_CHARS: usize = 1024;

/// Asked too often for the same token: the service wants minutes of silence.
const LOOP_PAUSE: Duration = Duration::from_secs(5 * 60);

/// A refusal of the sign-in service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntraError {
    /// OAuth's word, such as `invalid_client`.
    pub error: String,
    /// Numbers of the `AADSTS` codes, the decisive one first.
    pub codes: Vec<u32>,
    /// The text without code, trace id, correlation id and time stamp.
    pub description: String,
    /// For support cases.
    pub trace_id: Option<String>,
    /// For support cases.
    pub correlation_id: Option<String>,
}

impl EntraError {
    /// The code to show: `AADSTS7000215`, or OAuth's word where there is no number.
    pub fn code(&self) -> String {
        self.codes
            .first()
            .map_or_else(|| self.error.clone(), |code| format!("AADSTS{code}"))
    }

    /// What the caller can do.
    pub fn class(&self) -> Class {
        self.codes
            .iter()
            .find_map(|code| by_code(*code))
            .unwrap_or_else(|| by_word(&self.error))
    }
}

/// Reads an error body of the token, device code or discovery endpoint. `None` if it is not one.
pub fn parse_token_error(body: &[u8]) -> Option<EntraError> {
    #[derive(Deserialize)]
    struct Wire {
        error: String,
        #[serde(default)]
        error_description: Option<String>,
        #[serde(default)]
        error_codes: Option<Vec<u32>>,
        #[serde(default)]
        trace_id: Option<String>,
        #[serde(default)]
        correlation_id: Option<String>,
    }
    let wire: Wire = serde_json::from_slice(body).ok()?;
    let full = wire.error_description.unwrap_or_default();
    let (described_code, text) = split_description(&full);
    let mut codes = wire.error_codes.unwrap_or_default();
    if codes.is_empty() {
        codes.extend(described_code);
    }
    Some(EntraError {
        error: shortened(&wire.error, 128),
        codes,
        description: shortened(text, MAX_DESCRIPTION_CHARS),
        trace_id: wire.trace_id.or_else(|| labelled(&full, "Trace ID: ")),
        correlation_id: wire.correlation_id.or_else(|| labelled(&full, "Correlation ID: ")),
    })
}

/// `AADSTS7000215: text` into its number and its text, without what follows "Trace ID".
fn split_description(full: &str) -> (Option<u32>, &str) {
    let text = full.split("Trace ID:").next().unwrap_or(full).trim();
    let Some((head, rest)) = text.split_once(':') else {
        return (None, text);
    };
    match head.strip_prefix("AADSTS").and_then(|digits| digits.parse().ok()) {
        Some(code) => (Some(code), rest.trim()),
        None => (None, text),
    }
}

fn labelled(full: &str, label: &str) -> Option<String> {
    let rest = &full[full.find(label)? + label.len()..];
    rest.split_whitespace().next().map(|id| shortened(id, 128))
}

fn by_code(code: u32) -> Option<Class> {
    Some(match code {
        // Secret, certificate or assertion is wrong, expired or missing.
        7_000_215
        | 7_000_222
        | 7_000_218
        | 700_025
        | 700_027
        | 50_012
        | 50_013
        | 500_133
        | 700_211..=700_213
        | 700_229
        | 70_018
        | 70_019 => Class::Reauthorise,
        // The tenant's administrators decide: application unknown or disabled, no consent, policy.
        700_016 | 7_000_112 | 65_001 | 65_005 | 650_057 | 90_094 | 50_034 | 53_003 | 530_035 | 500_011 => Class::Denied,
        // The configuration names a wrong tenant, cloud, application or scope.
        90_002 | 900_023 | 90_038 | 900_382 | 50_194 | 9_001_023 | 700_038 | 70_011 | 28_002 | 700_022 | 700_023 => {
            Class::Invalid
        }
        // Requests that this crate builds.
        900_144 | 90_014 | 9_002_313 | 1_002_012 | 70_003 => Class::Bug,
        50_196 => Class::Retry { after: LOOP_PAUSE },
        _ => return None,
    })
}

fn by_word(word: &str) -> Class {
    match word {
        "invalid_client" | "invalid_grant" | "interaction_required" | "expired_token" | "bad_verification_code" => {
            Class::Reauthorise
        }
        "unauthorized_client" | "access_denied" | "authorization_declined" | "consent_required" => Class::Denied,
        "temporarily_unavailable" | "server_error" | "slow_down" | "authorization_pending" => RETRY,
        "unsupported_grant_type" => Class::Bug,
        _ => Class::Invalid,
    }
}

/// The error for an answer of the sign-in service that is not a success.
pub(crate) fn error_from_entra(
    operation: &'static str,
    url: &Url,
    answer: &HttpResponse,
    now: Option<Timestamp>,
) -> Error {
    let status = answer.status.as_u16();
    let parsed = parse_token_error(&answer.body);
    let mut class = match (status, &parsed) {
        (429 | 500..=599, _) => RETRY,
        (_, Some(error)) => error.class(),
        // A proxy or a wrong authority address answers, not the sign-in service.
        (403 | 407, None) => Class::Denied,
        (_, None) => Class::Invalid,
    };
    if let (Class::Retry { after }, Some(advised)) = (&mut class, retry_after(&answer.headers, now)) {
        *after = (*after).max(advised);
    }
    let (code, message, trace) = match parsed {
        Some(error) => (error.code(), error.description, error.trace_id),
        None => {
            let text = format!("status {status} without an OAuth error; is this the sign-in service?");
            (format!("http_{status}"), text, None)
        }
    };
    Error::new(class, operation, code, message)
        .with_status(status)
        .with_url(url)
        .with_request_id(trace.or_else(|| header_text(answer, "x-ms-request-id")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(body: &str) -> EntraError {
        parse_token_error(body.as_bytes()).unwrap()
    }

    #[test]
    fn code_and_ids_are_read_from_the_description_when_the_fields_are_missing() {
        let error = parsed(
            r#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided.\r\nTrace ID: t-1\r\nCorrelation ID: c-1\r\nTimestamp: 2026-01-01 00:00:00Z"}"#,
        );
        assert_eq!(error.codes, [7_000_215]);
        assert_eq!(error.description, "Invalid client secret provided.");
        assert_eq!(error.trace_id.as_deref(), Some("t-1"));
        assert_eq!(error.correlation_id.as_deref(), Some("c-1"));
        assert_eq!(error.code(), "AADSTS7000215");
    }

    #[test]
    fn fields_outrank_the_description() {
        let error = parsed(
            r#"{"error":"invalid_scope","error_description":"AADSTS70011: text Trace ID: x","error_codes":[70011],"trace_id":"t-2"}"#,
        );
        assert_eq!(
            (error.codes.as_slice(), error.trace_id.as_deref()),
            ([70_011].as_slice(), Some("t-2"))
        );
    }

    #[test]
    fn classes_follow_the_table() {
        let class = |word: &str, code: u32| parsed(&format!(r#"{{"error":"{word}","error_codes":[{code}]}}"#)).class();
        assert_eq!(class("invalid_client", 7_000_215), Class::Reauthorise);
        assert_eq!(class("invalid_client", 7_000_222), Class::Reauthorise);
        assert_eq!(class("unauthorized_client", 700_016), Class::Denied);
        assert_eq!(class("unauthorized_client", 7_000_112), Class::Denied);
        assert_eq!(class("unauthorized_client", 700_038), Class::Invalid);
        assert_eq!(class("invalid_grant", 65_001), Class::Denied);
        assert_eq!(class("invalid_request", 90_002), Class::Invalid);
        assert_eq!(class("invalid_request", 900_144), Class::Bug);
        assert_eq!(class("anything", 50_196), Class::Retry { after: LOOP_PAUSE });
        assert_eq!(class("invalid_client", 1), Class::Reauthorise);
        assert_eq!(class("unauthorized_client", 1), Class::Denied);
    }

    #[test]
    fn other_bodies_are_not_errors_of_the_sign_in_service() {
        assert_eq!(parse_token_error(b"<html>"), None);
        assert_eq!(parse_token_error(br#"{"error":{"code":"x"}}"#), None);
    }
}
