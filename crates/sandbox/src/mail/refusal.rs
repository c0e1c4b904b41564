//! The refusals of Exchange behind Graph: codes and sentences of the contract, §2 and §5.
//!
//! Owns the texts, so that each exists once. It decides nothing.

use http::StatusCode;

use crate::odata::error::ODataError;

fn refusal(status: StatusCode, code: &'static str, message: &'static str) -> ODataError {
    ODataError::new(status, code, message)
}

/// No such message, folder or attachment.
pub fn item_not_found() -> ODataError {
    refusal(
        StatusCode::NOT_FOUND,
        "ErrorItemNotFound",
        "The specified object was not found in the store., The process failed to get the correct properties.",
    )
}

/// Not an id.
pub fn id_malformed() -> ODataError {
    refusal(StatusCode::BAD_REQUEST, "ErrorInvalidIdMalformed", "Id is malformed.")
}

/// The refusal of a text that is no id: Graph decodes `%2F` before it looks at the path, so that what stands behind the
/// slash is to it a segment of its own (contract, observed errors).
pub fn id_not_read(id: &str) -> ODataError {
    match id.split_once('/') {
        Some((_, rest)) => ODataError::new(
            StatusCode::BAD_REQUEST,
            "RequestBroker--ParseUri",
            format!("Resource not found for the segment '{rest}'."),
        ),
        None => id_malformed(),
    }
}

/// The token lacks a mail permission, or the mailbox is another person's.
pub fn access_denied() -> ODataError {
    refusal(
        StatusCode::FORBIDDEN,
        "ErrorAccessDenied",
        "Access is denied. Check credentials and try again.",
    )
}

/// An access policy keeps the application from this mailbox.
pub fn access_policy() -> ODataError {
    refusal(
        StatusCode::FORBIDDEN,
        "ErrorAccessDenied",
        "Access to OData is disabled: [RAOP] : Blocked by tenant configured AppOnly AccessPolicy settings.",
    )
}

/// The same, where a subscription is made.
pub fn subscription_blocked() -> ODataError {
    refusal(
        StatusCode::FORBIDDEN,
        "ExtensionError",
        "Operation: Create; Exception: [Status Code: Forbidden; Reason: Access to OData is disabled.]",
    )
}

/// Exchange's record of where the mailbox lies is out of date.
pub fn mailbox_info_stale() -> ODataError {
    refusal(
        StatusCode::SERVICE_UNAVAILABLE,
        "MailboxInfoStale",
        "Mailbox info is stale.",
    )
}

/// The user has no mailbox.
pub fn no_mailbox() -> ODataError {
    refusal(
        StatusCode::NOT_FOUND,
        "MailboxNotEnabledForRESTAPI",
        "The mailbox is either inactive, soft-deleted, or is hosted on-premise.",
    )
}

/// The parent already has a folder of that name.
pub fn folder_exists() -> ODataError {
    refusal(
        StatusCode::CONFLICT,
        "ErrorFolderExists",
        "A folder with the specified name already exists.",
    )
}

/// Folders that every mailbox has cannot be deleted, moved or renamed.
pub fn distinguished_folder() -> ODataError {
    refusal(
        StatusCode::FORBIDDEN,
        "ErrorCannotDeleteObject",
        "Distinguished folders cannot be deleted, moved or renamed.",
    )
}

/// `$filter` and `$orderby` do not fit together (§2.2).
pub fn inefficient_filter() -> ODataError {
    refusal(
        StatusCode::BAD_REQUEST,
        "InefficientFilter",
        "The restriction or sort order is too complex for this operation.",
    )
}

/// A `$search` that is not KQL.
pub fn bad_search(problem: &str) -> ODataError {
    ODataError::bad_request(format!("Syntax error: {problem}."))
}

/// Options that Exchange does not combine with `$search`.
pub fn search_mixed(code: &'static str, option: &str) -> ODataError {
    ODataError::new(
        StatusCode::BAD_REQUEST,
        code,
        format!("The query parameter '{option}' is not supported with '$search'."),
    )
}

/// A search cursor that is too old, or of another search.
pub fn stale_search() -> ODataError {
    refusal(
        StatusCode::BAD_REQUEST,
        "ErrorExecuteSearchStaleData",
        "The search cursor is stale; run the search again from its beginning.",
    )
}

/// An option that only lists take.
pub fn only_for_collections() -> ODataError {
    ODataError::bad_request(
        "The query specified in the URI is not valid. Query options $filter, $orderby, $count, $skip, $top and $search can be applied only on collections.",
    )
}

/// Nobody to send to.
pub fn no_recipients() -> ODataError {
    refusal(
        StatusCode::BAD_REQUEST,
        "ErrorInvalidRecipients",
        "At least one recipient is not valid., A message can't be sent because it contains no recipients.",
    )
}

/// An address that is none.
pub fn bad_recipient(address: &str) -> ODataError {
    ODataError::new(
        StatusCode::BAD_REQUEST,
        "ErrorInvalidRecipients",
        format!(
            "At least one recipient is not valid., Recipient '{address}' is not resolved. All recipients must be resolved before a message can be submitted."
        ),
    )
}

/// The message is larger than the tenant sends.
pub fn too_large() -> ODataError {
    refusal(
        StatusCode::BAD_REQUEST,
        "ErrorMessageSizeExceeded",
        "The message exceeds the maximum supported size.",
    )
}

/// The request is larger than Graph takes.
pub fn request_too_large() -> ODataError {
    refusal(
        StatusCode::PAYLOAD_TOO_LARGE,
        "BadRequest",
        "The maximum request length supported is 4MB.",
    )
}

/// `from` names a mailbox the caller does not send for.
pub fn send_as_denied() -> ODataError {
    refusal(
        StatusCode::FORBIDDEN,
        "ErrorSendAsDenied",
        "The user account which was used to submit this request does not have the right to send mail on behalf of the specified sending account. Cannot submit message.",
    )
}

/// The body of a MIME request is not base64.
pub fn bad_mime() -> ODataError {
    refusal(
        StatusCode::BAD_REQUEST,
        "ErrorMimeContentInvalidBase64String",
        "Invalid base64 string for MIME content.",
    )
}

/// A time zone that neither Windows nor the IANA database has.
pub fn unknown_time_zone(name: &str) -> ODataError {
    ODataError::new(
        StatusCode::BAD_REQUEST,
        "TimeZoneNotSupportedException",
        format!("A valid TimeZone value must be specified. The following TimeZone value is not supported: '{name}'."),
    )
}

/// Automatic replies that would end before they begin.
pub fn bad_schedule() -> ODataError {
    refusal(
        StatusCode::BAD_REQUEST,
        "ErrorInvalidScheduledOofDuration",
        "The start time of scheduled automatic replies must be earlier than their end time.",
    )
}

/// Only drafts can do that.
pub fn not_a_draft(action: &str) -> ODataError {
    ODataError::new(
        StatusCode::BAD_REQUEST,
        "ErrorInvalidOperation",
        format!("Cannot {action}: the operation is only valid for draft messages."),
    )
}

/// A header that may not be set.
pub fn bad_header(name: &str) -> ODataError {
    ODataError::new(
        StatusCode::BAD_REQUEST,
        "InvalidInternetMessageHeader",
        format!("The internet message header name '{name}' should start with 'x-' or 'X-'."),
    )
}

/// A delta token that is expired or was never given out, under one of the codes that are reported for it.
pub fn sync_state_lost(code: &str, token: u32, highest: u32) -> ODataError {
    let message = if code.eq_ignore_ascii_case("SyncStateNotFound") {
        format!("The sync state generation is not found; generation={token};[highest={highest}][{highest}].")
    } else if code.to_ascii_lowercase().starts_with("resync") {
        "Resync required. Replace any local items with the server's version (including deletes) if you're sure that the service was up to date with your local changes when you last sync'd. Upload any local changes that the server doesn't know about.".to_owned()
    } else {
        "The sync state data is not valid.".to_owned()
    };
    ODataError::new(StatusCode::GONE, code.to_owned(), message)
}

/// A body property of the wrong type.
pub fn bad_property(name: &str, wanted: &str) -> ODataError {
    ODataError::new(
        StatusCode::BAD_REQUEST,
        "RequestBodyRead",
        format!("The property '{name}' has a value that is not {wanted}."),
    )
}

/// A body property nobody knows.
pub fn unknown_property(name: &str, kind: &str) -> ODataError {
    ODataError::new(
        StatusCode::BAD_REQUEST,
        "RequestBodyRead",
        format!(
            "The property '{name}' does not exist on type 'microsoft.graph.{kind}'. Make sure to only use property names that are defined by the type."
        ),
    )
}

/// A `$select`, `$orderby` or `$expand` property nobody knows.
pub fn unknown_name(name: &str, kind: &str) -> ODataError {
    ODataError::new(
        StatusCode::BAD_REQUEST,
        "RequestBroker--ParseUri",
        format!("Could not find a property named '{name}' on type 'microsoft.graph.{kind}'."),
    )
}
