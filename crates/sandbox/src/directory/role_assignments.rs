//! `/roleManagement/directory`: directory roles given to people and applications.
//!
//! Owns the assignments of the two roles the tenant knows, over the whole directory. The id of an assignment follows
//! from role and principal, so nothing but the roles themselves is kept.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::LOCATION;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::directory::authority;
use crate::directory::credentials::member;
use crate::directory::listing::{self, Kind};
use crate::directory::model::{EXCHANGE_ADMINISTRATOR, GLOBAL_ADMINISTRATOR};
use crate::directory::tenant::{Objects, Tenant};
use crate::odata::error::ODataError;
use crate::server::paths::{GraphRequest, GraphResponse};

/// The roles that can be given.
pub const ROLES: [(Uuid, &str); 2] = [
    (GLOBAL_ADMINISTRATOR, "Global Administrator"),
    (EXCHANGE_ADMINISTRATOR, "Exchange Administrator"),
];

const READ: &[&str] = &[
    "RoleManagement.Read.Directory",
    "RoleManagement.Read.All",
    "RoleManagement.ReadWrite.Directory",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];
const WRITE: &[&str] = &["RoleManagement.ReadWrite.Directory"];

const ASSIGNMENTS: Kind = Kind {
    context: "roleManagement/directory/roleAssignments",
    type_name: "microsoft.graph.unifiedRoleAssignment",
    defaults: None,
};
const DEFINITIONS: Kind = Kind {
    context: "roleManagement/directory/roleDefinitions",
    type_name: "microsoft.graph.unifiedRoleDefinition",
    defaults: None,
};

/// `/roleManagement/directory/<segments>`.
///
/// # Errors
/// The refusal as Graph words it.
pub fn handle(tenant: &Tenant, request: &GraphRequest, segments: &[String]) -> Result<GraphResponse, ODataError> {
    let (what, rest) = match segments {
        [what, rest @ ..] => (what.to_ascii_lowercase(), rest),
        [] => return Err(ODataError::unsupported("reading the provider itself")),
    };
    if !["roleassignments", "roledefinitions"].contains(&what.as_str()) {
        return Err(ODataError::unsupported(format!("roleManagement/directory/{what}")));
    }
    if request.method == Method::GET {
        authority::may_read(&request.caller, READ)?;
        let (kind, entities) = match what.as_str() {
            "roleassignments" => (ASSIGNMENTS, assignments(&tenant.read())),
            _ => (DEFINITIONS, definitions()),
        };
        return match rest {
            [] => listing::collection(request, kind, entities.into_iter()),
            [id] => {
                let found = entities.iter().find(|entity| entity["id"] == id.as_str());
                listing::entity(
                    request,
                    StatusCode::OK,
                    kind,
                    found.ok_or_else(|| ODataError::directory_not_found(id))?,
                )
            }
            [_, other, ..] => Err(ODataError::unknown_segment(other)),
        };
    }
    if what != "roleassignments" {
        return Err(ODataError::unsupported("writing role definitions"));
    }
    authority::may_write(tenant, &request.caller, WRITE)?;
    match (&request.method, rest) {
        (&Method::POST, []) => create(tenant, request),
        (&Method::DELETE, [id]) => {
            let (role, principal) = parse_id(id).ok_or_else(|| ODataError::directory_not_found(id))?;
            let removed = change(&mut tenant.write(), principal, |roles| {
                let before = roles.len();
                roles.retain(|held| *held != role);
                roles.len() < before
            });
            if removed == Some(true) {
                Ok(GraphResponse::empty(StatusCode::NO_CONTENT))
            } else {
                Err(ODataError::directory_not_found(id))
            }
        }
        _ => Err(ODataError::method_not_allowed()),
    }
}

/// Gives a role to a user or service principal; none when there is no such principal, else whether it is new.
pub fn give(objects: &mut Objects, principal: Uuid, role: Uuid) -> Option<bool> {
    change(objects, principal, |roles| {
        let new = !roles.contains(&role);
        if new {
            roles.push(role);
        }
        new
    })
}

fn change(objects: &mut Objects, principal: Uuid, act: impl FnOnce(&mut Vec<Uuid>) -> bool) -> Option<bool> {
    if objects.user_by_id(principal).is_some() {
        return objects.user_mut(principal).map(|user| act(&mut user.roles));
    }
    let held = objects
        .service_principals
        .iter_mut()
        .find(|known| known.id == principal)?;
    Some(act(&mut held.roles))
}

fn assignment_id(role: Uuid, principal: Uuid) -> String {
    let mut bytes = role.as_bytes().to_vec();
    bytes.extend(principal.as_bytes());
    format!("{}-1", URL_SAFE_NO_PAD.encode(bytes))
}

fn parse_id(id: &str) -> Option<(Uuid, Uuid)> {
    let bytes = URL_SAFE_NO_PAD.decode(id.strip_suffix("-1")?).ok()?;
    let (role, principal) = bytes.split_at_checked(16)?;
    Some((Uuid::from_slice(role).ok()?, Uuid::from_slice(principal).ok()?))
}

fn entity(role: Uuid, principal: Uuid) -> Value {
    json!({
        "id": assignment_id(role, principal),
        "principalId": principal,
        "directoryScopeId": "/",
        "roleDefinitionId": role,
    })
}

fn assignments(objects: &Objects) -> Vec<Value> {
    let people = objects.users().map(|user| (user.id, &user.roles));
    let applications = objects
        .service_principals
        .iter()
        .map(|principal| (principal.id, &principal.roles));
    people
        .chain(applications)
        .flat_map(|(id, roles)| roles.iter().map(move |role| entity(*role, id)))
        .collect()
}

fn definitions() -> Vec<Value> {
    let shown = ROLES.iter().map(|(id, name)| {
        json!({
            "id": id,
            "description": name,
            "displayName": name,
            "isBuiltIn": true,
            "isEnabled": true,
            "templateId": id,
            "version": "1",
        })
    });
    shown.collect()
}

fn create(tenant: &Tenant, request: &GraphRequest) -> Result<GraphResponse, ODataError> {
    let body = request.json_body()?;
    let id = |name: &str| {
        let text = member(&body, name).and_then(Value::as_str);
        text.and_then(|text| text.parse::<Uuid>().ok()).ok_or_else(|| {
            ODataError::directory_bad_request(format!("The property '{name}' is missing or isn't an id."))
        })
    };
    let (principal, role) = (id("principalId")?, id("roleDefinitionId")?);
    let scope = member(&body, "directoryScopeId").and_then(Value::as_str);
    if scope != Some("/") {
        return Err(ODataError::unsupported("directory roles of a part of the directory"));
    }
    if !ROLES.iter().any(|(known, _)| *known == role) {
        return Err(ODataError::unsupported(format!("the directory role {role}")));
    }
    let given = give(&mut tenant.write(), principal, role);
    match given {
        None => Err(ODataError::directory_not_found(&principal.to_string())),
        Some(false) => Err(ODataError::directory_bad_request(
            "A conflicting object with one or more of the specified property values is present in the directory.",
        )),
        Some(true) => {
            let entity = entity(role, principal);
            let location = format!("{}/{}", request.service_root(), ASSIGNMENTS.context);
            let answer = listing::entity(request, StatusCode::CREATED, ASSIGNMENTS, &entity)?;
            Ok(answer.with_header(LOCATION, &format!("{location}/{}", assignment_id(role, principal))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_name_role_and_principal() {
        let (role, principal) = (Uuid::from_u128(1), Uuid::from_u128(2));
        assert_eq!(parse_id(&assignment_id(role, principal)), Some((role, principal)));
        assert_eq!(parse_id("x-1"), None);
        assert_eq!(parse_id(""), None);
    }
}
