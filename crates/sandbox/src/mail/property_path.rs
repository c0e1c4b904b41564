//! A property of a message addressed by itself: `messages/{id}/subject`, `messages/{id}/subject/$value`.
//!
//! Owns the shapes OData gives them: a value, an object's members, or bare text.

use http::StatusCode;
use http::header::HeaderValue;
use serde_json::{Map, Value, json};

use crate::mail::permissions::Depth;
use crate::mail::preferences::Preferences;
use crate::mail::properties::Property;
use crate::mail::routes::Scope;
use crate::mail::{links, refusal, render, view_options};
use crate::odata::error::ODataError;
use crate::odata::query::QueryOptions;
use crate::server::paths::GraphResponse;

/// The property that a path segment names.
#[must_use]
pub fn named(segment: &str) -> Option<Property> {
    Property::ALL
        .iter()
        .find(|property| property.name().eq_ignore_ascii_case(segment))
        .copied()
}

/// Answers `messages/{id}/{property}`; `bare` for its `$value`.
pub fn get(
    scope: &Scope<'_>,
    id: &str,
    property: Property,
    bare: bool,
    depth: Depth,
) -> Result<GraphResponse, ODataError> {
    if !scope.request.query.is_empty() {
        return Err(refusal::only_for_collections());
    }
    let preferences = Preferences::of(scope.request);
    let options = QueryOptions {
        select: Some(vec![property.name().to_owned()]),
        ..QueryOptions::default()
    };
    let view = view_options::view(&options, &preferences, depth)?;
    let (id, value) = scope.read(|mailbox| {
        let message = mailbox.resolve(id)?;
        let mut json = render::message(mailbox, message, &view);
        let id = mailbox.codec.message(view.form, message.key, message.place());
        Ok::<_, ODataError>((id, json.remove(property.name())))
    })?;
    let Some(value) = value else {
        return Ok(GraphResponse::empty(StatusCode::NO_CONTENT));
    };
    if bare {
        let text = match &value {
            Value::String(text) => text.clone(),
            Value::Bool(_) | Value::Number(_) => value.to_string(),
            Value::Null | Value::Array(_) | Value::Object(_) => {
                return Err(ODataError::unknown_segment("$value"));
            }
        };
        let kind = HeaderValue::from_static("text/plain");
        return Ok(GraphResponse::bytes(StatusCode::OK, kind, text.into()));
    }
    let path = format!("messages('{}')/{}", links::key(&id), property.name());
    let context = links::context(scope.request, &path);
    let mut body = Map::new();
    body.insert("@odata.context".to_owned(), context.into());
    match value {
        Value::Object(members) => body.extend(members),
        other => {
            body.insert("value".to_owned(), json!(other));
        }
    }
    Ok(preferences.acknowledge(GraphResponse::json(StatusCode::OK, &body), &[]))
}
