//! RBAC for Applications as Graph's beta version shows it.

use serde::Deserialize;

use super::lenient;

/// A role that Exchange has for applications.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExchangeRole {
    #[serde(deserialize_with = "lenient::id")]
    pub id: String,
    /// Such as `Application Mail.Send`.
    #[serde(default, deserialize_with = "lenient::text")]
    pub display_name: String,
}

/// A management scope.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AppScope {
    #[serde(deserialize_with = "lenient::id")]
    pub id: String,
    #[serde(default, deserialize_with = "lenient::text")]
    pub display_name: String,
    #[serde(default)]
    custom_attributes: Attributes,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct Attributes {
    #[serde(rename = "RecipientFilter", deserialize_with = "lenient::text")]
    recipient_filter: String,
}

impl AppScope {
    /// The recipients it holds, in OPATH.
    pub fn filter(&self) -> &str {
        &self.custom_attributes.recipient_filter
    }
}

/// A role that a service principal was given.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExchangeAssignment {
    #[serde(deserialize_with = "lenient::id")]
    pub id: String,
    /// `/ServicePrincipals/{id}`; whether a bare id occurs is not documented.
    #[serde(default, deserialize_with = "lenient::text")]
    pub principal_id: String,
    #[serde(default, deserialize_with = "lenient::text")]
    pub role_definition_id: String,
    /// Management scope, if it is limited to one.
    #[serde(default, deserialize_with = "lenient::option")]
    pub app_scope_id: Option<String>,
    /// `/` for the whole organisation.
    #[serde(default, deserialize_with = "lenient::option")]
    pub directory_scope_id: Option<String>,
}

impl ExchangeAssignment {
    /// Whether this service principal has it.
    pub fn is_of(&self, service_principal: &str) -> bool {
        let id = self.principal_id.rsplit('/').next().unwrap_or_default();
        id.eq_ignore_ascii_case(service_principal)
    }
}
