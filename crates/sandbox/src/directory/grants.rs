//! `/oauth2PermissionGrants`: delegated permissions granted to clients.
//!
//! Owns the grants of administrators and of users for themselves. At most one grant exists per client, resource and
//! user; its scope is a list of names separated by spaces.

use http::header::LOCATION;
use http::{Method, StatusCode};
use serde_json::Value;
use uuid::Uuid;

use crate::directory::credentials::member;
use crate::directory::listing::{self, Kind};
use crate::directory::model::Grant;
use crate::directory::tenant::{MAX_OBJECTS, Objects, Tenant};
use crate::directory::{authority, delta};
use crate::odata::error::ODataError;
use crate::server::paths::{GraphRequest, GraphResponse};

const KIND: Kind = Kind {
    context: "oauth2PermissionGrants",
    type_name: "microsoft.graph.oAuth2PermissionGrant",
    defaults: None,
};
/// Longest scope text a grant may hold.
const MAX_SCOPE: usize = 3850;

/// `/oauth2PermissionGrants/<segments>`.
///
/// # Errors
/// The refusal as Graph words it.
pub fn handle(tenant: &Tenant, request: &GraphRequest, segments: &[String]) -> Result<GraphResponse, ODataError> {
    match segments {
        [] if request.method == Method::POST => create(tenant, request),
        [] => list(tenant, request, |_| true),
        [delta] if delta.eq_ignore_ascii_case("delta") => changes(tenant, request),
        [id] => one(tenant, request, id),
        [_, rest, ..] => Err(ODataError::unknown_segment(rest)),
    }
}

/// `/servicePrincipals/{client}/oauth2PermissionGrants`.
///
/// # Errors
/// The refusal as Graph words it.
pub fn of_client(tenant: &Tenant, request: &GraphRequest, client: Uuid) -> Result<GraphResponse, ODataError> {
    list(tenant, request, |grant| grant.client_id == client)
}

/// `/users/{user}/oauth2PermissionGrants`.
///
/// # Errors
/// The refusal as Graph words it.
pub fn of_user(tenant: &Tenant, request: &GraphRequest, user: Uuid) -> Result<GraphResponse, ODataError> {
    list(tenant, request, |grant| grant.principal_id == Some(user))
}

fn list(tenant: &Tenant, request: &GraphRequest, wanted: impl Fn(&Grant) -> bool) -> Result<GraphResponse, ODataError> {
    authority::may_read(&request.caller, authority::READ_GRANTS)?;
    let entities: Vec<Value> = {
        let objects = tenant.read();
        objects
            .grants
            .iter()
            .filter(|grant| wanted(grant))
            .map(Grant::entity)
            .collect()
    };
    listing::collection(request, KIND, entities.into_iter())
}

fn changes(tenant: &Tenant, request: &GraphRequest) -> Result<GraphResponse, ODataError> {
    authority::may_read(&request.caller, authority::READ_GRANTS)?;
    let entities: Vec<Value> = tenant.read().grants.iter().map(Grant::entity).collect();
    delta::answer(tenant, request, KIND, &entities, |_| false)
}

fn create(tenant: &Tenant, request: &GraphRequest) -> Result<GraphResponse, ODataError> {
    authority::may_write(tenant, &request.caller, authority::WRITE_GRANTS)?;
    let body = request.json_body()?;
    let grant = parse(tenant, &body)?;
    let entity = grant.entity();
    let location = format!("{}/oauth2PermissionGrants/{}", request.service_root(), grant.id);
    {
        let mut objects = tenant.write();
        check(&objects, &grant)?;
        objects.note_new(grant.id.clone(), tenant.clock.now());
        objects.grants.push(grant);
    }
    Ok(listing::entity(request, StatusCode::CREATED, KIND, &entity)?.with_header(LOCATION, &location))
}

fn one(tenant: &Tenant, request: &GraphRequest, id: &str) -> Result<GraphResponse, ODataError> {
    let missing = || ODataError::directory_not_found(id);
    match request.method {
        Method::GET => {
            authority::may_read(&request.caller, authority::READ_GRANTS)?;
            let entity = {
                let objects = tenant.read();
                objects
                    .grants
                    .iter()
                    .find(|grant| grant.id == id)
                    .map(Grant::entity)
                    .ok_or_else(missing)?
            };
            listing::entity(request, StatusCode::OK, KIND, &entity)
        }
        Method::PATCH => {
            authority::may_write(tenant, &request.caller, authority::WRITE_GRANTS)?;
            let body = request.json_body()?;
            let scope = scope(&body)?;
            let mut objects = tenant.write();
            let grant = objects
                .grants
                .iter_mut()
                .find(|grant| grant.id == id)
                .ok_or_else(missing)?;
            grant.scope = scope;
            Ok(GraphResponse::empty(StatusCode::NO_CONTENT))
        }
        Method::DELETE => {
            authority::may_write(tenant, &request.caller, authority::WRITE_GRANTS)?;
            let mut objects = tenant.write();
            let position = objects
                .grants
                .iter()
                .position(|grant| grant.id == id)
                .ok_or_else(missing)?;
            objects.grants.remove(position);
            Ok(GraphResponse::empty(StatusCode::NO_CONTENT))
        }
        _ => Err(ODataError::method_not_allowed()),
    }
}

fn parse(tenant: &Tenant, body: &Value) -> Result<Grant, ODataError> {
    let principal = match member(body, "principalId") {
        None | Some(Value::Null) => None,
        Some(_) => Some(id(body, "principalId")?),
    };
    let principal_id = match member(body, "consentType").and_then(Value::as_str) {
        Some(kind) if kind.eq_ignore_ascii_case("AllPrincipals") && principal.is_none() => None,
        Some(kind) if kind.eq_ignore_ascii_case("AllPrincipals") => {
            return Err(ODataError::directory_bad_request(
                "principalId must be null when consentType is AllPrincipals.",
            ));
        }
        Some(kind) if kind.eq_ignore_ascii_case("Principal") => Some(id(body, "principalId")?),
        _ => {
            return Err(ODataError::directory_bad_request(
                "Invalid value specified for property 'consentType' of resource 'OAuth2PermissionGrant'.",
            ));
        }
    };
    Ok(Grant {
        id: tenant.link_id(),
        client_id: id(body, "clientId")?,
        principal_id,
        resource_id: id(body, "resourceId")?,
        scope: scope(body)?,
    })
}

fn check(objects: &Objects, new: &Grant) -> Result<(), ODataError> {
    for principal in [new.client_id, new.resource_id] {
        if objects.service_principal(principal).is_none() {
            return Err(ODataError::directory_not_found(&principal.to_string()));
        }
    }
    if let Some(user) = new.principal_id
        && objects.user_by_id(user).is_none()
    {
        return Err(ODataError::directory_not_found(&user.to_string()));
    }
    let same = |grant: &Grant| {
        grant.client_id == new.client_id
            && grant.resource_id == new.resource_id
            && grant.principal_id == new.principal_id
    };
    if objects.grants.iter().any(same) {
        return Err(ODataError::new(
            StatusCode::CONFLICT,
            "Request_MultipleObjectsWithSameKeyValue",
            "Permission entry already exists.",
        ));
    }
    if objects.grants.len() >= MAX_OBJECTS {
        return Err(ODataError::new(
            StatusCode::FORBIDDEN,
            "Directory_QuotaExceeded",
            "The directory object quota limit for the Tenant has been exceeded.",
        ));
    }
    Ok(())
}

fn scope(body: &Value) -> Result<String, ODataError> {
    let text = member(body, "scope").and_then(Value::as_str).map(str::trim);
    match text {
        Some(text) if text.len() <= MAX_SCOPE => Ok(text.split_whitespace().collect::<Vec<_>>().join(" ")),
        Some(_) => Err(ODataError::directory_bad_request(format!(
            "Property 'scope' is longer than {MAX_SCOPE} characters."
        ))),
        None => Err(ODataError::directory_bad_request(
            "A value is required for property 'scope' of resource 'OAuth2PermissionGrant'.",
        )),
    }
}

fn id(body: &Value, name: &str) -> Result<Uuid, ODataError> {
    let value = member(body, name).and_then(Value::as_str);
    let value = value.ok_or_else(|| {
        ODataError::directory_bad_request(format!(
            "A value is required for property '{name}' of resource 'OAuth2PermissionGrant'."
        ))
    })?;
    value
        .parse()
        .map_err(|_| ODataError::directory_bad_request(format!("Invalid object identifier '{value}' for '{name}'.")))
}
