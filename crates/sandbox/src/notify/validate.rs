//! What the properties of a subscription must satisfy.
//!
//! Owns the limits of contract §3: `https` only unless configured otherwise, lives between 45 minutes (a shorter wish
//! is raised) and the maximum of the resource, a client state of at most 128 characters.

use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use url::Url;

use crate::mail::fields::Fields;
use crate::notify::subscription::ChangeTypes;
use crate::odata::error::ODataError;

/// Shorter wishes are raised to this.
const MIN_LIFE_MINUTES: i64 = 45;
/// The longest client state.
const MAX_CLIENT_STATE: usize = 128;
/// The longest notification URL.
const MAX_URL: usize = 2_048;
/// The longest name that a client gives its certificate.
const MAX_CERTIFICATE_ID: usize = 128;
/// Clocks of client and tenant may differ by this much at the upper limit.
const EXPIRY_LEEWAY: SignedDuration = SignedDuration::from_secs(60);

/// The properties of a subscription that a client may write at creation, and those it may only read.
const PROPERTIES: &[&str] = &[
    "applicationId",
    "changeType",
    "clientState",
    "creatorId",
    "encryptionCertificate",
    "encryptionCertificateId",
    "expirationDateTime",
    "id",
    "includeResourceData",
    "latestSupportedTlsVersion",
    "lifecycleNotificationUrl",
    "notificationContentType",
    "notificationQueryOptions",
    "notificationUrl",
    "notificationUrlAppId",
    "resource",
];

/// A refusal of a subscription request.
pub fn invalid(message: impl Into<std::borrow::Cow<'static, str>>) -> ODataError {
    ODataError::new(StatusCode::BAD_REQUEST, "InvalidRequest", message)
}

/// A body that is no subscription at all.
pub fn unreadable() -> ODataError {
    invalid(
        "Could not process subscription creation payload. Are all property names spelled and camelCased properly? Also are the datetimeoffset properties in a valid internet Date and Time format?",
    )
}

/// Refuses names that no subscription has.
pub fn known_properties(fields: Fields<'_>) -> Result<(), ODataError> {
    fields
        .only(PROPERTIES, "microsoft.graph.subscription")
        .map_err(|_| unreadable())
}

/// A text; another type makes the body unreadable.
pub fn text<'a>(fields: Fields<'a>, name: &str) -> Result<Option<&'a str>, ODataError> {
    fields.text(name).map_err(|_| unreadable())
}

/// A text that must be there.
pub fn required<'a>(fields: Fields<'a>, name: &str) -> Result<&'a str, ODataError> {
    text(fields, name)?
        .filter(|text| !text.trim().is_empty())
        .ok_or_else(|| invalid(format!("{name} is a required property for subscription creation")))
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
            "changeType is a required property for subscription creation: created, updated, deleted, joined by commas",
        ));
    }
    Ok(types)
}

/// Checks a notification URL.
pub fn endpoint(text: &str, name: &str, plain_http: bool) -> Result<String, ODataError> {
    let lower = text.trim_start().to_ascii_lowercase();
    if lower.starts_with("eventhub:") {
        return Err(ODataError::unsupported("notifications through Azure Event Hubs"));
    }
    if lower.starts_with("eventgrid:") {
        return Err(ODataError::unsupported("notifications through Azure Event Grid"));
    }
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

/// Checks the client's name for its certificate.
pub fn certificate_id(text: &str) -> Result<String, ODataError> {
    if text.is_empty() || text.chars().count() > MAX_CERTIFICATE_ID {
        return Err(invalid(format!(
            "The property 'encryptionCertificateId' must have 1 to {MAX_CERTIFICATE_ID} characters."
        )));
    }
    Ok(text.to_owned())
}

/// Checks `latestSupportedTlsVersion`; `v1_2` when the client says nothing.
pub fn tls_version(text: Option<&str>) -> Result<String, ODataError> {
    let known = ["v1_0", "v1_1", "v1_2", "v1_3"];
    let text = text.unwrap_or("v1_2");
    known
        .iter()
        .find(|known| known.eq_ignore_ascii_case(text))
        .map(|known| (*known).to_owned())
        .ok_or_else(|| invalid(format!("The TLS version '{text}' is not one of {}.", known.join(", "))))
}

/// Reads and bounds an expiration.
pub fn expiration(text: &str, now: Timestamp, longest_minutes: u64) -> Result<Timestamp, ODataError> {
    let wished: Timestamp = text.trim().parse().map_err(|_| unreadable())?;
    if wished <= now {
        return Err(invalid("Subscription expiration must be in the future."));
    }
    let longest = SignedDuration::from_mins(i64::try_from(longest_minutes).unwrap_or(i64::MAX / 60));
    if wished.duration_since(now) > longest.saturating_add(EXPIRY_LEEWAY) {
        return Err(ODataError::new(
            StatusCode::BAD_REQUEST,
            "ExtensionError",
            format!("Subscription expiration can only be {longest_minutes} minutes in the future."),
        ));
    }
    let least = now
        .checked_add(SignedDuration::from_mins(MIN_LIFE_MINUTES))
        .unwrap_or(wished);
    Ok(wished.max(least))
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
        let read = |text: &str| expiration(text, now, 10_080);
        assert_eq!(read("2026-01-01T00:10:00Z").unwrap(), at("2026-01-01T00:45:00Z"));
        assert!(read("2026-01-08T00:05:00Z").is_err());
        assert!(read("2025-12-31T23:59:59Z").is_err());
        assert!(read("tomorrow").is_err());
        assert!(read("2026-01-02T00:00:00").is_err());
    }

    #[test]
    fn every_spelling_of_a_moment_with_an_offset_is_read() {
        let now = at("2026-01-01T00:00:00Z");
        for text in [
            "2026-01-07T23:00:00.587179+00:00",
            "2026-01-07T23:00:00.587179Z",
            "2026-01-07T23:00:00.5871790Z",
            "2026-01-07T23:00:00.587179z",
            "2026-01-08T04:30:00.587179+05:30",
            "2026-01-07 23:00:00.587179+00:00",
            " 2026-01-07T15:00:00.587179-08:00 ",
        ] {
            let read = expiration(text, now, 10_080).unwrap();
            assert_eq!(read, at("2026-01-07T23:00:00.587179Z"), "{text}");
        }
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
    fn azure_channels_are_refused_as_unsupported() {
        for url in [
            "EventHub:https://vault.vault.azure.net/secrets/s?tenantId=contoso.example",
            "EventGrid:?azuresubscriptionid=1&resourcegroup=g&partnertopic=t&location=l",
        ] {
            assert_eq!(endpoint(url, "notificationUrl", true).unwrap_err().status, 501, "{url}");
        }
    }

    #[test]
    fn change_types_are_read_in_any_order_and_case() {
        assert!(change_types("Deleted, created").unwrap().deleted);
        assert!(change_types("").is_err() && change_types("moved").is_err());
        assert!(client_state(&"x".repeat(128)).is_ok() && client_state(&"x".repeat(129)).is_err());
        assert_eq!(tls_version(None).unwrap(), "v1_2");
        assert_eq!(tls_version(Some("V1_3")).unwrap(), "v1_3");
        assert!(tls_version(Some("1.2")).is_err());
    }
}
