//! `appRoleAssignedTo` and `appRoleAssignments`: application permissions granted to principals.
//!
//! Owns the links. Creating one whose resource is Microsoft Graph is what administrators call admin consent; it
//! reaches only tokens issued afterwards.

use http::header::LOCATION;
use http::{Method, StatusCode};
use serde_json::Value;
use uuid::Uuid;

use crate::directory::authority;
use crate::directory::credentials::member;
use crate::directory::listing::{self, Kind};
use crate::directory::model::AppRoleAssignment;
use crate::directory::tenant::{MAX_OBJECTS, Objects, Tenant};
use crate::odata::error::ODataError;
use crate::server::paths::{GraphRequest, GraphResponse};

const KIND: Kind = Kind {
    context: "appRoleAssignments",
    type_name: "microsoft.graph.appRoleAssignment",
    defaults: None,
};

/// From which end the links are looked at.
#[derive(Debug, Clone, Copy)]
pub enum End {
    /// `/servicePrincipals/{resource}/appRoleAssignedTo`
    Resource(Uuid),
    /// `/servicePrincipals/{principal}/appRoleAssignments` and `/users/{principal}/appRoleAssignments`
    Principal(Uuid),
}

impl End {
    fn touches(self, assignment: &AppRoleAssignment) -> bool {
        match self {
            Self::Resource(id) => assignment.resource_id == id,
            Self::Principal(id) => assignment.principal_id == id,
        }
    }
}

/// Lists, creates or deletes links.
///
/// # Errors
/// The refusal as Graph words it.
pub fn handle(
    tenant: &Tenant,
    request: &GraphRequest,
    end: End,
    segments: &[String],
) -> Result<GraphResponse, ODataError> {
    match (&request.method, segments) {
        (&Method::GET, []) => {
            authority::may_read(&request.caller, authority::READ_APPLICATIONS)?;
            let entities = {
                let objects = tenant.read();
                let links = objects.assignments.iter().filter(|assignment| end.touches(assignment));
                links
                    .map(|assignment| objects.assignment_entity(assignment))
                    .collect::<Vec<Value>>()
            };
            listing::collection(request, KIND, entities.into_iter())
        }
        (&Method::POST, []) => create(tenant, request, end),
        (method, [id]) if method == Method::GET || method == Method::DELETE => one(tenant, request, end, id),
        (_, [] | [_]) => Err(ODataError::method_not_allowed()),
        (_, [_, rest, ..]) => Err(ODataError::unknown_segment(rest)),
    }
}

fn one(tenant: &Tenant, request: &GraphRequest, end: End, id: &str) -> Result<GraphResponse, ODataError> {
    let delete = request.method == Method::DELETE;
    if delete {
        authority::may_write(tenant, &request.caller, authority::WRITE_ASSIGNMENTS)?;
    } else {
        authority::may_read(&request.caller, authority::READ_APPLICATIONS)?;
    }
    let mut objects = tenant.write();
    let position = objects
        .assignments
        .iter()
        .position(|assignment| assignment.id == id && end.touches(assignment));
    let position = position.ok_or_else(|| ODataError::directory_not_found(id))?;
    if delete {
        objects.assignments.remove(position);
        return Ok(GraphResponse::empty(StatusCode::NO_CONTENT));
    }
    let entity = objects.assignment_entity(&objects.assignments[position]);
    drop(objects);
    listing::entity(request, StatusCode::OK, KIND, &entity)
}

fn create(tenant: &Tenant, request: &GraphRequest, end: End) -> Result<GraphResponse, ODataError> {
    authority::may_write(tenant, &request.caller, authority::WRITE_ASSIGNMENTS)?;
    let body = request.json_body()?;
    let principal_id = id(&body, "principalId")?;
    let resource_id = id(&body, "resourceId")?;
    let app_role_id = id(&body, "appRoleId")?;
    let consistent = match end {
        End::Resource(id) => id == resource_id,
        End::Principal(id) => id == principal_id,
    };
    if !consistent {
        return Err(ODataError::directory_bad_request(
            "The ids of the request's path and body do not name the same object.",
        ));
    }
    let assignment = AppRoleAssignment {
        id: tenant.link_id(),
        app_role_id,
        principal_id,
        resource_id,
        created_at: tenant.clock.now(),
    };
    let mut objects = tenant.write();
    check(&objects, &assignment)?;
    let entity = objects.assignment_entity(&assignment);
    let segments = request.segments.join("/");
    let location = format!("{}/{segments}/{}", request.service_root(), assignment.id);
    objects.note_new(assignment.id.clone(), assignment.created_at);
    objects.assignments.push(assignment);
    drop(objects);
    Ok(listing::entity(request, StatusCode::CREATED, KIND, &entity)?.with_header(LOCATION, &location))
}

fn check(objects: &Objects, new: &AppRoleAssignment) -> Result<(), ODataError> {
    let arrived = |id: Uuid| objects.arrivals.contain(&id.to_string(), new.created_at);
    let Some(resource) = objects
        .service_principal(new.resource_id)
        .filter(|resource| arrived(resource.id))
    else {
        return Err(ODataError::directory_not_found(&new.resource_id.to_string()));
    };
    let principal = objects.service_principal(new.principal_id).is_some() && arrived(new.principal_id);
    if !principal && objects.user_by_id(new.principal_id).is_none() {
        return Err(ODataError::directory_not_found(&new.principal_id.to_string()));
    }
    // The nil role is the default access of users; every other must be published by the resource.
    let default_access = new.app_role_id.is_nil() && !principal;
    if !default_access && resource.role_value(new.app_role_id).is_none() {
        return Err(ODataError::directory_bad_request(
            "Permission being assigned was not found on application",
        ));
    }
    let same = |held: &AppRoleAssignment| {
        held.principal_id == new.principal_id
            && held.resource_id == new.resource_id
            && held.app_role_id == new.app_role_id
    };
    if objects.assignments.iter().any(same) {
        return Err(ODataError::directory_bad_request(
            "Permission being assigned already exists on the object",
        ));
    }
    if objects.assignments.len() >= MAX_OBJECTS {
        return Err(ODataError::new(
            StatusCode::FORBIDDEN,
            "Directory_QuotaExceeded",
            "The directory object quota limit for the Tenant has been exceeded.",
        ));
    }
    Ok(())
}

fn id(body: &Value, name: &str) -> Result<Uuid, ODataError> {
    let value = member(body, name).and_then(Value::as_str);
    let value =
        value.ok_or_else(|| ODataError::directory_bad_request(format!("One or more properties are null: {name}.")))?;
    value.parse().map_err(|_| {
        ODataError::bad_request(format!(
            "Cannot convert the literal '{value}' of '{name}' to the expected type 'Edm.Guid'."
        ))
    })
}
