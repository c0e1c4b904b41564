//! Refusals of client assertions, signed by a certificate or by an outside issuer.
//!
//! Owns the texts only; an assertion is judged elsewhere.

use jiff::Timestamp;
use uuid::Uuid;

use super::OAuthError;
use crate::entra::jwt::Untimely;

impl OAuthError {
    /// An assertion that cannot be read.
    pub fn malformed_assertion(reason: &str) -> Self {
        Self::bad(
            "invalid_request",
            50_027,
            format!("JWT token is invalid or malformed. {reason}"),
        )
    }

    /// An assertion whose certificate is not registered; `identifier` is the thumbprint in hexadecimal digits.
    pub fn unknown_assertion_key(app_id: Uuid, identifier: &str) -> Self {
        Self::unauthorized(
            700_027,
            format!(
                "The certificate with identifier used to sign the client assertion is not registered on application. [Reason - The key was not found., Thumbprint of key used by client: '{identifier}', Please visit the Azure Portal, Graph Explorer or directly use MS Graph to see configured keys for app Id '{app_id}'.]"
            ),
        )
    }

    /// The certificate is registered but its time is over or has not come.
    pub fn expired_assertion_key(identifier: &str, start: Timestamp, end: Timestamp) -> Self {
        Self::unauthorized(
            700_027,
            format!(
                "Client assertion failed signature validation. [Reason - The key used is expired., Thumbprint of key used by client: '{identifier}', Found key 'Start={start}, End={end}']"
            ),
        )
    }

    /// The certificate is registered and another key signed.
    pub fn wrong_assertion_signature(identifier: &str) -> Self {
        Self::unauthorized(
            700_027,
            format!(
                "Client assertion failed signature validation. [Reason - The provided signature value did not match the expected signature value., Thumbprint of key used by client: '{identifier}']"
            ),
        )
    }

    /// An assertion with content that is not acceptable.
    pub fn invalid_assertion(reason: &str) -> Self {
        Self::unauthorized(50_013, format!("Assertion failed validation. [Reason - {reason}]"))
    }

    /// An assertion outside its time.
    pub fn untimely_assertion(now: Timestamp, times: Untimely) -> Self {
        let shown = |second: Option<f64>| {
            let at = second.and_then(|second| {
                Timestamp::from_duration(jiff::SignedDuration::try_from_secs_f64(second).ok()?).ok()
            });
            at.map_or_else(|| "not given".to_owned(), |at| at.to_string())
        };
        Self::unauthorized(
            500_133,
            format!(
                "Assertion is not within its valid time range. Current time: {now}, assertion valid from {}, expiry time of assertion {}.",
                shown(times.from),
                shown(times.until),
            ),
        )
    }

    /// No federated credential with the assertion's issuer.
    pub fn unknown_federated_issuer(issuer: &str) -> Self {
        Self::federated(700_211, "issuer", issuer)
    }

    /// No federated credential with the assertion's audience.
    pub fn unknown_federated_audience(audience: &str) -> Self {
        Self::federated(700_212, "audience", audience)
    }

    /// No federated credential with the assertion's subject.
    pub fn unknown_federated_subject(subject: &str) -> Self {
        Self::federated(700_213, "subject", subject)
    }

    fn federated(code: u32, what: &str, value: &str) -> Self {
        Self::unauthorized(
            code,
            format!(
                "No matching federated identity record found for presented assertion {what} '{value}'. Check your federated identity credential Subject, Audience and Issuer against the presented assertion. The matching is case-sensitive."
            ),
        )
    }

    /// A token of the tenant itself that stands for a person.
    pub fn federated_user_token() -> Self {
        Self::unauthorized(
            700_229,
            "Only app-only tokens can be used as Federated Identity Credentials for Entra issuers.",
        )
    }

    /// The issuer's documents could not be had.
    pub fn issuer_unreachable(issuer: &str, reason: &str) -> Self {
        Self::bad(
            "invalid_request",
            50_166,
            format!("Request to External OIDC endpoint failed. [Issuer - '{issuer}', Reason - {reason}]"),
        )
    }
}
