//! The properties a new application or service principal starts with.
//!
//! Owns the default documents (shapes of the published Graph examples) and the rule by which a request body changes
//! one: unknown properties are refused, complex properties merge one level deep, `@odata` annotations are ignored.

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::directory::model::time;
use crate::directory::permissions::{EXCHANGE_APP_ID, GRAPH_APP_ID};
use crate::odata::error::ODataError;

/// Longest display name the directory accepts.
const MAX_DISPLAY_NAME: usize = 256;

/// Properties that only the directory writes.
const READ_ONLY: [&str; 8] = [
    "id",
    "appid",
    "createddatetime",
    "deleteddatetime",
    "publisherdomain",
    "disabledbymicrosoftstatus",
    "appownerorganizationid",
    "passwordcredentials",
];

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// A new application registration.
#[must_use]
pub fn application(id: Uuid, app_id: Uuid, publisher_domain: &str, now: Timestamp) -> Map<String, Value> {
    object(json!({
        "id": id,
        "deletedDateTime": null,
        "appId": app_id,
        "applicationTemplateId": null,
        "disabledByMicrosoftStatus": null,
        "createdDateTime": time(now),
        "displayName": null,
        "description": null,
        "groupMembershipClaims": null,
        "identifierUris": [],
        "isDeviceOnlyAuthSupported": null,
        "isDisabled": null,
        "createdByAppId": null,
        "isFallbackPublicClient": null,
        "nativeAuthenticationApisEnabled": null,
        "notes": null,
        "publisherDomain": publisher_domain,
        "serviceManagementReference": null,
        "signInAudience": "AzureADMyOrg",
        "tags": [],
        "tokenEncryptionKeyId": null,
        "uniqueName": null,
        "samlMetadataUrl": null,
        "defaultRedirectUri": null,
        "certification": null,
        "optionalClaims": null,
        "servicePrincipalLockConfiguration": null,
        "requestSignatureVerification": null,
        "addIns": [],
        "api": {
            "acceptMappedClaims": null,
            "knownClientApplications": [],
            "requestedAccessTokenVersion": null,
            "oauth2PermissionScopes": [],
            "preAuthorizedApplications": [],
        },
        "appRoles": [],
        "info": info(),
        "keyCredentials": [],
        "parentalControlSettings": {"countriesBlockedForMinors": [], "legalAgeGroupRule": "Allow"},
        "passwordCredentials": [],
        "publicClient": {"redirectUris": []},
        "requiredResourceAccess": [],
        "verifiedPublisher": {"displayName": null, "verifiedPublisherId": null, "addedDateTime": null},
        "web": {
            "homePageUrl": null,
            "logoutUrl": null,
            "redirectUris": [],
            "implicitGrantSettings": {"enableAccessTokenIssuance": false, "enableIdTokenIssuance": false},
            "redirectUriSettings": [],
        },
        "spa": {"redirectUris": []},
    }))
}

/// A new service principal for an application.
#[must_use]
pub fn service_principal(
    id: Uuid,
    app_id: Uuid,
    display_name: &str,
    owner: Uuid,
    publisher: &str,
    now: Timestamp,
) -> Map<String, Value> {
    object(json!({
        "id": id,
        "deletedDateTime": null,
        "accountEnabled": true,
        "alternativeNames": [],
        "appDisplayName": display_name,
        "appDescription": null,
        "appId": app_id,
        "applicationTemplateId": null,
        "appOwnerOrganizationId": owner,
        "appRoleAssignmentRequired": false,
        "createdDateTime": time(now),
        "description": null,
        "disabledByMicrosoftStatus": null,
        "displayName": display_name,
        "homepage": null,
        "isDisabled": null,
        "createdByAppId": null,
        "loginUrl": null,
        "logoutUrl": null,
        "notes": null,
        "notificationEmailAddresses": [],
        "preferredSingleSignOnMode": null,
        "preferredTokenSigningKeyThumbprint": null,
        "publisherName": publisher,
        "replyUrls": [],
        "servicePrincipalNames": service_principal_names(app_id),
        "servicePrincipalType": "Application",
        "signInAudience": "AzureADMyOrg",
        "tags": [],
        "tokenEncryptionKeyId": null,
        "samlSingleSignOnSettings": null,
        "verifiedPublisher": {"displayName": null, "verifiedPublisherId": null, "addedDateTime": null},
        "addIns": [],
        "appRoles": [],
        "info": info(),
        "keyCredentials": [],
        "oauth2PermissionScopes": [],
        "passwordCredentials": [],
        "resourceSpecificApplicationPermissions": [],
    }))
}

fn service_principal_names(app_id: Uuid) -> Value {
    match app_id {
        GRAPH_APP_ID => json!([
            "00000003-0000-0000-c000-000000000000/ags.windows.net",
            "00000003-0000-0000-c000-000000000000",
            "https://canary.graph.microsoft.com",
            "https://graph.microsoft.com",
            "https://ags.windows.net",
            "https://graph.microsoft.us",
            "https://graph.microsoft.com/",
            "https://dod-graph.microsoft.us",
        ]),
        EXCHANGE_APP_ID => json!([
            "00000002-0000-0ff1-ce00-000000000000",
            "https://outlook.office365.com",
            "https://outlook.office365.com/",
            "https://outlook.office.com",
            "https://outlook.office.com/",
            "https://ps.outlook.com",
        ]),
        other => json!([other.to_string()]),
    }
}

fn info() -> Value {
    json!({
        "logoUrl": null,
        "marketingUrl": null,
        "privacyStatementUrl": null,
        "supportUrl": null,
        "termsOfServiceUrl": null,
    })
}

/// Checks a request body against a document and gives the changes under the document's own spelling.
///
/// # Errors
/// 400 for a property the type does not have, a read-only property with another value, or a value of another shape.
pub fn checked_changes(document: &Map<String, Value>, body: &Value) -> Result<Vec<(String, Value)>, ODataError> {
    let Value::Object(body) = body else {
        return Err(ODataError::directory_bad_request(
            "A value without a type name was found: an object is expected.",
        ));
    };
    let mut changes = Vec::new();
    for (name, value) in body {
        if name.contains('@') {
            continue;
        }
        let Some((property, present)) = document
            .iter()
            .find(|(property, _)| property.eq_ignore_ascii_case(name))
        else {
            return Err(ODataError::directory_bad_request(format!("Invalid property '{name}'.")));
        };
        if READ_ONLY
            .iter()
            .any(|read_only| property.eq_ignore_ascii_case(read_only))
        {
            if value == present || value.is_null() || value.as_array().is_some_and(Vec::is_empty) {
                continue;
            }
            return Err(ODataError::directory_bad_request(format!(
                "Property '{property}' is read-only and cannot be set."
            )));
        }
        if !fits(property, present, value) {
            return Err(ODataError::directory_bad_request(format!(
                "Invalid value specified for property '{property}' of resource."
            )));
        }
        changes.push((property.clone(), merged(present, value)));
    }
    Ok(changes)
}

/// Whether a value may stand where `present` stands: lists stay lists, objects objects, and names are not empty.
fn fits(property: &str, present: &Value, value: &Value) -> bool {
    if property == "displayName" {
        return value
            .as_str()
            .is_some_and(|name| !name.is_empty() && name.chars().count() <= MAX_DISPLAY_NAME);
    }
    if property == "signInAudience" {
        return value.as_str().is_some_and(|audience| {
            [
                "AzureADMyOrg",
                "AzureADMultipleOrgs",
                "AzureADandPersonalMicrosoftAccount",
                "PersonalMicrosoftAccount",
            ]
            .contains(&audience)
        });
    }
    match present {
        Value::Array(_) => value.is_array(),
        Value::Object(_) => value.is_object() || value.is_null(),
        Value::Bool(_) => value.is_boolean(),
        Value::String(_) => value.is_string() || value.is_null(),
        Value::Null | Value::Number(_) => true,
    }
}

fn merged(present: &Value, value: &Value) -> Value {
    match (present, value) {
        (Value::Object(present), Value::Object(change)) => {
            let mut merged = present.clone();
            for (name, value) in change.iter().filter(|(name, _)| !name.contains('@')) {
                let spelling = merged.keys().find(|key| key.eq_ignore_ascii_case(name)).cloned();
                merged.insert(spelling.unwrap_or_else(|| name.clone()), value.clone());
            }
            Value::Object(merged)
        }
        _ => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Map<String, Value> {
        application(Uuid::nil(), Uuid::nil(), "contoso.example", Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn complex_properties_keep_what_is_not_named() {
        let body = json!({"Web": {"redirectUris": ["http://localhost"]}, "@odata.type": "x"});
        let changes = checked_changes(&document(), &body).expect("a known property");
        assert_eq!(changes.len(), 1);
        assert_eq!(changes[0].0, "web");
        assert_eq!(changes[0].1["redirectUris"], json!(["http://localhost"]));
        assert_eq!(
            changes[0].1["implicitGrantSettings"]["enableIdTokenIssuance"],
            json!(false)
        );
    }

    #[test]
    fn unknown_and_read_only_properties_are_refused() {
        for body in [
            json!({"colour": "red"}),
            json!({"appId": Uuid::max()}),
            json!({"displayName": ""}),
        ] {
            let refusal = checked_changes(&document(), &body).expect_err("not acceptable");
            assert_eq!(refusal.status, 400);
        }
    }
}
