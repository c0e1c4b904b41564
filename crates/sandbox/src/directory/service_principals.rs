//! `/servicePrincipals`: applications as they stand in this tenant.
//!
//! Owns creation, reading, change and deletion of service principals, and routes to what hangs on them. Microsoft's
//! own principals can be read but not changed.

use http::header::LOCATION;
use http::{Method, StatusCode};
use serde_json::Value;
use uuid::Uuid;

use crate::auth::CallerKind;
use crate::directory::addressing::position_by_key;
use crate::directory::listing::{self, Kind};
use crate::directory::model::ServicePrincipal;
use crate::directory::owners::{self, Asked};
use crate::directory::tenant::{Objects, Tenant};
use crate::directory::{
    assignments, authority, credentials, delta, grants, key_credentials, organization, permissions, templates,
};
use crate::odata::error::ODataError;
use crate::server::paths::{GraphRequest, GraphResponse};

const KIND: Kind = Kind {
    context: "servicePrincipals",
    type_name: "microsoft.graph.servicePrincipal",
    defaults: None,
};

/// `/servicePrincipals/<segments>`.
///
/// # Errors
/// The refusal as Graph words it.
pub fn handle(tenant: &Tenant, request: &GraphRequest, segments: &[String]) -> Result<GraphResponse, ODataError> {
    match segments {
        [] if request.method == Method::POST => create(tenant, request),
        [] => list(tenant, request),
        [count] if count.eq_ignore_ascii_case("$count") => list(tenant, request),
        [delta] if delta.eq_ignore_ascii_case("delta") => changes(tenant, request),
        [key] => one(tenant, request, key),
        [key, what, rest @ ..] => below(tenant, request, key, what, rest),
    }
}

fn list(tenant: &Tenant, request: &GraphRequest) -> Result<GraphResponse, ODataError> {
    authority::may_read(&request.caller, authority::READ_APPLICATIONS)?;
    let entities: Vec<Value> = tenant
        .read()
        .service_principals
        .iter()
        .map(ServicePrincipal::entity)
        .collect();
    listing::collection(request, KIND, entities.into_iter())
}

fn changes(tenant: &Tenant, request: &GraphRequest) -> Result<GraphResponse, ODataError> {
    authority::may_read(&request.caller, authority::READ_APPLICATIONS)?;
    let entities: Vec<Value> = {
        let objects = tenant.read();
        objects
            .service_principals
            .iter()
            .map(ServicePrincipal::entity)
            .collect()
    };
    delta::answer(tenant, request, KIND, &entities, |id| tenant.read().is_deleted(id))
}

fn create(tenant: &Tenant, request: &GraphRequest) -> Result<GraphResponse, ODataError> {
    authority::may_create_application(tenant, &request.caller)?;
    let mut body = request.json_body()?;
    let keys = match key_credentials::take(&mut body) {
        Some(list) => key_credentials::replaced(tenant, &[], &list)?,
        None => Vec::new(),
    };
    let app_id = credentials::member(&body, "appId").and_then(Value::as_str);
    let Some(app_id) = app_id else {
        return Err(ODataError::directory_bad_request(
            "A value is required for property 'appId' of resource 'ServicePrincipal'.",
        ));
    };
    let missing = || {
        ODataError::directory_bad_request(format!(
            "When using this permission, the backing application of the service principal being created must in the local tenant: the appId '{app_id}' is not valid."
        ))
    };
    let app_id = app_id.parse::<Uuid>().map_err(|_| missing())?;
    let now = tenant.clock.now();
    let display_name = {
        let objects = tenant.read();
        if objects.service_principal_of(app_id).is_some() {
            return Err(ODataError::new(
                StatusCode::CONFLICT,
                "Request_MultipleObjectsWithSameKeyValue",
                format!(
                    "The service principal cannot be created, updated, or restored because the service principal name {app_id} is already in use."
                ),
            ));
        }
        objects
            .application_of(app_id)
            .filter(|own| objects.arrivals.contain(&own.id.to_string(), now))
            .map(|application| application.display_name().to_owned())
            .ok_or_else(missing)?
    };
    let id = tenant.entropy.uuid();
    let mut document = templates::service_principal(id, app_id, &display_name, tenant.id, &tenant.display_name, now);
    for (name, value) in templates::checked_changes(&document, &without_app_id(body))? {
        document.insert(name, value);
    }
    let principal = ServicePrincipal {
        id,
        app_id,
        document,
        secrets: Vec::new(),
        keys,
        roles: Vec::new(),
        owners: authority::owner(&request.caller),
    };
    let entity = principal.entity();
    {
        let mut objects = tenant.write();
        objects.note_new(id.to_string(), now);
        objects.service_principals.push(principal);
    }
    let location = format!("{}/servicePrincipals/{id}", request.service_root());
    Ok(listing::entity(request, StatusCode::CREATED, KIND, &entity)?.with_header(LOCATION, &location))
}

fn without_app_id(mut body: Value) -> Value {
    if let Value::Object(members) = &mut body {
        members.retain(|name, _| !name.eq_ignore_ascii_case("appId"));
    }
    body
}

fn one(tenant: &Tenant, request: &GraphRequest, key: &str) -> Result<GraphResponse, ODataError> {
    match request.method {
        Method::GET => {
            authority::may_read(&request.caller, authority::READ_APPLICATIONS)?;
            let entity = {
                let objects = tenant.read();
                let principal = &objects.service_principals[position(tenant, &objects, key)?];
                let mut entity = principal.entity();
                key_credentials::reveal(request, &principal.keys, &mut entity);
                entity
            };
            listing::entity(request, StatusCode::OK, KIND, &entity)
        }
        Method::PATCH => {
            let mut body = request.json_body()?;
            let list = key_credentials::take(&mut body);
            change(tenant, request, key, |principal| {
                let keys = match &list {
                    Some(list) => Some(key_credentials::replaced(tenant, &principal.keys, list)?),
                    None => None,
                };
                for (name, value) in templates::checked_changes(&principal.document, &body)? {
                    principal.document.insert(name, value);
                }
                principal.keys = keys.unwrap_or_else(|| std::mem::take(&mut principal.keys));
                Ok(GraphResponse::empty(StatusCode::NO_CONTENT))
            })
        }
        Method::DELETE => {
            let id = change(tenant, request, key, |principal| Ok(principal.id))?;
            tenant.write().delete_service_principal(id, tenant.clock.now());
            Ok(GraphResponse::empty(StatusCode::NO_CONTENT))
        }
        _ => Err(ODataError::method_not_allowed()),
    }
}

fn below(
    tenant: &Tenant,
    request: &GraphRequest,
    key: &str,
    what: &str,
    rest: &[String],
) -> Result<GraphResponse, ODataError> {
    match what
        .trim_start_matches("microsoft.graph.")
        .to_ascii_lowercase()
        .as_str()
    {
        "approleassignedto" => {
            let resource = id_of(tenant, key)?;
            assignments::handle(tenant, request, assignments::End::Resource(resource), rest)
        }
        "approleassignments" => {
            let principal = id_of(tenant, key)?;
            assignments::handle(tenant, request, assignments::End::Principal(principal), rest)
        }
        "oauth2permissiongrants" if rest.is_empty() => {
            let client = id_of(tenant, key)?;
            grants::of_client(tenant, request, client)
        }
        "addpassword" if rest.is_empty() => {
            let policies = tenant.policies();
            change(tenant, request, key, |principal| {
                credentials::add(tenant, &policies, request, &mut principal.secrets)
            })
        }
        "removepassword" if rest.is_empty() => change(tenant, request, key, |principal| {
            credentials::remove(request, &mut principal.secrets)
        }),
        "owners" => match owners::asked(request, rest)? {
            Asked::List => {
                authority::may_read(&request.caller, authority::READ_APPLICATIONS)?;
                let objects = tenant.read();
                owners::list(
                    request,
                    &objects,
                    &objects.service_principals[position(tenant, &objects, key)?].owners,
                )
            }
            Asked::Add => {
                let id = owners::referred(request, &tenant.read())?;
                change(tenant, request, key, |principal| owners::add(&mut principal.owners, id))
            }
            Asked::Remove(id) => change(tenant, request, key, |principal| {
                owners::remove(&mut principal.owners, id)
            }),
        },
        "memberof" | "transitivememberof" if rest.is_empty() => {
            authority::may_read(&request.caller, authority::READ_APPLICATIONS)?;
            let id = id_of(tenant, key)?;
            let held = tenant
                .read()
                .service_principal(id)
                .map(|principal| principal.roles.clone());
            let kind = Kind {
                context: "directoryObjects",
                type_name: "microsoft.graph.directoryObject",
                defaults: None,
            };
            let roles = organization::roles_as_objects(&held.unwrap_or_default());
            listing::collection(request, kind, roles.into_iter())
        }
        "addkey" if rest.is_empty() => change(tenant, request, key, |principal| {
            key_credentials::add(tenant, request, principal.id, &mut principal.keys)
        }),
        "removekey" if rest.is_empty() => change(tenant, request, key, |principal| {
            key_credentials::remove(tenant, request, principal.id, &mut principal.keys)
        }),
        "synchronization" | "claimsmappingpolicies" | "ownedobjects" => {
            Err(ODataError::unsupported(format!("{what} on service principals")))
        }
        _ => Err(ODataError::unknown_segment(what)),
    }
}

/// Changes one principal that the caller may change; Microsoft's own are refused.
fn change<T>(
    tenant: &Tenant,
    request: &GraphRequest,
    key: &str,
    with: impl FnOnce(&mut ServicePrincipal) -> Result<T, ODataError>,
) -> Result<T, ODataError> {
    let found = {
        let objects = tenant.read();
        position(tenant, &objects, key).map(|position| {
            let principal = &objects.service_principals[position];
            (principal.owners.clone(), principal.app_id)
        })
    };
    let (owners, app_id) = match found {
        Ok(found) => found,
        Err(missing) => {
            authority::may_create_application(tenant, &request.caller)?;
            return Err(missing);
        }
    };
    let proves_itself = request.caller.kind == CallerKind::App
        && request.caller.app_id == app_id
        && request.segments.last().is_some_and(|action| {
            let action = action.trim_start_matches("microsoft.graph.");
            action.eq_ignore_ascii_case("addKey") || action.eq_ignore_ascii_case("removeKey")
        });
    if !proves_itself {
        authority::may_write_owned(tenant, &request.caller, &owners)?;
    }
    if !permissions::published_by(app_id).is_empty() {
        return Err(ODataError::directory_denied());
    }
    let mut objects = tenant.write();
    let position = position(tenant, &objects, key)?;
    with(&mut objects.service_principals[position])
}

fn id_of(tenant: &Tenant, key: &str) -> Result<Uuid, ODataError> {
    let objects = tenant.read();
    Ok(objects.service_principals[position(tenant, &objects, key)?].id)
}

fn position(tenant: &Tenant, objects: &Objects, key: &str) -> Result<usize, ODataError> {
    position_by_key(
        &objects.service_principals,
        key,
        |principal| (principal.id, principal.app_id),
        |id| objects.arrivals.contain(&id.to_string(), tenant.clock.now()),
    )
}
