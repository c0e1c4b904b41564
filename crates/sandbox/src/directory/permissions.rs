//! The permissions that the tenant's resources publish: Microsoft Graph's and Exchange Online's.
//!
//! Owns a read-only table of ids, names and who may consent (facts of Microsoft's published service principals). It
//! never says who holds a permission.

use std::sync::LazyLock;

use serde_json::{Value, json};
use uuid::{Uuid, uuid};

/// Application id of Microsoft Graph in every tenant.
pub const GRAPH_APP_ID: Uuid = uuid!("00000003-0000-0000-c000-000000000000");
/// Application id of Office 365 Exchange Online in every tenant.
pub const EXCHANGE_APP_ID: Uuid = uuid!("00000002-0000-0ff1-ce00-000000000000");

/// Whether an application holds the permission itself or acts with it for a signed-in user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PermissionKind {
    /// Application permission (`Role`).
    Role,
    /// Delegated permission (`Scope`).
    Scope,
}

/// Who may consent to a delegated permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    /// Every user, for themselves.
    User,
    /// Administrators only.
    Admin,
}

/// One published permission.
#[derive(Debug, Clone)]
pub struct Permission {
    /// Application or delegated.
    pub kind: PermissionKind,
    /// Name as it stands in tokens, such as `Mail.Send`.
    pub value: &'static str,
    /// Id by which it is assigned.
    pub id: Uuid,
    /// Who may consent.
    pub consent: Consent,
    /// Name shown to administrators.
    pub display_name: &'static str,
}

static GRAPH: LazyLock<Vec<Permission>> = LazyLock::new(|| {
    include_str!("graph_permissions.tsv")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(row)
        .collect()
});

static EXCHANGE: LazyLock<Vec<Permission>> = LazyLock::new(|| {
    let role = |value, id, display_name| Permission {
        kind: PermissionKind::Role,
        value,
        id,
        consent: Consent::Admin,
        display_name,
    };
    vec![role(
        "Exchange.ManageAsApp",
        uuid!("dc50a0fb-09a3-484d-be87-e023b12c6440"),
        "Manage Exchange As Application",
    )]
});

fn row(line: &'static str) -> Option<Permission> {
    let mut fields = line.split('\t');
    let kind = match fields.next()? {
        "Role" => PermissionKind::Role,
        "Scope" => PermissionKind::Scope,
        _ => return None,
    };
    let value = fields.next()?;
    let id = fields.next()?.parse().ok()?;
    let consent = if fields.next()? == "User" {
        Consent::User
    } else {
        Consent::Admin
    };
    Some(Permission {
        kind,
        value,
        id,
        consent,
        display_name: fields.next()?,
    })
}

/// What a resource application publishes; empty for all but Microsoft's own.
#[must_use]
pub fn published_by(app_id: Uuid) -> &'static [Permission] {
    match app_id {
        GRAPH_APP_ID => &GRAPH,
        EXCHANGE_APP_ID => &EXCHANGE,
        _ => &[],
    }
}

/// The application permission with this id.
#[must_use]
pub fn role_by_id(app_id: Uuid, id: Uuid) -> Option<&'static Permission> {
    published_by(app_id)
        .iter()
        .find(|permission| permission.kind == PermissionKind::Role && permission.id == id)
}

/// The application permission with this name.
#[must_use]
pub fn role_by_value(app_id: Uuid, value: &str) -> Option<&'static Permission> {
    published_by(app_id)
        .iter()
        .find(|permission| permission.kind == PermissionKind::Role && permission.value.eq_ignore_ascii_case(value))
}

/// The delegated permission with this name.
#[must_use]
pub fn scope_by_value(app_id: Uuid, value: &str) -> Option<&'static Permission> {
    published_by(app_id)
        .iter()
        .find(|permission| permission.kind == PermissionKind::Scope && permission.value.eq_ignore_ascii_case(value))
}

/// The delegated permission with this id.
#[must_use]
pub fn scope_by_id(app_id: Uuid, id: Uuid) -> Option<&'static Permission> {
    published_by(app_id)
        .iter()
        .find(|permission| permission.kind == PermissionKind::Scope && permission.id == id)
}

/// `appRoles` of a resource's service principal.
#[must_use]
pub fn app_roles(app_id: Uuid) -> Value {
    let roles = published_by(app_id)
        .iter()
        .filter(|permission| permission.kind == PermissionKind::Role);
    roles
        .map(|role| {
            json!({
                "allowedMemberTypes": ["Application"],
                "description": role.display_name,
                "displayName": role.display_name,
                "id": role.id,
                "isEnabled": true,
                "origin": "Application",
                "value": role.value,
            })
        })
        .collect()
}

/// `oauth2PermissionScopes` of a resource's service principal.
#[must_use]
pub fn oauth2_permission_scopes(app_id: Uuid) -> Value {
    let scopes = published_by(app_id)
        .iter()
        .filter(|permission| permission.kind == PermissionKind::Scope);
    scopes
        .map(|scope| {
            json!({
                "adminConsentDescription": scope.display_name,
                "adminConsentDisplayName": scope.display_name,
                "id": scope.id,
                "isEnabled": true,
                "type": match scope.consent { Consent::User => "User", Consent::Admin => "Admin" },
                "userConsentDescription": null,
                "userConsentDisplayName": null,
                "value": scope.value,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_read() {
        let lines = include_str!("graph_permissions.tsv")
            .lines()
            .filter(|line| !line.starts_with('#'))
            .count();
        assert_eq!(published_by(GRAPH_APP_ID).len(), lines);
    }

    #[test]
    fn the_mail_permissions_have_microsofts_ids() {
        let role = role_by_value(GRAPH_APP_ID, "Mail.ReadWrite").map(|role| role.id.to_string());
        assert_eq!(role.as_deref(), Some("e2a3a72e-5f79-4c64-b1b1-878b674786c9"));
        let scope = scope_by_value(GRAPH_APP_ID, "User.Read").map(|scope| scope.id.to_string());
        assert_eq!(scope.as_deref(), Some("e1fe6dd8-ba31-4d61-89e7-88639da4683d"));
    }
}
