//! `/applications`: registrations.
//!
//! Owns creation, reading, change and deletion of application objects, and creation by `PATCH` with a unique name.
//! Deleting a registration takes its service principal in this tenant with it, and what that principal held; both can
//! be restored.

use http::header::LOCATION;
use http::{Method, StatusCode};
use serde_json::Value;

use crate::auth::CallerKind;
use crate::directory::addressing::position_by_key;
use crate::directory::federated::{self, FederatedCredential};
use crate::directory::listing::{self, Kind};
use crate::directory::model::Application;
use crate::directory::owners::{self, Asked};
use crate::directory::tenant::{MAX_OBJECTS, Objects, Tenant};
use crate::directory::{authority, credentials, delta, identifiers, key_credentials, redirects, templates};
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
        [] if request.method == Method::POST => create(tenant, request, None),
        [] => list(tenant, request),
        [count] if count.eq_ignore_ascii_case("$count") => list(tenant, request),
        [delta] if delta.eq_ignore_ascii_case("delta") => changes(tenant, request),
        [key] => one(tenant, request, key),
        [key, what, credential @ ..]
            if what.eq_ignore_ascii_case("federatedIdentityCredentials") && credential.len() <= 1 =>
        {
            federated_credentials(tenant, request, key, credential.first())
        }
        [key, what, rest @ ..] if what.eq_ignore_ascii_case("owners") => owned(tenant, request, key, rest),
        [key, action] => act(tenant, request, key, action),
        [_, _, rest, ..] => Err(ODataError::unknown_segment(rest)),
    }
}

fn list(tenant: &Tenant, request: &GraphRequest) -> Result<GraphResponse, ODataError> {
    authority::may_read(&request.caller, authority::READ_APPLICATIONS)?;
    let entities: Vec<Value> = tenant.read().applications.iter().map(Application::entity).collect();
    listing::collection(request, KIND, entities.into_iter())
}

fn changes(tenant: &Tenant, request: &GraphRequest) -> Result<GraphResponse, ODataError> {
    authority::may_read(&request.caller, authority::READ_APPLICATIONS)?;
    let entities: Vec<Value> = tenant.read().applications.iter().map(Application::entity).collect();
    delta::answer(tenant, request, KIND, &entities, |id| tenant.read().is_deleted(id))
}

fn create(tenant: &Tenant, request: &GraphRequest, unique_name: Option<&str>) -> Result<GraphResponse, ODataError> {
    authority::may_create_application(tenant, &request.caller)?;
    let mut body = request.json_body()?;
    let keys = match key_credentials::take(&mut body) {
        Some(list) => key_credentials::replaced(tenant, &[], &list)?,
        None => Vec::new(),
    };
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
    if let Some(name) = unique_name {
        document.insert("uniqueName".to_owned(), name.into());
    }
    redirects::check(&document)?;
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
        keys,
        federated: Vec::new(),
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
        identifiers::check(tenant, &objects, id, app_id, &application.document)?;
        objects.note_new(id.to_string(), tenant.clock.now());
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
            let position = position(tenant, &objects, key)?;
            let application = &objects.applications[position];
            let mut entity = application.entity();
            key_credentials::reveal(request, &application.keys, &mut entity);
            drop(objects);
            listing::entity(request, StatusCode::OK, KIND, &entity)
        }
        Method::PATCH if is_upsert(tenant, request, key) => {
            create(tenant, request, alternate_key(key, "uniqueName").as_deref())
        }
        Method::PATCH => {
            let mut body = request.json_body()?;
            let mut objects = writable(tenant, request, key)?;
            let application = objects.application();
            let keys = match key_credentials::take(&mut body) {
                Some(list) => Some(key_credentials::replaced(tenant, &application.keys, &list)?),
                None => None,
            };
            let mut document = application.document.clone();
            document.extend(templates::checked_changes(&application.document, &body)?);
            redirects::check(&document)?;
            let (id, app_id) = (application.id, application.app_id);
            identifiers::check(tenant, &objects.objects, id, app_id, &document)?;
            let application = objects.application();
            application.document = document;
            application.keys = keys.unwrap_or_else(|| std::mem::take(&mut application.keys));
            Ok(GraphResponse::empty(StatusCode::NO_CONTENT))
        }
        Method::DELETE => {
            let mut objects = writable(tenant, request, key)?;
            objects.remove(tenant.clock.now());
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
            let policies = tenant.policies();
            let mut objects = writable(tenant, request, key)?;
            credentials::add(tenant, &policies, request, &mut objects.application().secrets)
        }
        "removepassword" => {
            let mut objects = writable(tenant, request, key)?;
            credentials::remove(request, &mut objects.application().secrets)
        }
        name @ ("addkey" | "removekey") => {
            let mut objects = provable(tenant, request, key)?;
            let application = objects.application();
            let (id, keys) = (application.id, &mut application.keys);
            match name {
                "addkey" => key_credentials::add(tenant, request, id, keys),
                _ => key_credentials::remove(tenant, request, id, keys),
            }
        }
        "setverifiedpublisher" | "extensionproperties" => {
            Err(ODataError::unsupported(format!("{action} on applications")))
        }
        _ => Err(ODataError::unknown_segment(action)),
    }
}

fn owned(tenant: &Tenant, request: &GraphRequest, key: &str, rest: &[String]) -> Result<GraphResponse, ODataError> {
    match owners::asked(request, rest)? {
        Asked::List => {
            authority::may_read(&request.caller, authority::READ_APPLICATIONS)?;
            let objects = tenant.read();
            owners::list(
                request,
                &objects,
                &objects.applications[position(tenant, &objects, key)?].owners,
            )
        }
        Asked::Add => {
            let mut writable = writable(tenant, request, key)?;
            let id = owners::referred(request, &writable.objects)?;
            owners::add(&mut writable.application().owners, id)
        }
        Asked::Remove(id) => owners::remove(&mut writable(tenant, request, key)?.application().owners, id),
    }
}

fn federated_credentials(
    tenant: &Tenant,
    request: &GraphRequest,
    key: &str,
    credential: Option<&String>,
) -> Result<GraphResponse, ODataError> {
    const KIND: Kind = Kind {
        context: "federatedIdentityCredentials",
        type_name: "microsoft.graph.federatedIdentityCredential",
        defaults: None,
    };
    if request.method == Method::GET {
        authority::may_read(&request.caller, authority::READ_APPLICATIONS)?;
        let held = {
            let objects = tenant.read();
            objects.applications[position(tenant, &objects, key)?].federated.clone()
        };
        return match credential {
            Some(credential) if !credential.eq_ignore_ascii_case("$count") => {
                let found = held[federated::position(&held, credential)?].entity();
                listing::entity(request, StatusCode::OK, KIND, &found)
            }
            _ => listing::collection(request, KIND, held.iter().map(FederatedCredential::entity)),
        };
    }
    let mut objects = writable(tenant, request, key)?;
    let application = objects.application();
    match credential {
        Some(credential) => federated::change(request, credential, &mut application.federated),
        None if request.method == Method::POST => {
            federated::create(tenant, request, application.id, &mut application.federated)
        }
        None => Err(ODataError::method_not_allowed()),
    }
}

/// As [`writable`], and an application may always be its own: the proof in the request decides.
fn provable<'a>(tenant: &'a Tenant, request: &GraphRequest, key: &str) -> Result<Writable<'a>, ODataError> {
    let objects = tenant.write();
    let own = position(tenant, &objects, key)
        .ok()
        .filter(|position| objects.applications[*position].app_id == request.caller.app_id);
    match own {
        Some(position) if request.caller.kind == CallerKind::App => Ok(Writable { objects, position }),
        _ => {
            drop(objects);
            writable(tenant, request, key)
        }
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

    fn remove(&mut self, now: jiff::Timestamp) {
        self.objects.delete_application(self.position, now);
    }
}

fn writable<'a>(tenant: &'a Tenant, request: &GraphRequest, key: &str) -> Result<Writable<'a>, ODataError> {
    let owners = {
        let objects = tenant.read();
        let found = position(tenant, &objects, key).map(|position| objects.applications[position].owners.clone());
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
    let position = position(tenant, &objects, key)?;
    Ok(Writable { objects, position })
}

/// `PATCH applications(uniqueName='…')` with `Prefer: create-if-missing` creates what is not there.
fn is_upsert(tenant: &Tenant, request: &GraphRequest, key: &str) -> bool {
    let prefers = request
        .header_list("prefer")
        .split(',')
        .any(|word| word.trim().eq_ignore_ascii_case("create-if-missing"));
    prefers && alternate_key(key, "uniqueName").is_some() && position(tenant, &tenant.read(), key).is_err()
}

fn position(tenant: &Tenant, objects: &Objects, key: &str) -> Result<usize, ODataError> {
    if let Some(name) = alternate_key(key, "uniqueName") {
        let named = |application: &Application| {
            application.document.get("uniqueName").and_then(Value::as_str) == Some(name.as_str())
        };
        let found = objects.applications.iter().position(named);
        return found.ok_or_else(|| ODataError::directory_not_found(&name));
    }
    position_by_key(
        &objects.applications,
        key,
        |application| (application.id, application.app_id),
        |id| objects.arrivals.contain(&id.to_string(), tenant.clock.now()),
    )
}
