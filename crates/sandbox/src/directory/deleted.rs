//! `/directory/deletedItems`: applications and service principals that were deleted and can still come back.
//!
//! Owns listing, restoring and removing for good. An object waits thirty days by the tenant's clock. Deleting a
//! registration deletes its service principal with it; each is restored by itself, and a principal brings back what
//! was granted to it as far as the other end still exists.

use http::{Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::directory::authority;
use crate::directory::listing::{self, Kind};
use crate::directory::model::{AppRoleAssignment, Application, Grant, ServicePrincipal, time};
use crate::directory::tenant::{MAX_OBJECTS, Objects, Tenant};
use crate::odata::error::ODataError;
use crate::server::paths::{GraphRequest, GraphResponse};

/// How long a deleted object can be restored.
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

const APPLICATION: Kind = Kind {
    context: "applications",
    type_name: "microsoft.graph.application",
    defaults: None,
};
const SERVICE_PRINCIPAL: Kind = Kind {
    context: "servicePrincipals",
    type_name: "microsoft.graph.servicePrincipal",
    defaults: None,
};
const DIRECTORY_OBJECT: Kind = Kind {
    context: "directoryObjects",
    type_name: "microsoft.graph.directoryObject",
    defaults: None,
};

/// A deleted object.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Deleted {
    at: Timestamp,
    object: Object,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
enum Object {
    Application(Box<Application>),
    ServicePrincipal(Box<ServicePrincipal>, Vec<AppRoleAssignment>, Vec<Grant>),
}

impl Deleted {
    /// The object's id.
    #[must_use]
    pub fn id(&self) -> Uuid {
        match &self.object {
            Object::Application(application) => application.id,
            Object::ServicePrincipal(principal, ..) => principal.id,
        }
    }

    fn owners(&self) -> &[Uuid] {
        match &self.object {
            Object::Application(application) => &application.owners,
            Object::ServicePrincipal(principal, ..) => &principal.owners,
        }
    }

    fn kind(&self) -> Kind {
        match &self.object {
            Object::Application(_) => APPLICATION,
            Object::ServicePrincipal(..) => SERVICE_PRINCIPAL,
        }
    }

    fn entity(&self) -> Value {
        let mut entity = match &self.object {
            Object::Application(application) => application.entity(),
            Object::ServicePrincipal(principal, ..) => principal.entity(),
        };
        entity["deletedDateTime"] = time(self.at).into();
        entity
    }
}

impl Objects {
    /// Deletes a registration and its service principal.
    pub fn delete_application(&mut self, position: usize, now: Timestamp) {
        let application = self.applications.remove(position);
        if let Some(principal) = self
            .service_principal_of(application.app_id)
            .map(|principal| principal.id)
        {
            self.delete_service_principal(principal, now);
        }
        self.keep_deleted(now, Object::Application(Box::new(application)));
    }

    /// Deletes a service principal with what was granted to it or by it.
    pub fn delete_service_principal(&mut self, id: Uuid, now: Timestamp) {
        let Some(position) = self.service_principals.iter().position(|principal| principal.id == id) else {
            return;
        };
        let principal = self.service_principals.remove(position);
        let assignments = self.assignments.iter();
        let assignments = assignments.filter(|link| link.principal_id == id || link.resource_id == id);
        let assignments = assignments.cloned().collect();
        let grants = self.grants.iter();
        let grants = grants.filter(|grant| grant.client_id == id || grant.resource_id == id);
        let grants = grants.cloned().collect();
        self.remove_links_of(id);
        self.keep_deleted(now, Object::ServicePrincipal(Box::new(principal), assignments, grants));
    }

    fn keep_deleted(&mut self, now: Timestamp, object: Object) {
        self.forget_old(now);
        if self.deleted.len() >= MAX_OBJECTS {
            self.deleted.remove(0);
        }
        self.deleted.push(Deleted { at: now, object });
    }

    fn forget_old(&mut self, now: Timestamp) {
        self.deleted
            .retain(|deleted| deleted.at.checked_add(KEPT).is_ok_and(|until| now < until));
    }

    /// Whether an object waits among the deleted items.
    #[must_use]
    pub fn is_deleted(&self, id: &str) -> bool {
        id.parse()
            .is_ok_and(|id: Uuid| self.deleted.iter().any(|deleted| deleted.id() == id))
    }
}

/// `/directory/<segments>`.
///
/// # Errors
/// The refusal as Graph words it.
pub fn handle(tenant: &Tenant, request: &GraphRequest, segments: &[String]) -> Result<GraphResponse, ODataError> {
    let Some((first, rest)) = segments.split_first() else {
        return Err(ODataError::unsupported("/directory itself"));
    };
    if !first.eq_ignore_ascii_case("deletedItems") {
        return Err(ODataError::unsupported(format!("/directory/{first}")));
    }
    tenant.write().forget_old(tenant.clock.now());
    match rest {
        [] => Err(ODataError::directory_bad_request(
            "Listing deleted items needs a type: deletedItems/microsoft.graph.application.",
        )),
        [kind] | [kind, _] if kind.to_ascii_lowercase().starts_with("microsoft.graph.") => list(tenant, request, kind),
        [id] if request.method == Method::GET => {
            authority::may_read(&request.caller, authority::READ_APPLICATIONS)?;
            let (entity, kind) = {
                let objects = tenant.read();
                let deleted = &objects.deleted[position(&objects, id)?];
                (typed(deleted.entity(), deleted.kind()), DIRECTORY_OBJECT)
            };
            listing::entity(request, StatusCode::OK, kind, &entity)
        }
        [id] if request.method == Method::DELETE => {
            may_change(tenant, request, id)?;
            let mut objects = tenant.write();
            let position = position(&objects, id)?;
            objects.deleted.remove(position);
            Ok(GraphResponse::empty(StatusCode::NO_CONTENT))
        }
        [id, action] if is_restore(action) && request.method == Method::POST => restore(tenant, request, id),
        [_] => Err(ODataError::method_not_allowed()),
        [_, action] if is_restore(action) => Err(ODataError::method_not_allowed()),
        [_, other, ..] => Err(ODataError::unknown_segment(other)),
    }
}

fn is_restore(action: &str) -> bool {
    action
        .trim_start_matches("microsoft.graph.")
        .eq_ignore_ascii_case("restore")
}

fn list(tenant: &Tenant, request: &GraphRequest, name: &str) -> Result<GraphResponse, ODataError> {
    let kind = match name.to_ascii_lowercase().as_str() {
        "microsoft.graph.application" => APPLICATION,
        "microsoft.graph.serviceprincipal" => SERVICE_PRINCIPAL,
        _ => return Err(ODataError::unsupported(format!("deleted objects of the type {name}"))),
    };
    authority::may_read(&request.caller, authority::READ_APPLICATIONS)?;
    let entities: Vec<Value> = {
        let objects = tenant.read();
        let deleted = objects.deleted.iter();
        let deleted = deleted.filter(|deleted| deleted.kind().context == kind.context);
        deleted.map(Deleted::entity).collect()
    };
    listing::collection(request, kind, entities.into_iter())
}

fn restore(tenant: &Tenant, request: &GraphRequest, id: &str) -> Result<GraphResponse, ODataError> {
    may_change(tenant, request, id)?;
    let mut objects = tenant.write();
    let position = position(&objects, id)?;
    if let Object::ServicePrincipal(principal, ..) = &objects.deleted[position].object
        && objects.service_principal_of(principal.app_id).is_some()
    {
        return Err(ODataError::new(
            StatusCode::CONFLICT,
            "Request_MultipleObjectsWithSameKeyValue",
            format!(
                "The service principal cannot be created, updated, or restored because the service principal name {} is already in use.",
                principal.app_id
            ),
        ));
    }
    let deleted = objects.deleted.remove(position);
    let kind = deleted.kind();
    let entity = match deleted.object {
        Object::Application(application) => {
            let entity = application.entity();
            objects.applications.push(*application);
            entity
        }
        Object::ServicePrincipal(principal, assignments, grants) => {
            let entity = principal.entity();
            objects.service_principals.push(*principal);
            let known = |id: Uuid| objects.service_principal(id).is_some() || objects.user_by_id(id).is_some();
            let assignments: Vec<_> = assignments
                .into_iter()
                .filter(|link| known(link.principal_id) && known(link.resource_id))
                .collect();
            let grants: Vec<_> = grants
                .into_iter()
                .filter(|grant| known(grant.client_id) && known(grant.resource_id))
                .collect();
            objects.assignments.extend(assignments);
            objects.grants.extend(grants);
            entity
        }
    };
    drop(objects);
    listing::entity(request, StatusCode::OK, DIRECTORY_OBJECT, &typed(entity, kind))
}

fn typed(mut entity: Value, kind: Kind) -> Value {
    entity["@odata.type"] = format!("#{}", kind.type_name).into();
    entity
}

fn may_change(tenant: &Tenant, request: &GraphRequest, id: &str) -> Result<(), ODataError> {
    let owners = {
        let objects = tenant.read();
        position(&objects, id).map(|position| objects.deleted[position].owners().to_vec())
    };
    match owners {
        Ok(owners) => authority::may_write_owned(tenant, &request.caller, &owners),
        Err(missing) => {
            authority::may_create_application(tenant, &request.caller)?;
            Err(missing)
        }
    }
}

fn position(objects: &Objects, id: &str) -> Result<usize, ODataError> {
    let wanted = id.parse::<Uuid>().ok();
    let found = objects.deleted.iter().position(|deleted| Some(deleted.id()) == wanted);
    found.ok_or_else(|| ODataError::directory_not_found(id))
}
