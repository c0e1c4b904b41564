//! `/users` and `/me`: the directory's view of people.
//!
//! Owns reading users, their licences, roles and grants. Everything that lives in a mailbox is answered by the mail
//! half. Users are created through the control interface only.

use http::{Method, StatusCode};
use secrecy::SecretString;
use serde_json::Value;
use uuid::Uuid;

use crate::auth::{Caller, CallerKind};
use crate::directory::credentials::member;
use crate::directory::listing::{self, Kind};
use crate::directory::model::User;
use crate::directory::tenant::Tenant;
use crate::directory::{assignments, authority, delta, grants, licences, organization};
use crate::odata::error::ODataError;
use crate::server::paths::{GraphRequest, GraphResponse};

/// What Graph answers about a user without `$select`.
const DEFAULTS: &[&str] = &[
    "id",
    "businessPhones",
    "displayName",
    "givenName",
    "jobTitle",
    "mail",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
    "userPrincipalName",
];
/// What `User.ReadBasic.All` shows.
const BASIC: &[&str] = &["id", "displayName", "givenName", "mail", "surname", "userPrincipalName"];

const KIND: Kind = Kind {
    context: "users",
    type_name: "microsoft.graph.user",
    defaults: Some(DEFAULTS),
};

/// Resources below a user that belong to the directory, in lower case.
pub const DIRECTORY_CHILDREN: &[&str] = &[
    "licensedetails",
    "approleassignments",
    "oauth2permissiongrants",
    "memberof",
    "transitivememberof",
    "ownedobjects",
    "manager",
    "directreports",
];

/// `/users` and `/users/$count`.
///
/// # Errors
/// The refusal as Graph words it.
pub fn list(tenant: &Tenant, request: &GraphRequest) -> Result<GraphResponse, ODataError> {
    if request.method == Method::POST {
        return Err(ODataError::unsupported(
            "creating users through Graph: use the control interface",
        ));
    }
    authority::may_read(&request.caller, authority::READ_USERS)?;
    let entities: Vec<Value> = tenant.read().users().map(User::entity).collect();
    listing::collection(request, kind_for(&request.caller), entities.into_iter())
}

/// `/users/delta`.
///
/// # Errors
/// The refusal as Graph words it.
pub fn changes(tenant: &Tenant, request: &GraphRequest) -> Result<GraphResponse, ODataError> {
    authority::may_read(&request.caller, authority::READ_USERS)?;
    let entities: Vec<Value> = tenant.read().users().map(User::entity).collect();
    delta::answer(tenant, request, KIND, &entities, |_| false)
}

/// Sets a password or blocks the sign-in: what an administrator does to let a person in or keep one out.
fn change(tenant: &Tenant, request: &GraphRequest, user: Uuid) -> Result<GraphResponse, ODataError> {
    authority::may_write(tenant, &request.caller, authority::WRITE_USERS)?;
    let body = request.json_body()?;
    let (mut password, mut enabled) = (None, None);
    for (name, value) in body
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, _)| !name.contains('@'))
    {
        let invalid = || {
            ODataError::directory_bad_request(format!(
                "Invalid value specified for property '{name}' of resource 'User'."
            ))
        };
        if name.eq_ignore_ascii_case("passwordProfile") {
            let text = member(value, "password")
                .and_then(Value::as_str)
                .filter(|text| !text.is_empty());
            password = Some(SecretString::from(text.ok_or_else(invalid)?));
        } else if name.eq_ignore_ascii_case("accountEnabled") {
            enabled = Some(value.as_bool().ok_or_else(invalid)?);
        } else {
            return Err(ODataError::unsupported(format!(
                "changing the property '{name}' of users"
            )));
        }
    }
    let mut objects = tenant.write();
    let user = objects
        .user_mut(user)
        .ok_or_else(|| ODataError::directory_not_found(&user.to_string()))?;
    user.password = password.or_else(|| user.password.take());
    user.account_enabled = enabled.unwrap_or(user.account_enabled);
    Ok(GraphResponse::empty(StatusCode::NO_CONTENT))
}

/// `/users/{id}` and `/me`.
///
/// # Errors
/// The refusal as Graph words it.
pub fn one(tenant: &Tenant, request: &GraphRequest, user: Uuid) -> Result<GraphResponse, ODataError> {
    if request.method == Method::PATCH {
        return change(tenant, request, user);
    }
    if request.method != Method::GET {
        return Err(ODataError::unsupported("removing users through Graph"));
    }
    may_see(&request.caller, user, authority::READ_USERS)?;
    let entity = tenant.read().user_by_id(user).map(User::entity);
    let entity = entity.ok_or_else(|| ODataError::directory_not_found(&user.to_string()))?;
    listing::entity(request, StatusCode::OK, kind_for(&request.caller), &entity)
}

/// `/users/{id}/<child>/<rest>` for the children of [`DIRECTORY_CHILDREN`]; `groups` gives those the user is in.
///
/// # Errors
/// The refusal as Graph words it.
pub fn child(
    tenant: &Tenant,
    request: &GraphRequest,
    user: Uuid,
    child: &str,
    rest: &[String],
    groups: impl FnOnce() -> Vec<Value>,
) -> Result<GraphResponse, ODataError> {
    match child.to_ascii_lowercase().as_str() {
        "licensedetails" if rest.is_empty() => {
            may_see(&request.caller, user, authority::READ_LICENSES)?;
            let details = tenant.read().user_by_id(user).map(licences::details);
            let kind = Kind {
                context: "licenseDetails",
                type_name: "microsoft.graph.licenseDetails",
                defaults: None,
            };
            listing::collection(request, kind, details.into_iter().flatten())
        }
        "approleassignments" => assignments::handle(tenant, request, assignments::End::Principal(user), rest),
        "oauth2permissiongrants" if rest.is_empty() => grants::of_user(tenant, request, user),
        "memberof" | "transitivememberof" if rest.len() <= 1 => {
            may_see(&request.caller, user, authority::READ_USERS)?;
            let held = tenant.read().user_by_id(user).map(|user| user.roles.clone());
            let kind = Kind {
                context: "directoryObjects",
                type_name: "microsoft.graph.directoryObject",
                defaults: None,
            };
            let roles = organization::roles_as_objects(&held.unwrap_or_default());
            listing::collection(request, kind, roles.into_iter().chain(groups()))
        }
        _ => Err(ODataError::unsupported(format!("{child} of users"))),
    }
}

/// The signed-in user of `/me`.
///
/// # Errors
/// 400 for a token of an application.
pub fn me(tenant: &Tenant, caller: &Caller) -> Result<crate::directory::UserRef, ODataError> {
    let not_delegated = || ODataError::bad_request("/me request is only valid with delegated authentication flow.");
    let id = caller
        .user_id
        .filter(|_| caller.kind == CallerKind::Delegated)
        .ok_or_else(not_delegated)?;
    let user = tenant.read().user_by_id(id).map(User::reference);
    user.ok_or_else(|| ODataError::directory_not_found(&id.to_string()))
}

fn may_see(caller: &Caller, user: Uuid, all: &[&str]) -> Result<(), ODataError> {
    if caller.user_id == Some(user) && caller.may(authority::READ_SELF) {
        return Ok(());
    }
    authority::may_read(caller, all)
}

fn kind_for(caller: &Caller) -> Kind {
    let basic_only = caller.may(&["User.ReadBasic.All"])
        && !caller.may(&[
            "User.Read.All",
            "User.ReadWrite.All",
            "Directory.Read.All",
            "Directory.ReadWrite.All",
        ]);
    if basic_only {
        Kind {
            defaults: Some(BASIC),
            ..KIND
        }
    } else {
        KIND
    }
}
