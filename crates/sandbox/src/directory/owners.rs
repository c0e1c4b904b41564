//! `owners` of applications and service principals.
//!
//! Owns the list's three operations; whose owners they are, and who may change them, the callers know. An object may
//! have no owner. Source: Microsoft Graph, "Add owner", "Remove owner" and "List owners" of application and
//! servicePrincipal.

use http::{Method, StatusCode};
use uuid::Uuid;

use crate::directory::listing::{self, Kind};
use crate::directory::tenant::Objects;
use crate::odata::error::ODataError;
use crate::server::paths::{GraphRequest, GraphResponse};

const KIND: Kind = Kind {
    context: "directoryObjects",
    type_name: "microsoft.graph.directoryObject",
    defaults: None,
};

/// What `owners/…` asks for.
pub enum Asked {
    /// `GET owners`.
    List,
    /// `POST owners/$ref`.
    Add,
    /// `DELETE owners/{id}/$ref`.
    Remove(Uuid),
}

/// Reads the segments behind `owners`.
///
/// # Errors
/// As Graph answers a path or a method that it does not have.
pub fn asked(request: &GraphRequest, rest: &[String]) -> Result<Asked, ODataError> {
    let is_reference = |segment: &String| segment.eq_ignore_ascii_case("$ref");
    match rest {
        [] if request.method == Method::GET => Ok(Asked::List),
        [reference] if is_reference(reference) && request.method == Method::POST => Ok(Asked::Add),
        [id, reference] if is_reference(reference) && request.method == Method::DELETE => {
            let id = id.parse().map_err(|_| ODataError::directory_not_found(id))?;
            Ok(Asked::Remove(id))
        }
        [] => Err(ODataError::method_not_allowed()),
        [reference] | [_, reference] if is_reference(reference) => Err(ODataError::method_not_allowed()),
        [rest, ..] => Err(ODataError::unknown_segment(rest)),
    }
}

/// The owners as directory objects.
///
/// # Errors
/// Those of the query options.
pub fn list(request: &GraphRequest, objects: &Objects, owners: &[Uuid]) -> Result<GraphResponse, ODataError> {
    listing::collection(request, KIND, objects.directory_objects(owners).into_iter())
}

/// The object that the body refers to.
///
/// # Errors
/// 400 for a body that is no reference, 404 for one to an object that is not there.
pub fn referred(request: &GraphRequest, objects: &Objects) -> Result<Uuid, ODataError> {
    let body = request.json_body()?;
    let reference = body.get("@odata.id").and_then(serde_json::Value::as_str);
    let reference = reference.ok_or_else(|| {
        ODataError::directory_bad_request("A value is required for property '@odata.id' of the reference.")
    })?;
    let last = reference.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    // Both forms are in use: directoryObjects/{id} and directoryObjects('{id}').
    let key = last
        .split_once("('")
        .map_or(last, |(_, quoted)| quoted.trim_end_matches("')"));
    let id: Uuid = key
        .parse()
        .map_err(|_| ODataError::directory_bad_request("The reference does not name a directory object."))?;
    if objects.directory_objects(&[id]).is_empty() {
        return Err(ODataError::directory_not_found(key));
    }
    Ok(id)
}

/// Adds one.
///
/// # Errors
/// 400 if it is an owner already.
pub fn add(owners: &mut Vec<Uuid>, id: Uuid) -> Result<GraphResponse, ODataError> {
    if owners.contains(&id) {
        return Err(ODataError::directory_bad_request(
            "One or more added object references already exist for the following modified properties: 'owners'.",
        ));
    }
    owners.push(id);
    Ok(GraphResponse::empty(StatusCode::NO_CONTENT))
}

/// Removes one.
///
/// # Errors
/// 404 if it is no owner.
pub fn remove(owners: &mut Vec<Uuid>, id: Uuid) -> Result<GraphResponse, ODataError> {
    let before = owners.len();
    owners.retain(|owner| *owner != id);
    if owners.len() == before {
        return Err(ODataError::directory_not_found(&id.to_string()));
    }
    Ok(GraphResponse::empty(StatusCode::NO_CONTENT))
}
