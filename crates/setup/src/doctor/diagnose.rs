//! From a failed call to the code that explains it.
//!
//! Owns two tables: one for the sign-in service (AADSTS codes, Microsoft's *Microsoft Entra
//! authentication and authorization error codes*), one for mailboxes. Never repeats a call.

use guichet_graph::{Class, Error};
use guichet_net::{TransportError, TransportErrorKind};
use url::Url;

use super::{Code, Problem};
use crate::federated::UNREADABLE;

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
        _ if error.status == Some(429) => Code::AuthorityThrottled,
        _ if error.status.is_some_and(|status| status >= 500) => Code::AuthorityBusy,
        // Microsoft gives one number to a certificate that is unknown and to one that is too old.
        Some(700_027) if error.message.contains("expired") => Code::CertificateExpired,
        Some(number) => sign_in_code(number),
        None if error.has_code(UNREADABLE) => Code::AssertionUnreadable,
        None if error.has_code("issuer_mismatch") && is_no_single_tenant(names.tenant) => Code::TenantNotSpecific,
        None if error.has_code("issuer_mismatch") => Code::DiscoveryMismatch,
        None if error.has_code("unusable_tenant") => Code::TenantInvalid,
        None => Code::AuthorityNotEntra,
    };
    let subject = match code {
        Code::TenantUnknown | Code::TenantInvalid | Code::TenantOtherCloud | Code::TenantNotSpecific => {
            names.tenant.to_owned()
        }
        Code::AuthorityBusy
        | Code::AuthorityThrottled
        | Code::AuthorityNotEntra
        | Code::DiscoveryMismatch
        | Code::TokenRequestMalformed => host(names.authority),
        Code::ResourceNotInTenant | Code::ScopeInvalid => host(names.graph),
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
    let code = graph_code(error).unwrap_or_else(|| mailbox_code(error));
    let subject = match graph_code(error) {
        Some(_) => Url::parse(&error.url).map_or_else(|_| error.url.clone(), |url| host(&url)),
        None => address.to_owned(),
    };
    Problem::new(code, subject, evidence(error)).with("error", &error.code)
}

/// Whether a problem is one of Graph as a whole, so that the next mailbox would meet it too.
pub(crate) const fn is_of_graph(code: Code) -> bool {
    matches!(
        code,
        Code::GraphDns
            | Code::GraphConnect
            | Code::GraphTls
            | Code::GraphTimeout
            | Code::GraphCut
            | Code::GraphForeign
            | Code::GraphBusy
    )
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

/// Microsoft's names for any tenant.
fn is_no_single_tenant(tenant: &str) -> bool {
    ["common", "organizations", "consumers"]
        .iter()
        .any(|name| name.eq_ignore_ascii_case(tenant))
}

const fn sign_in_code(number: u32) -> Code {
    match number {
        7_000_215 => Code::SecretWrong,
        7_000_222 => Code::SecretExpired,
        700_016 => Code::ApplicationNotInTenant,
        700_038 => Code::ApplicationIdInvalid,
        7_000_112 => Code::ApplicationDisabled,
        7_000_218 | 700_025 => Code::ApplicationPublic,
        700_027 | 50_012 => Code::CertificateNotRegistered,
        50_013 | 50_027 => Code::AssertionRefused,
        500_133 | 700_024 => Code::TokenClock,
        700_211 => Code::FederatedIssuer,
        700_212 => Code::FederatedAudience,
        700_213 | 70_021 => Code::FederatedSubject,
        700_229 => Code::FederatedPerson,
        50_166 => Code::FederatedIssuerUnreachable,
        90_002 => Code::TenantUnknown,
        900_023 => Code::TenantInvalid,
        50_194 | 9_001_023 | 50_059 => Code::TenantNotSpecific,
        90_038 | 900_382 => Code::TenantOtherCloud,
        900_144 | 90_014 | 9_002_313 => Code::TokenRequestMalformed,
        70_011 | 1_002_012 | 28_002 | 700_022 | 700_023 => Code::ScopeInvalid,
        500_011 => Code::ResourceNotInTenant,
        650_057 | 65_005 => Code::ResourceNotRequested,
        53_003 => Code::ConditionalAccess,
        530_035 => Code::SecurityDefaults,
        65_001 => Code::ConsentRequired,
        90_094 => Code::AdminConsentRequired,
        50_105 | 501_051 => Code::AssignmentRequired,
        50_034 => Code::UserUnknown,
        70_016 => Code::DeviceCodePending,
        70_018 | 70_019 => Code::DeviceCodeExpired,
        50_196 => Code::TokenLoop,
        90_033 => Code::AuthorityBusy,
        _ => Code::TokenRefused,
    }
}

/// The code of a trouble with Graph as a whole; `None` where the answer is about the mailbox.
fn graph_code(error: &Error) -> Option<Code> {
    if let Some(transport) = &error.transport {
        return Some(match transport.kind {
            TransportErrorKind::Dns => Code::GraphDns,
            TransportErrorKind::Connect => Code::GraphConnect,
            TransportErrorKind::Tls => Code::GraphTls,
            TransportErrorKind::Timeout => Code::GraphTimeout,
            TransportErrorKind::Closed => Code::GraphCut,
            TransportErrorKind::BodyTooLarge | TransportErrorKind::Invalid => Code::GraphForeign,
        });
    }
    let status = error.status.unwrap_or_default();
    if error.has_code("MailboxInfoStale") {
        None
    } else if status >= 500 {
        Some(Code::GraphBusy)
    } else if error.has_code("unreadable_answer") || (status == 404 && error.has_code("http_404")) {
        Some(Code::GraphForeign)
    } else {
        None
    }
}

fn mailbox_code(error: &Error) -> Code {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Every code that Microsoft's pages name for the requests of this program.
    const DOCUMENTED: [u32; 41] = [
        7_000_215, 7_000_222, 7_000_218, 700_025, 700_016, 7_000_112, 700_027, 50_012, 50_013, 500_133, 90_002,
        900_023, 900_144, 90_014, 9_002_313, 70_011, 1_002_012, 28_002, 700_022, 700_023, 500_011, 650_057, 65_005,
        65_001, 90_094, 50_034, 53_003, 530_035, 50_194, 9_001_023, 90_038, 900_382, 70_016, 70_018, 70_019, 50_196,
        700_211, 700_212, 700_213, 700_229, 700_038,
    ];

    #[test]
    fn every_documented_code_has_words_of_its_own() {
        for number in DOCUMENTED {
            assert_ne!(sign_in_code(number), Code::TokenRefused, "AADSTS{number}");
        }
        assert_eq!(sign_in_code(1), Code::TokenRefused);
    }
}
