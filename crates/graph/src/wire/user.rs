//! The organisation, its users and what tells whether a user has a mailbox.

use serde::Deserialize;

use super::lenient;

/// The tenant.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Organization {
    /// Tenant id; empty where not selected.
    #[serde(default, deserialize_with = "lenient::text")]
    pub id: String,
    #[serde(default, deserialize_with = "lenient::text")]
    pub display_name: String,
    /// ISO 3166 two-letter code of the tenant's country.
    #[serde(default, deserialize_with = "lenient::option")]
    pub country_letter_code: Option<String>,
    #[serde(default, deserialize_with = "lenient::list")]
    pub verified_domains: Vec<VerifiedDomain>,
}

/// A domain of the tenant.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VerifiedDomain {
    pub name: String,
    #[serde(default, deserialize_with = "lenient::flag")]
    pub is_default: Option<bool>,
    /// The `…onmicrosoft.com` domain that the tenant began with.
    #[serde(default, deserialize_with = "lenient::flag")]
    pub is_initial: Option<bool>,
}

/// A user, which a shared mailbox is too.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    #[serde(deserialize_with = "lenient::id")]
    pub id: String,
    #[serde(default, deserialize_with = "lenient::text")]
    pub display_name: String,
    #[serde(default, deserialize_with = "lenient::text")]
    pub user_principal_name: String,
    /// Primary SMTP address.
    #[serde(default, deserialize_with = "lenient::option")]
    pub mail: Option<String>,
    /// Whether sign-in is allowed; shared mailboxes have it blocked.
    #[serde(default, deserialize_with = "lenient::flag")]
    pub account_enabled: Option<bool>,
    /// `Member` or `Guest`.
    #[serde(default, deserialize_with = "lenient::option")]
    pub user_type: Option<String>,
    #[serde(default, deserialize_with = "lenient::list")]
    pub assigned_plans: Vec<AssignedPlan>,
}

impl User {
    /// A user of whom nothing is known but the address, which Graph takes in place of the id.
    pub fn at(address: &str) -> Self {
        Self {
            id: address.to_owned(),
            display_name: address.to_owned(),
            user_principal_name: address.to_owned(),
            mail: Some(address.to_owned()),
            account_enabled: None,
            user_type: None,
            assigned_plans: Vec::new(),
        }
    }
}

/// A service plan of a user.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AssignedPlan {
    /// Such as `exchange`.
    #[serde(default, deserialize_with = "lenient::text")]
    pub service: String,
    /// Such as `Enabled`.
    #[serde(default, deserialize_with = "lenient::text")]
    pub capability_status: String,
    #[serde(default, deserialize_with = "lenient::text")]
    pub service_plan_id: String,
}

/// A licence of a user.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LicenseDetails {
    #[serde(default, deserialize_with = "lenient::text")]
    pub sku_part_number: String,
    #[serde(default, deserialize_with = "lenient::list")]
    pub service_plans: Vec<ServicePlan>,
}

/// A service plan of a licence.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServicePlan {
    #[serde(default, deserialize_with = "lenient::text")]
    pub service_plan_id: String,
    #[serde(default, deserialize_with = "lenient::text")]
    pub service_plan_name: String,
    /// Such as `Success`.
    #[serde(default, deserialize_with = "lenient::text")]
    pub provisioning_status: String,
}

/// Settings of a mailbox.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MailboxSettings {
    /// `user`, `linked`, `shared`, `room`, `equipment`, `others`.
    #[serde(default, deserialize_with = "lenient::option")]
    pub user_purpose: Option<String>,
    /// Windows name of the time zone.
    #[serde(default, deserialize_with = "lenient::option")]
    pub time_zone: Option<String>,
}
