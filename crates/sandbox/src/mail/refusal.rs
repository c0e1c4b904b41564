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

/// A delta token that is expired or was never given out.
pub fn sync_state_not_found(token: u32, highest: u32) -> ODataError {
    ODataError::new(
        StatusCode::GONE,
        "SyncStateNotFound",
        format!("The sync state generation is not found; generation={token};[highest={highest}][{highest}]."),
    )
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
