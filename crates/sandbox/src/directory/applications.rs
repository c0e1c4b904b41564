//! `/applications`: registrations.
//!
//! Owns creation, reading, change and deletion of application objects. Deleting a registration takes its service
//! principal in this tenant with it, and what that principal held.

use http::header::LOCATION;
use http::{Method, StatusCode};
use serde_json::Value;
use uuid::Uuid;

use crate::directory::listing::{self, Kind};
use crate::directory::model::Application;
use crate::directory::tenant::{MAX_OBJECTS, Objects, Tenant};
use crate::directory::{authority, credentials, templates};
use crate::odata::error::ODataError;
use crate::server::paths::{GraphRequest, GraphResponse, alternate_key};

const KIND: Kind = Kind {
    context: "applications",
    type_name: "microsoft.graph.application",
    defaults: None,
};

/// `/applications/<segments>`.
///
/// # Errors
/// The refusal as Graph words it.
pub fn handle(tenant: &Tenant, request: &GraphRequest, segments: &[String]) -> Result<GraphResponse, ODataError> {
    match segments {
        [] if request.method == Method::POST => create(tenant, request),
        [] => list(tenant, request),
        [count] if count.eq_ignore_ascii_case("$count") => list(tenant, request),
        [key] => one(tenant, request, key),
        [key, action] => act(tenant, request, key, action),
        [_, _, rest, ..] => Err(ODataError::unknown_segment(rest)),
    }
}

fn list(tenant: &Tenant, request: &GraphRequest) -> Result<GraphResponse, ODataError> {
    authority::may_read(&request.caller, authority::READ_APPLICATIONS)?;
    let entities: Vec<Value> = tenant.read().applications.iter().map(Application::entity).collect();
    listing::collection(request, KIND, entities.into_iter())
}

fn create(tenant: &Tenant, request: &GraphRequest) -> Result<GraphResponse, ODataError> {
    authority::may_create_application(tenant, &request.caller)?;
    let body = request.json_body()?;
    if credentials::member(&body, "passwordCredentials")
        .and_then(Value::as_array)
        .is_some_and(|list| !list.is_empty())
    {
        return Err(ODataError::directory_bad_request(
            "Property 'passwordCredentials' cannot be set on creation: use addPassword.",
        ));
    }
    let (id, app_id) = (tenant.entropy.uuid(), tenant.entropy.uuid());
    let mut document = templates::application(id, app_id, &tenant.domain, tenant.clock.now());
    for (name, value) in templates::checked_changes(&document, &body)? {
        document.insert(name, value);
    }
    if document.get("displayName").is_none_or(Value::is_null) {
        return Err(ODataError::directory_bad_request(
            "A value is required for property 'displayName' of resource 'Application'.",
        ));
    }
    let application = Application {
        id,
        app_id,
        document,
        secrets: Vec::new(),
        owners: authority::owner(&request.caller),
    };
    let entity = application.entity();
    {
        let mut objects = tenant.write();
        if objects.applications.len() >= MAX_OBJECTS {
            return Err(ODataError::new(
                StatusCode::FORBIDDEN,
                "Directory_QuotaExceeded",
                "The directory object quota limit for the Tenant has been exceeded.",
            ));
        }
        objects.applications.push(application);
    }
    let location = format!("{}/applications/{id}", request.service_root());
    Ok(listing::entity(request, StatusCode::CREATED, KIND, &entity)?.with_header(LOCATION, &location))
}

fn one(tenant: &Tenant, request: &GraphRequest, key: &str) -> Result<GraphResponse, ODataError> {
    match request.method {
        Method::GET => {
            authority::may_read(&request.caller, authority::READ_APPLICATIONS)?;
            let objects = tenant.read();
            let position = position(&objects, key)?;
            let entity = objects.applications[position].entity();
            drop(objects);
            listing::entity(request, StatusCode::OK, KIND, &entity)
        }
        Method::PATCH => {
            let body = request.json_body()?;
            let mut objects = writable(tenant, request, key)?;
            let application = objects.application();
            for (name, value) in templates::checked_changes(&application.document, &body)? {
                application.document.insert(name, value);
            }
            Ok(GraphResponse::empty(StatusCode::NO_CONTENT))
        }
        Method::DELETE => {
            let mut objects = writable(tenant, request, key)?;
            objects.remove();
            Ok(GraphResponse::empty(StatusCode::NO_CONTENT))
        }
        _ => Err(ODataError::method_not_allowed()),
    }
}

fn act(tenant: &Tenant, request: &GraphRequest, key: &str, action: &str) -> Result<GraphResponse, ODataError> {
    match action
        .trim_start_matches("microsoft.graph.")
        .to_ascii_lowercase()
        .as_str()
    {
        "addpassword" => {
            let mut objects = writable(tenant, request, key)?;
            credentials::add(tenant, request, &mut objects.application().secrets)
        }
        "removepassword" => {
            let mut objects = writable(tenant, request, key)?;
            credentials::remove(request, &mut objects.application().secrets)
        }
        "owners" => {
            authority::may_read(&request.caller, authority::READ_APPLICATIONS)?;
            let objects = tenant.read();
            let application = &objects.applications[position(&objects, key)?];
            let owners = objects.directory_objects(&application.owners);
            drop(objects);
            let kind = Kind {
                context: "directoryObjects",
                type_name: "microsoft.graph.directoryObject",
                defaults: None,
            };
            listing::collection(request, kind, owners.into_iter())
        }
        "addkey" | "removekey" | "federatedidentitycredentials" | "setverifiedpublisher" | "extensionproperties" => {
            Err(ODataError::unsupported(format!("{action} on applications")))
        }
        _ => Err(ODataError::unknown_segment(action)),
    }
}

/// The write lock with one application in hand that the caller may change.
struct Writable<'a> {
    objects: std::sync::RwLockWriteGuard<'a, Objects>,
    position: usize,
}

impl Writable<'_> {
    fn application(&mut self) -> &mut Application {
        &mut self.objects.applications[self.position]
    }

    fn remove(&mut self) {
        let application = self.objects.applications.remove(self.position);
        if let Some(principal) = self
            .objects
            .service_principal_of(application.app_id)
            .map(|principal| principal.id)
        {
            self.objects.remove_service_principal(principal);
        }
    }
}

fn writable<'a>(tenant: &'a Tenant, request: &GraphRequest, key: &str) -> Result<Writable<'a>, ODataError> {
    let owners = {
        let objects = tenant.read();
        let found = position(&objects, key).map(|position| objects.applications[position].owners.clone());
        drop(objects);
        match found {
            Ok(owners) => owners,
            // Whoever may not write learns nothing about what exists.
            Err(missing) => {
                authority::may_create_application(tenant, &request.caller)?;
                return Err(missing);
            }
        }
    };
    authority::may_write_owned(tenant, &request.caller, &owners)?;
    let objects = tenant.write();
    let position = position(&objects, key)?;
    Ok(Writable { objects, position })
}

fn position(objects: &Objects, key: &str) -> Result<usize, ODataError> {
    let found = match alternate_key(key, "appId") {
        Some(app_id) => {
            let app_id = app_id.parse::<Uuid>().ok();
            objects
                .applications
                .iter()
                .position(|application| Some(application.app_id) == app_id)
        }
        None => {
            let id = key.parse::<Uuid>().ok();
            objects
                .applications
                .iter()
                .position(|application| Some(application.id) == id)
        }
    };
    found.ok_or_else(|| ODataError::directory_not_found(key.trim_matches(['(', ')'])))
}
