//! `/beta/roleManagement/exchange`: RBAC for Applications through Microsoft Graph.
//!
//! Owns the form of scopes, assignments and role definitions (contract §7); the state is that of the cmdlets. Version
//! 1.0 has no `exchange` provider and says so. Whether `principalId` may be a bare id is unconfirmed: both are taken.

use http::header::LOCATION;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::directory::authority;
use crate::directory::credentials::member;
use crate::directory::listing::{self, Kind};
use crate::exchange::Exchange;
use crate::exchange::cmdlets::{assignments, scopes};
use crate::exchange::failure::Failure;
use crate::exchange::roles::{self, ROLES};
use crate::exchange::rules::{AppPrincipal, ManagementScope, ResourceScope, RoleAssignment, Rules};
use crate::odata::error::ODataError;
use crate::server::paths::{ApiVersion, GraphRequest, GraphResponse};

const READ: &[&str] = &[
    "RoleManagement.Read.Exchange",
    "RoleManagement.Read.All",
    "RoleManagement.ReadWrite.Exchange",
];
const WRITE: &[&str] = &["RoleManagement.ReadWrite.Exchange"];

const SCOPES: Kind = Kind {
    context: "roleManagement/exchange/customAppScopes",
    type_name: "microsoft.graph.customAppScope",
    defaults: None,
};
const ASSIGNMENTS: Kind = Kind {
    context: "roleManagement/exchange/roleAssignments",
    type_name: "microsoft.graph.unifiedRoleAssignment",
    defaults: None,
};
const DEFINITIONS: Kind = Kind {
    context: "roleManagement/exchange/roleDefinitions",
    type_name: "microsoft.graph.unifiedRoleDefinition",
    defaults: None,
};

/// `/roleManagement/exchange/<segments>`.
///
/// # Errors
/// The refusal as Graph words it.
pub fn handle(exchange: &Exchange, request: &GraphRequest, segments: &[String]) -> Result<GraphResponse, ODataError> {
    if request.version == ApiVersion::V1 {
        return Err(ODataError::unknown_segment("exchange"));
    }
    let Some((what, rest)) = segments.split_first() else {
        return Err(ODataError::unsupported("reading the provider itself"));
    };
    let reads = request.method == Method::GET;
    let resource = what.to_ascii_lowercase();
    if !["customappscopes", "roleassignments", "roledefinitions"].contains(&resource.as_str()) {
        return Err(ODataError::unsupported(format!("roleManagement/exchange/{what}")));
    }
    if reads {
        authority::may_read(&request.caller, READ)?;
        let rules = exchange.rules();
        let (kind, entities): (Kind, Vec<Value>) = match resource.as_str() {
            "customappscopes" => (SCOPES, rules.scopes.iter().map(scope_entity).collect()),
            "roleassignments" => (ASSIGNMENTS, rules.assignments.iter().map(assignment_entity).collect()),
            _ => (DEFINITIONS, definitions()),
        };
        return match rest {
            [] => listing::collection(request, kind, entities.into_iter()),
            [id] if id == "$count" => listing::collection(request, kind, entities.into_iter()),
            [id] => {
                let found = entities
                    .iter()
                    .find(|entity| entity["id"].as_str().is_some_and(|own| own.eq_ignore_ascii_case(id)));
                let found = found.ok_or_else(|| ODataError::directory_not_found(id))?;
                listing::entity(request, StatusCode::OK, kind, found)
            }
            [_, other, ..] => Err(ODataError::unknown_segment(other)),
        };
    }
    authority::may_write(&exchange.tenant, &request.caller, WRITE)?;
    match (resource.as_str(), &request.method, rest) {
        ("customappscopes", &Method::POST, []) => create_scope(exchange, request),
        ("customappscopes", &Method::PATCH, [id]) => update_scope(exchange, request, id),
        ("customappscopes", &Method::DELETE, [id]) => {
            exchange.change(|rules| scopes::take_out(rules, id)).map_err(refused)?;
            Ok(GraphResponse::empty(StatusCode::NO_CONTENT))
        }
        ("roleassignments", &Method::POST, []) => create_assignment(exchange, request),
        ("roleassignments", &Method::DELETE, [id]) => {
            exchange.change(|rules| {
                let id = assignments::find(rules, id).map_err(refused)?.id;
                rules.assignments.retain(|held| held.id != id);
                Ok::<_, ODataError>(())
            })?;
            Ok(GraphResponse::empty(StatusCode::NO_CONTENT))
        }
        ("roleassignments", &Method::PATCH, [_]) => Err(ODataError::unsupported("changing role assignments")),
        ("roledefinitions", ..) => Err(ODataError::unsupported("writing role definitions of Exchange")),
        _ => Err(ODataError::method_not_allowed()),
    }
}

fn refused(failure: Failure) -> ODataError {
    match failure.status {
        StatusCode::NOT_FOUND => ODataError::new(StatusCode::NOT_FOUND, "Request_ResourceNotFound", failure.message),
        status => ODataError::new(status, "Request_BadRequest", failure.message),
    }
}

fn scope_entity(scope: &ManagementScope) -> Value {
    json!({
        "id": scope.id,
        "type": "RecipientScope",
        "displayName": scope.name,
        "customAttributes": {"Exclusive": scope.exclusive, "RecipientFilter": scope.filter.text()},
    })
}

fn assignment_entity(assignment: &RoleAssignment) -> Value {
    let (directory_scope, app_scope) = match assignment.scope {
        ResourceScope::Organization => (json!("/"), Value::Null),
        ResourceScope::Custom(id) => (Value::Null, json!(id)),
        ResourceScope::Unit(id) => (json!(format!("/AdministrativeUnits/{id}")), Value::Null),
        ResourceScope::Group(id) => (json!(format!("/Groups/{id}")), Value::Null),
    };
    json!({
        "id": assignment.id,
        "principalId": format!("/ServicePrincipals/{}", assignment.principal),
        "roleDefinitionId": roles::find(&assignment.role).map(roles::ApplicationRole::id),
        "directoryScopeId": directory_scope,
        "appScopeId": app_scope,
    })
}

fn definitions() -> Vec<Value> {
    let shown = ROLES.iter().map(|role| {
        let actions: Vec<String> = role
            .permissions
            .iter()
            .map(|name| format!("(Application)|{name}"))
            .collect();
        json!({
            "id": role.id(),
            "description": format!("This role lets an application use {}.", role.permissions.join(", ")),
            "displayName": role.name(),
            "isBuiltIn": true,
            "isEnabled": true,
            "templateId": null,
            "version": "0.12 (14.0.451.0)",
            "rolePermissions": [{"allowedResourceActions": actions, "excludedResourceActions": [], "condition": null}],
        })
    });
    shown.collect()
}

fn required(body: &Value, name: &str) -> Result<String, ODataError> {
    let text = member(body, name).and_then(Value::as_str).map(str::trim);
    text.filter(|text| !text.is_empty())
        .map(str::to_owned)
        .ok_or_else(|| ODataError::bad_request(format!("The required property '{name}' is missing or empty.")))
}

fn create_scope(exchange: &Exchange, request: &GraphRequest) -> Result<GraphResponse, ODataError> {
    let body = request.json_body()?;
    let kind = required(&body, "type")?;
    if !kind.eq_ignore_ascii_case("RecipientScope") {
        return Err(ODataError::bad_request(format!(
            "The scope type '{kind}' is not supported."
        )));
    }
    let attributes = member(&body, "customAttributes").unwrap_or(&Value::Null);
    let scope = ManagementScope {
        id: exchange.tenant.entropy.uuid(),
        name: scopes::name(&required(&body, "displayName")?).map_err(refused)?,
        filter: scopes::filter(&required(attributes, "RecipientFilter")?).map_err(refused)?,
        exclusive: member(attributes, "Exclusive")
            .and_then(Value::as_bool)
            .unwrap_or(false),
        created_at: exchange.tenant.clock.now(),
    };
    let (entity, id) = (scope_entity(&scope), scope.id);
    exchange.change(|rules| scopes::add(rules, scope)).map_err(refused)?;
    created(request, SCOPES, &entity, id)
}

fn update_scope(exchange: &Exchange, request: &GraphRequest, id: &str) -> Result<GraphResponse, ODataError> {
    let body = request.json_body()?;
    let attributes = member(&body, "customAttributes").unwrap_or(&Value::Null);
    let name = match member(&body, "displayName").and_then(Value::as_str) {
        Some(text) => Some(scopes::name(text).map_err(refused)?),
        None => None,
    };
    let filter = match member(attributes, "RecipientFilter").and_then(Value::as_str) {
        Some(text) => Some(scopes::filter(text).map_err(refused)?),
        None => None,
    };
    exchange.change(|rules| {
        let id = scopes::find(rules, id).map_err(refused)?.id;
        for scope in rules.scopes.iter_mut().filter(|scope| scope.id == id) {
            scope.name = name.clone().unwrap_or_else(|| scope.name.clone());
            scope.filter = filter.clone().unwrap_or_else(|| scope.filter.clone());
        }
        Ok::<_, ODataError>(())
    })?;
    Ok(GraphResponse::empty(StatusCode::NO_CONTENT))
}

/// The scope that the body names.
fn wanted_scope(rules: &Rules, body: &Value) -> Result<ResourceScope, ODataError> {
    let text = |name: &str| {
        let value = member(body, name).and_then(Value::as_str).map(str::trim);
        value.filter(|value| !value.is_empty())
    };
    match (text("directoryScopeId"), text("appScopeId")) {
        (None, None) => Err(ODataError::bad_request(
            "Either 'directoryScopeId' or 'appScopeId' must be given.",
        )),
        (Some("/"), None) => Ok(ResourceScope::Organization),
        (None, Some(id)) => Ok(ResourceScope::Custom(scopes::find(rules, id).map_err(refused)?.id)),
        (Some(path), None) => {
            let (kind, id) = path.trim_start_matches('/').split_once('/').unwrap_or((path, ""));
            let id = id.parse::<Uuid>().ok();
            let found = match kind.to_ascii_lowercase().as_str() {
                "administrativeunits" => id
                    .and_then(|id| rules.unit(id))
                    .map(|unit| ResourceScope::Unit(unit.id)),
                "groups" => id
                    .and_then(|id| rules.group(id))
                    .map(|group| ResourceScope::Group(group.id)),
                _ => None,
            };
            found.ok_or_else(|| ODataError::bad_request(format!("The directory scope '{path}' was not found.")))
        }
        (Some(_), Some(_)) => Err(ODataError::bad_request(
            "Only one of 'directoryScopeId' and 'appScopeId' may be given.",
        )),
    }
}

fn create_assignment(exchange: &Exchange, request: &GraphRequest) -> Result<GraphResponse, ODataError> {
    let body = request.json_body()?;
    let written = required(&body, "principalId")?;
    let last = written.rsplit('/').next().unwrap_or_default();
    let known = {
        let objects = exchange.tenant.read();
        let principal = last.parse::<Uuid>().ok().and_then(|id| objects.service_principal(id));
        principal.map(|principal| AppPrincipal {
            object_id: principal.id,
            app_id: principal.app_id,
            display_name: principal.display_name().to_owned(),
        })
    };
    let principal = known.ok_or_else(|| ODataError::directory_not_found(&written))?;
    let definition = required(&body, "roleDefinitionId")?;
    let role = roles::find(&definition)
        .ok_or_else(|| ODataError::bad_request(format!("The role definition '{definition}' was not found.")))?;
    let id = exchange.tenant.entropy.uuid();
    let now = exchange.tenant.clock.now();
    let added = exchange.change(|rules| {
        let scope = wanted_scope(rules, &body)?;
        // Through Graph there is no call that makes Exchange's pointer: it appears with the first assignment.
        if !rules
            .principals
            .iter()
            .any(|known| known.object_id == principal.object_id)
        {
            rules.principals.push(principal.clone());
        }
        let assignment = RoleAssignment {
            id,
            name: format!("{}-{}", role.name(), principal.object_id),
            role: role.name(),
            principal: principal.object_id,
            scope,
            enabled: true,
            created_at: now,
        };
        assignments::add(rules, assignment, false).map_err(refused)
    })?;
    created(request, ASSIGNMENTS, &assignment_entity(&added), id)
}

fn created(request: &GraphRequest, kind: Kind, entity: &Value, id: Uuid) -> Result<GraphResponse, ODataError> {
    let location = format!("{}/{}/{id}", request.service_root(), kind.context);
    Ok(listing::entity(request, StatusCode::CREATED, kind, entity)?.with_header(LOCATION, &location))
}
