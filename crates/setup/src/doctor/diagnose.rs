//! From a failed call to the code that explains it.
//!
//! Owns two tables: one for the sign-in service (AADSTS codes, Microsoft's *Microsoft Entra
//! authentication and authorization error codes*), one for mailboxes. Never repeats a call.

use guichet_graph::{Class, Error};
use guichet_net::{TransportError, TransportErrorKind};
use url::Url;

use super::{Code, Problem};

/// Longest part of Microsoft's message that is shown: the reason stands in its first sentences.
const MAX_MESSAGE_CHARS: usize = 300;

/// The names that the texts about a sign-in put in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SignInNames<'a> {
    pub authority: &'a Url,
    pub graph: &'a Url,
    pub tenant: &'a str,
    /// Application (client) id; empty before there is one.
    pub app_id: &'a str,
}

/// A failed request to the sign-in service.
pub(crate) fn sign_in(error: &Error, names: SignInNames<'_>) -> Problem {
    if let Some(transport) = &error.transport {
        return unreachable_authority(transport, names.authority);
    }
    let evidence = evidence(error);
    let code = match aadsts(error) {
        Some(number) => sign_in_code(number),
        None if error.has_code("issuer_mismatch") => Code::DiscoveryMismatch,
        None if error.has_code("unusable_tenant") => Code::TenantInvalid,
        None if error.status == Some(429) || error.status.is_some_and(|status| status >= 500) => Code::AuthorityBusy,
        None => Code::AuthorityNotEntra,
    };
    let subject = match code {
        Code::TenantUnknown | Code::TenantInvalid | Code::TenantOtherCloud => names.tenant.to_owned(),
        Code::AuthorityBusy | Code::AuthorityNotEntra | Code::DiscoveryMismatch => host(names.authority),
        Code::ResourceNotInTenant => host(names.graph),
        _ => names.app_id.to_owned(),
    };
    Problem::new(code, subject, evidence).with("error", &error.code)
}

/// No answer from the sign-in service.
pub(crate) fn unreachable_authority(error: &TransportError, authority: &Url) -> Problem {
    let code = match error.kind {
        TransportErrorKind::Dns => Code::AuthorityDns,
        TransportErrorKind::Connect => Code::AuthorityConnect,
        TransportErrorKind::Tls => Code::AuthorityTls,
        TransportErrorKind::Timeout => Code::AuthorityTimeout,
        TransportErrorKind::Closed => Code::AuthorityCut,
        TransportErrorKind::BodyTooLarge | TransportErrorKind::Invalid => Code::AuthorityNotEntra,
    };
    Problem::new(code, host(authority), error.to_string())
}

/// A failed request to a mailbox.
pub(crate) fn mailbox(error: &Error, address: &str) -> Problem {
    let code = mailbox_code(error);
    let what = if code == Code::GraphUnreachable {
        error.message.clone()
    } else {
        error.code.clone()
    };
    Problem::new(code, address, evidence(error)).with("error", &what)
}

/// The number of an `AADSTS…` code.
pub(crate) fn aadsts(error: &Error) -> Option<u32> {
    error.code.strip_prefix("AADSTS")?.parse().ok()
}

/// What was seen, on one line.
pub(crate) fn evidence(error: &Error) -> String {
    let mut text = error.code.clone();
    if let Some(status) = error.status {
        text.push_str(&format!(", HTTP {status}"));
    }
    if let Some(id) = &error.request_id {
        text.push_str(&format!(", request id {id}"));
    }
    let message = error.message.split_whitespace().collect::<Vec<_>>().join(" ");
    if !message.is_empty() {
        text.push_str(": ");
        text.extend(message.chars().take(MAX_MESSAGE_CHARS));
    }
    text
}

/// Host, and port where it is not the usual one.
pub(crate) fn host(url: &Url) -> String {
    match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => url.to_string(),
    }
}

const fn sign_in_code(number: u32) -> Code {
    match number {
        7_000_215 => Code::SecretWrong,
        7_000_222 => Code::SecretExpired,
        700_016 => Code::ApplicationNotInTenant,
        700_038 => Code::ApplicationIdInvalid,
        7_000_112 => Code::ApplicationDisabled,
        7_000_218 | 700_025 => Code::ApplicationPublic,
        90_002 => Code::TenantUnknown,
        900_023 => Code::TenantInvalid,
        90_038 | 900_382 => Code::TenantOtherCloud,
        50_013 | 500_133 => Code::TokenClock,
        500_011 => Code::ResourceNotInTenant,
        53_003 | 530_035 => Code::ConditionalAccess,
        65_001 | 90_094 | 650_057 | 65_005 => Code::ConsentRequired,
        50_196 => Code::TokenLoop,
        _ => Code::TokenRefused,
    }
}

fn mailbox_code(error: &Error) -> Code {
    if error.transport.is_some() {
        return Code::GraphUnreachable;
    }
    let is = |code: &str| error.code.eq_ignore_ascii_case(code);
    if is("ErrorInvalidUser") || is("Request_ResourceNotFound") {
        Code::MailboxUnknown
    } else if is("MailboxNotEnabledForRESTAPI") || is("ErrorMailboxNotEnabledForRESTAPI") {
        Code::MailboxNone
    } else if is("MailboxInfoStale") {
        Code::MailboxStale
    } else if error.message.contains("[RAOP]") || error.message.contains("AppOnly AccessPolicy") {
        Code::MailboxPolicy
    } else if is("ErrorItemNotFound") && error.class == Class::Denied {
        // Exchange says so of a user whose mailbox has no root folder.
        Code::MailboxNone
    } else {
        match error.class {
            Class::Denied => Code::MailboxDenied,
            Class::Reauthorise => Code::MailboxTokenRefused,
            Class::Retry { .. } => Code::MailboxBusy,
            Class::Resync | Class::Gone | Class::Invalid | Class::Bug => Code::MailboxRefused,
        }
    }
}
