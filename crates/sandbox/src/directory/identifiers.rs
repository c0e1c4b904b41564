//! The names by which an application is known as a resource.
//!
//! Owns the rules of `identifierUris` and `uniqueName`: unique in the tenant, and a web address must lie in a domain
//! of the tenant while `api://` must hold the application's or the tenant's id or such a domain.

use serde_json::{Map, Value};
use url::Url;
use uuid::Uuid;

use crate::directory::model::Application;
use crate::directory::tenant::{Objects, Tenant};
use crate::odata::error::ODataError;

/// Checks the names in `document`, which belongs to the application `id`.
///
/// # Errors
/// 400 for a name that is taken or that the tenant may not use.
pub fn check(
    tenant: &Tenant,
    objects: &Objects,
    id: Uuid,
    app_id: Uuid,
    document: &Map<String, Value>,
) -> Result<(), ODataError> {
    let others = || objects.applications.iter().filter(|other| other.id != id);
    if let Some(name) = document.get("uniqueName").and_then(Value::as_str)
        && others().any(|other| other.document.get("uniqueName").and_then(Value::as_str) == Some(name))
    {
        return Err(taken("uniqueName"));
    }
    for uri in uris(document) {
        let Some(uri) = uri.as_str() else {
            return Err(ODataError::directory_bad_request(
                "Invalid value specified for property 'identifierUris' of resource 'Application'.",
            ));
        };
        if !is_permitted(tenant, app_id, uri) {
            return Err(ODataError::new(
                http::StatusCode::BAD_REQUEST,
                "HostNameNotOnVerifiedDomain",
                format!(
                    "Failed to add identifier URI {uri}. All newly added URIs must contain a tenant verified domain, tenant ID, or app ID, as per the default tenant policy of your organization. See https://aka.ms/identifier-uri-addition-error for more information on this error."
                ),
            ));
        }
        let same = |other: &Application| uris(&other.document).any(|held| held.as_str() == Some(uri));
        if others().any(same) {
            return Err(taken("identifierUris"));
        }
    }
    Ok(())
}

fn uris(document: &Map<String, Value>) -> impl Iterator<Item = &Value> {
    document
        .get("identifierUris")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn taken(property: &str) -> ODataError {
    ODataError::new(
        http::StatusCode::BAD_REQUEST,
        "ObjectConflict",
        format!("Another object with the same value for property {property} already exists."),
    )
}

fn is_permitted(tenant: &Tenant, app_id: Uuid, uri: &str) -> bool {
    let Ok(url) = Url::parse(uri) else {
        return false;
    };
    let host = url.host_str().unwrap_or_default().to_ascii_lowercase();
    let in_domain = [tenant.domain.clone(), tenant.initial_domain()]
        .iter()
        .any(|domain| host == *domain || host.ends_with(&format!(".{domain}")));
    match url.scheme() {
        "http" | "https" => in_domain,
        "api" => {
            let words = uri.split('/');
            in_domain
                || words
                    .filter_map(|word| word.parse::<Uuid>().ok())
                    .any(|id| id == app_id || id == tenant.id)
        }
        // urn:, ms-appx: and the like name no host.
        _ => true,
    }
}
