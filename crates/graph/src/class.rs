//! What the caller can do about a failed call: one table from status and code to a class.
//!
//! Owns the table for Microsoft Graph; `token::entra_error` owns the one for sign-in errors. Never
//! decides to repeat anything: `retry` does, from the class.

use std::time::Duration;

/// What the caller can do about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// The same call may succeed later; not before `after` has passed.
    Retry {
        /// Shortest wait that makes sense.
        after: Duration,
    },
    /// The credential or the sign-in is no longer good; nothing works until it is renewed.
    Reauthorise,
    /// The delta cursor is lost: read the folder again from its start.
    Resync,
    /// Someone must grant a right, a licence or a mailbox before the call can succeed.
    Denied,
    /// The item the call names is no longer there.
    Gone,
    /// This call cannot succeed as it stands: change what it asks for.
    Invalid,
    /// The other side or this program does not keep to the contract: worth a report.
    Bug,
}

/// A failure worth repeating, without a minimum of its own.
pub(crate) const RETRY: Class = Class::Retry { after: Duration::ZERO };

/// A mailbox over its daily sending limit recovers slowly; asking every few seconds uses up the
/// request budget of the same mailbox.
const SENDING_LIMIT_PAUSE: Duration = Duration::from_secs(30 * 60);

/// Rows that decide by the code alone, whatever the status. Compared without regard to case, since
/// Microsoft's services differ. Sources: the contract's §2.3, §4 and §5.
const BY_CODE: &[(&str, Class)] = &[
    ("InvalidAuthenticationToken", Class::Reauthorise),
    ("AuthenticationError", Class::Reauthorise),
    // The cursor of a delta or search round is lost.
    ("SyncStateNotFound", Class::Resync),
    ("ResyncRequired", Class::Resync),
    ("InvalidSyncStateData", Class::Resync),
    ("SyncStateInvalid", Class::Resync),
    ("ErrorExecuteSearchStaleData", Class::Resync),
    // A mailbox that cannot be reached is not a message that is gone: taking it for one would
    // make a caller forget mail.
    ("ErrorInvalidUser", Class::Denied),
    ("MailboxNotEnabledForRESTAPI", Class::Denied),
    ("ErrorMailboxNotEnabledForRESTAPI", Class::Denied),
    ("Authorization_RequestDenied", Class::Denied),
    ("ErrorAccessDenied", Class::Denied),
    ("ErrorSendAsDenied", Class::Denied),
    ("ErrorQuotaExceeded", Class::Denied),
    ("CredentialInvalidLifetimeAsPerAppPolicy", Class::Denied),
    ("CredentialTypeNotAllowedAsPerAppPolicy", Class::Denied),
    ("ErrorItemNotFound", Class::Gone),
    ("Request_ResourceNotFound", Class::Gone),
    ("TooManyRequests", RETRY),
    ("ApplicationThrottled", RETRY),
    ("ErrorApiQuarantined", RETRY),
    ("ErrorIrresolvableConflict", RETRY),
    ("MailboxInfoStale", RETRY),
    ("UnknownError", RETRY),
    ("GatewayTimeout", RETRY),
    (
        "ErrorExceededMessageLimit",
        Class::Retry {
            after: SENDING_LIMIT_PAUSE,
        },
    ),
    ("ErrorInvalidRecipients", Class::Invalid),
    ("ErrorMessageSizeExceeded", Class::Invalid),
    ("ErrorInvalidIdMalformed", Class::Invalid),
    ("ErrorFolderExists", Class::Invalid),
    // Requests that this crate builds and no caller can mend.
    ("InefficientFilter", Class::Bug),
    ("ErrorMimeContentInvalidBase64String", Class::Bug),
    ("RequestBroker--ParseUri", Class::Bug),
];

/// Whether the body of an answer was Graph's own error object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The body is Graph's error object.
    Graph,
    /// Something between here and Graph answered: a proxy, a gateway, a wrong address.
    Elsewhere,
}

/// The class of an answer that is not a success.
pub(crate) fn classify(status: u16, code: &str, message: &str, origin: Origin) -> Class {
    // Exchange says "item not found" too when the mailbox has no root folder, which means that
    // there is no mailbox, not that a message has gone.
    if code.eq_ignore_ascii_case("ErrorItemNotFound") && message.contains("Default folder") {
        return Class::Denied;
    }
    let known = BY_CODE.iter().find(|(row, _)| row.eq_ignore_ascii_case(code));
    known.map_or_else(|| by_status(status, origin), |(_, class)| *class)
}

fn by_status(status: u16, origin: Origin) -> Class {
    match (status, origin) {
        (401, _) => Class::Reauthorise,
        (402 | 403 | 407 | 451 | 507, _) => Class::Denied,
        (404, Origin::Graph) => Class::Gone,
        // A proxy's 404 says nothing about the mailbox.
        (404, Origin::Elsewhere) => RETRY,
        (410, _) => Class::Resync,
        (408 | 423 | 425 | 429, _) => RETRY,
        (405 | 406 | 411 | 415 | 501 | 505, _) => Class::Bug,
        (400..=499, _) => Class::Invalid,
        (500..=599, _) => RETRY,
        _ => Class::Bug,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_gives_each_known_failure_its_class() {
        let rows: &[(u16, &str, Class)] = &[
            (401, "InvalidAuthenticationToken", Class::Reauthorise),
            (401, "", Class::Reauthorise),
            (403, "ErrorAccessDenied", Class::Denied),
            (403, "Authorization_RequestDenied", Class::Denied),
            (403, "ExtensionError", Class::Denied),
            (404, "ErrorInvalidUser", Class::Denied),
            (404, "MailboxNotEnabledForRESTAPI", Class::Denied),
            (403, "ErrorMailboxNotEnabledForRESTAPI", Class::Denied),
            (404, "ErrorItemNotFound", Class::Gone),
            (404, "Request_ResourceNotFound", Class::Gone),
            (404, "", Class::Gone),
            (410, "SyncStateNotFound", Class::Resync),
            (410, "syncStateNotFound", Class::Resync),
            (410, "resyncRequired", Class::Resync),
            (400, "syncStateInvalid", Class::Resync),
            (410, "", Class::Resync),
            (429, "ApplicationThrottled", RETRY),
            (429, "", RETRY),
            (500, "ErrorApiQuarantined", RETRY),
            (503, "MailboxInfoStale", RETRY),
            (504, "", RETRY),
            (509, "", RETRY),
            (409, "ErrorIrresolvableConflict", RETRY),
            (409, "ErrorFolderExists", Class::Invalid),
            (400, "ErrorInvalidRecipients", Class::Invalid),
            (413, "", Class::Invalid),
            (400, "Request_BadRequest", Class::Invalid),
            (507, "", Class::Denied),
            (501, "", Class::Bug),
            (302, "", Class::Bug),
            (400, "InefficientFilter", Class::Bug),
        ];
        for (status, code, expected) in rows {
            assert_eq!(classify(*status, code, "", Origin::Graph), *expected, "{status} {code}");
        }
    }

    #[test]
    fn sending_limit_waits_long_under_any_of_its_statuses() {
        for status in [400, 403, 429] {
            let class = classify(status, "ErrorExceededMessageLimit", "", Origin::Graph);
            assert_eq!(
                class,
                Class::Retry {
                    after: SENDING_LIMIT_PAUSE
                }
            );
        }
    }

    #[test]
    fn mailbox_without_root_folder_is_not_a_message_that_is_gone() {
        let message = "The specified object was not found in the store. Default folder Root not found.";
        assert_eq!(
            classify(404, "ErrorItemNotFound", message, Origin::Graph),
            Class::Denied
        );
    }

    #[test]
    fn not_found_page_of_a_proxy_is_not_a_message_that_is_gone() {
        assert_eq!(classify(404, "", "", Origin::Elsewhere), RETRY);
    }
}
