//! Whether a caller may read or change directory objects.
//!
//! Owns the permission sets per kind of object (the "permissions" tables of Graph's reference). A delegated token is
//! the intersection of its scopes and the user's directory role: writing needs a Global Administrator. Mail
//! permissions are judged by the mail half.

use uuid::Uuid;

use crate::auth::{Caller, CallerKind};
use crate::directory::model::User;
use crate::directory::tenant::Tenant;
use crate::odata::error::ODataError;

/// Reading applications and service principals.
pub const READ_APPLICATIONS: &[&str] = &[
    "Application.Read.All",
    "Application.ReadWrite.All",
    "Application.ReadWrite.OwnedBy",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];
/// Changing any application or service principal.
pub const WRITE_APPLICATIONS: &[&str] = &["Application.ReadWrite.All"];
/// Changing applications that the caller owns.
pub const WRITE_OWNED_APPLICATIONS: &[&str] = &["Application.ReadWrite.OwnedBy"];
/// Granting application permissions.
pub const WRITE_ASSIGNMENTS: &[&str] = &["AppRoleAssignment.ReadWrite.All"];
/// Reading delegated grants.
pub const READ_GRANTS: &[&str] = &[
    "DelegatedPermissionGrant.Read.All",
    "DelegatedPermissionGrant.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];
/// Changing delegated grants.
pub const WRITE_GRANTS: &[&str] = &["DelegatedPermissionGrant.ReadWrite.All"];
/// Reading the organisation.
pub const READ_ORGANIZATION: &[&str] = &[
    "Organization.Read.All",
    "Organization.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
    "User.Read",
];
/// Reading verified domains.
pub const READ_DOMAINS: &[&str] = &[
    "Domain.Read.All",
    "Domain.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];
/// Reading what the tenant has bought.
pub const READ_SUBSCRIBED_SKUS: &[&str] = &[
    "LicenseAssignment.Read.All",
    "Organization.Read.All",
    "Organization.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];
/// Reading every user.
pub const READ_USERS: &[&str] = &[
    "User.Read.All",
    "User.ReadWrite.All",
    "User.ReadBasic.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];
/// Changing users' passwords and whether they may sign in.
pub const WRITE_USERS: &[&str] = &["User.ReadWrite.All", "User-PasswordProfile.ReadWrite.All"];
/// Reading oneself.
pub const READ_SELF: &[&str] = &["User.Read", "User.ReadWrite"];
/// Reading the licences of users.
pub const READ_LICENSES: &[&str] = &[
    "LicenseAssignment.Read.All",
    "User.Read.All",
    "User.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];

/// Lets an administrator's client do whatever the administrator may.
const AS_THE_USER: &[&str] = &["Directory.AccessAsUser.All"];

/// Reading: one of the permissions suffices.
///
/// # Errors
/// 403 `Authorization_RequestDenied`.
pub fn may_read(caller: &Caller, any_of: &[&str]) -> Result<(), ODataError> {
    let as_user = caller.kind == CallerKind::Delegated && caller.may(AS_THE_USER);
    if caller.may(any_of) || as_user {
        Ok(())
    } else {
        Err(ODataError::directory_denied())
    }
}

/// Writing: one of the permissions, and for a signed-in user the directory role as well.
///
/// # Errors
/// 403 `Authorization_RequestDenied`.
pub fn may_write(tenant: &Tenant, caller: &Caller, any_of: &[&str]) -> Result<(), ODataError> {
    may_read(caller, any_of)?;
    match caller.kind {
        CallerKind::App => Ok(()),
        CallerKind::Delegated if is_administrator(tenant, caller) => Ok(()),
        CallerKind::Delegated | CallerKind::Anonymous => Err(ODataError::directory_denied()),
    }
}

/// Writing an application or service principal with these owners.
///
/// # Errors
/// 403 `Authorization_RequestDenied`.
pub fn may_write_owned(tenant: &Tenant, caller: &Caller, owners: &[Uuid]) -> Result<(), ODataError> {
    let own = caller.service_principal_id.is_some_and(|id| owners.contains(&id));
    if own && caller.kind == CallerKind::App && caller.may(WRITE_OWNED_APPLICATIONS) {
        return Ok(());
    }
    may_write(tenant, caller, WRITE_APPLICATIONS)
}

/// Creating an application or service principal.
///
/// # Errors
/// 403 `Authorization_RequestDenied`.
pub fn may_create_application(tenant: &Tenant, caller: &Caller) -> Result<(), ODataError> {
    if caller.kind == CallerKind::App && caller.may(WRITE_OWNED_APPLICATIONS) {
        return Ok(());
    }
    may_write(tenant, caller, WRITE_APPLICATIONS)
}

/// The object that owns what the caller creates.
#[must_use]
pub fn owner(caller: &Caller) -> Vec<Uuid> {
    let owner = match caller.kind {
        CallerKind::App => caller.service_principal_id,
        CallerKind::Delegated => caller.user_id,
        CallerKind::Anonymous => None,
    };
    owner.into_iter().collect()
}

fn is_administrator(tenant: &Tenant, caller: &Caller) -> bool {
    let objects = tenant.read();
    caller
        .user_id
        .and_then(|id| objects.user_by_id(id))
        .is_some_and(User::is_administrator)
}
