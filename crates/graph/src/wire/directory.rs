//! Applications, service principals and what they are granted.

use std::fmt;

use jiff::Timestamp;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::lenient;

/// An application registration.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Application {
    /// Object id, which addresses it.
    #[serde(deserialize_with = "lenient::id")]
    pub id: String,
    /// Application (client) id.
    #[serde(deserialize_with = "lenient::id")]
    pub app_id: String,
    #[serde(default, deserialize_with = "lenient::text")]
    pub display_name: String,
    /// `AzureADMyOrg`, `AzureADMultipleOrgs`, ….
    #[serde(default, deserialize_with = "lenient::option")]
    pub sign_in_audience: Option<String>,
    #[serde(rename = "createdDateTime", default, deserialize_with = "lenient::option")]
    pub created_at: Option<Timestamp>,
    /// Set when Microsoft has disabled it; `NotDisabled` means it is not.
    #[serde(default, deserialize_with = "lenient::option")]
    pub disabled_by_microsoft_status: Option<String>,
    #[serde(default, deserialize_with = "lenient::flag")]
    pub is_fallback_public_client: Option<bool>,
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub web: RedirectUris,
    #[serde(default, deserialize_with = "lenient::or_default")]
    pub public_client: RedirectUris,
    #[serde(default, deserialize_with = "lenient::list")]
    pub required_resource_access: Vec<RequiredResourceAccess>,
    #[serde(default, deserialize_with = "lenient::list")]
    pub password_credentials: Vec<PasswordCredential>,
    #[serde(default, deserialize_with = "lenient::list")]
    pub key_credentials: Vec<KeyCredential>,
}

/// Addresses a sign-in may return to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RedirectUris {
    #[serde(default)]
    pub redirect_uris: Vec<String>,
}

/// Permissions that an application declares to need on one resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequiredResourceAccess {
    /// Client id of the resource, such as Graph's.
    pub resource_app_id: String,
    pub resource_access: Vec<ResourceAccess>,
}

/// One declared permission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceAccess {
    /// Id of the application role or the delegated scope.
    pub id: String,
    #[serde(rename = "type")]
    pub kind: AccessKind,
}

/// The two kinds of permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AccessKind {
    /// Application permission.
    Role,
    /// Delegated permission.
    Scope,
}

/// An application to register.
#[derive(Debug, Clone, Default)]
pub struct NewApplication {
    pub display_name: String,
    /// `AzureADMyOrg`, `AzureADMultipleOrgs`, ….
    pub sign_in_audience: String,
    /// Of the platform "web".
    pub redirect_uris: Vec<String>,
    pub required_resource_access: Vec<RequiredResourceAccess>,
}

/// What to change on an application. `None` leaves as it is; a list replaces the whole list.
#[derive(Debug, Clone, Default)]
pub struct ApplicationPatch {
    pub display_name: Option<String>,
    pub sign_in_audience: Option<String>,
    /// Of the platform "web".
    pub redirect_uris: Option<Vec<String>>,
    pub required_resource_access: Option<Vec<RequiredResourceAccess>>,
}

/// A client secret that exists; its value is shown only at creation.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PasswordCredential {
    #[serde(deserialize_with = "lenient::id")]
    pub key_id: String,
    #[serde(default, deserialize_with = "lenient::option")]
    pub display_name: Option<String>,
    #[serde(rename = "startDateTime", default, deserialize_with = "lenient::option")]
    pub start: Option<Timestamp>,
    #[serde(rename = "endDateTime", default, deserialize_with = "lenient::option")]
    pub end: Option<Timestamp>,
    /// First three characters of the value.
    #[serde(default, deserialize_with = "lenient::option")]
    pub hint: Option<String>,
}

/// A certificate that exists.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyCredential {
    #[serde(deserialize_with = "lenient::id")]
    pub key_id: String,
    #[serde(default, deserialize_with = "lenient::option")]
    pub display_name: Option<String>,
    /// Base 64 of the SHA-1 thumbprint, unless set otherwise.
    #[serde(default, deserialize_with = "lenient::option")]
    pub custom_key_identifier: Option<String>,
    #[serde(rename = "startDateTime", default, deserialize_with = "lenient::option")]
    pub start: Option<Timestamp>,
    #[serde(rename = "endDateTime", default, deserialize_with = "lenient::option")]
    pub end: Option<Timestamp>,
}

/// A client secret just created.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NewSecret {
    /// The secret's id, which removes it.
    #[serde(deserialize_with = "lenient::id")]
    pub key_id: String,
    /// The value, shown this once.
    #[serde(deserialize_with = "lenient::secret")]
    pub secret_text: SecretString,
    #[serde(rename = "endDateTime", default, deserialize_with = "lenient::option")]
    pub end: Option<Timestamp>,
    /// First three characters of the value.
    #[serde(default, deserialize_with = "lenient::option")]
    pub hint: Option<String>,
    #[serde(default, deserialize_with = "lenient::option")]
    pub display_name: Option<String>,
}

/// An application's presence in a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServicePrincipal {
    /// Object id, which grants name.
    #[serde(deserialize_with = "lenient::id")]
    pub id: String,
    /// Client id of the application.
    #[serde(default, deserialize_with = "lenient::text")]
    pub app_id: String,
    #[serde(default, deserialize_with = "lenient::text")]
    pub display_name: String,
    #[serde(default, deserialize_with = "lenient::flag")]
    pub account_enabled: Option<bool>,
    #[serde(default, deserialize_with = "lenient::option")]
    pub disabled_by_microsoft_status: Option<String>,
    #[serde(default, deserialize_with = "lenient::flag")]
    pub app_role_assignment_required: Option<bool>,
    /// Tenant that owns the application.
    #[serde(default, deserialize_with = "lenient::option")]
    pub app_owner_organization_id: Option<String>,
    /// Application permissions that it offers.
    #[serde(default, deserialize_with = "lenient::list")]
    pub app_roles: Vec<AppRole>,
    /// Delegated permissions that it offers.
    #[serde(rename = "oauth2PermissionScopes", default, deserialize_with = "lenient::list")]
    pub permission_scopes: Vec<PermissionScope>,
}

/// An application permission on offer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AppRole {
    #[serde(deserialize_with = "lenient::id")]
    pub id: String,
    /// Name, such as `Mail.Send`.
    #[serde(default, deserialize_with = "lenient::option")]
    pub value: Option<String>,
    #[serde(default, deserialize_with = "lenient::flag")]
    pub is_enabled: Option<bool>,
}

/// A delegated permission on offer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PermissionScope {
    #[serde(deserialize_with = "lenient::id")]
    pub id: String,
    /// Name, such as `User.Read`.
    #[serde(default, deserialize_with = "lenient::option")]
    pub value: Option<String>,
}

/// An application permission that was consented to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AppRoleAssignment {
    #[serde(deserialize_with = "lenient::id")]
    pub id: String,
    pub app_role_id: String,
    /// Service principal that holds it.
    pub principal_id: String,
    /// Service principal that offers it.
    pub resource_id: String,
    #[serde(default, deserialize_with = "lenient::option")]
    pub resource_display_name: Option<String>,
    #[serde(rename = "createdDateTime", default, deserialize_with = "lenient::option")]
    pub created_at: Option<Timestamp>,
}

/// Delegated permissions that were consented to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PermissionGrant {
    #[serde(deserialize_with = "lenient::id")]
    pub id: String,
    /// Service principal that holds it.
    pub client_id: String,
    /// `AllPrincipals` or `Principal`.
    pub consent_type: String,
    #[serde(default, deserialize_with = "lenient::option")]
    pub principal_id: Option<String>,
    /// Service principal that offers it.
    pub resource_id: String,
    /// Names separated by spaces.
    #[serde(default, deserialize_with = "lenient::text")]
    pub scope: String,
}

/// An outside issuer that an application trusts to speak for it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct FederatedCredential {
    /// Id of the record.
    pub id: String,
    /// Its name, unique for the application.
    #[serde(default)]
    pub name: String,
    /// The token's `iss`.
    pub issuer: String,
    /// The token's `sub`.
    pub subject: String,
    /// The token's `aud`; one today.
    #[serde(default)]
    pub audiences: Vec<String>,
}

/// Any object of the directory.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct DirectoryObject {
    /// Object id.
    pub id: String,
}

/// Whether a call created something or found it in place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ensured {
    /// It is new.
    Created,
    /// It was there before.
    Existed,
}

impl fmt::Debug for NewSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewSecret")
            .field("key_id", &self.key_id)
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}
