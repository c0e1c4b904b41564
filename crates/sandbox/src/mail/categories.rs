//! `outlook/masterCategories`: the names and colours that a mailbox has for categories.
//!
//! Owns the list and its operations. Names are unique without case and never change; messages may carry categories
//! that are not on the list.

use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::mail::fields::Fields;
use crate::mail::links;
use crate::mail::refusal;
use crate::mail::routes::Scope;
use crate::odata::error::ODataError;
use crate::odata::query::QueryOptions;
use crate::server::paths::GraphResponse;

/// Categories of one mailbox; Exchange keeps them in one item of limited size.
const MAX_CATEGORIES: usize = 500;
/// Characters of a name.
const MAX_NAME: usize = 255;
/// `preset0` to `preset24`.
const PRESETS: u8 = 25;

/// A category with its colour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Category {
    pub id: Uuid,
    pub name: String,
    /// Number of a preset colour; none where absent.
    pub colour: Option<u8>,
}

/// The categories a new mailbox has.
#[must_use]
pub fn defaults(mailbox: Uuid) -> Vec<Category> {
    [
        ("Red category", 0),
        ("Orange category", 1),
        ("Yellow category", 3),
        ("Green category", 4),
        ("Blue category", 7),
        ("Purple category", 8),
    ]
    .into_iter()
    .map(|(name, colour)| Category {
        id: Uuid::from_u128(mailbox.as_u128() ^ (u128::from(colour) + 1)),
        name: name.to_owned(),
        colour: Some(colour),
    })
    .collect()
}

/// Answers `outlook/<words>`; `segments[0]` is the word itself.
pub fn outlook(scope: &Scope<'_>, segments: &[String], words: &[&str]) -> Result<GraphResponse, ODataError> {
    let method = &scope.request.method;
    match &words[1..] {
        ["mastercategories"] if method == Method::GET => list(scope),
        ["mastercategories"] if method == Method::POST => create(scope),
        ["mastercategories", _] => {
            let id = Uuid::parse_str(&segments[2]).map_err(|_| refusal::id_malformed())?;
            match *method {
                Method::GET => get(scope, id),
                Method::PATCH => update(scope, id),
                Method::DELETE => delete(scope, id),
                _ => Err(ODataError::method_not_allowed()),
            }
        }
        ["mastercategories"] => Err(ODataError::method_not_allowed()),
        [] | ["supportedlanguages" | "supportedtimezones", ..] => {
            Err(ODataError::unsupported(format_args!("/{}", segments.join("/"))))
        }
        [_, ..] => Err(ODataError::unknown_segment(&segments[1])),
    }
}

fn shown(category: &Category) -> Value {
    let colour = category
        .colour
        .map_or_else(|| "none".to_owned(), |number| format!("preset{number}"));
    json!({"id": category.id, "displayName": category.name, "color": colour})
}

fn entity(scope: &Scope<'_>, category: &Category, status: StatusCode) -> GraphResponse {
    let mut json = shown(category);
    json["@odata.context"] = links::context(scope.request, "outlook/masterCategories/$entity").into();
    GraphResponse::json(status, &json)
}

fn list(scope: &Scope<'_>) -> Result<GraphResponse, ODataError> {
    let options = QueryOptions::parse(&scope.request.query)?;
    options.only(&[])?;
    if !options.is_for_one() || options.select.is_some() || !options.expand.is_empty() {
        return Err(ODataError::unsupported("query options on masterCategories"));
    }
    let value: Vec<Value> = scope.read(|mailbox| mailbox.categories.iter().map(shown).collect());
    let context = links::context(scope.request, "outlook/masterCategories");
    Ok(GraphResponse::json(
        StatusCode::OK,
        &json!({"@odata.context": context, "value": value}),
    ))
}

fn get(scope: &Scope<'_>, id: Uuid) -> Result<GraphResponse, ODataError> {
    scope.read(|mailbox| {
        let found = mailbox.categories.iter().find(|category| category.id == id);
        found
            .map(|category| entity(scope, category, StatusCode::OK))
            .ok_or_else(refusal::item_not_found)
    })
}

fn colour(fields: Fields<'_>) -> Result<Option<u8>, ODataError> {
    let word = fields.text("color")?.unwrap_or("none").to_ascii_lowercase();
    if word == "none" {
        return Ok(None);
    }
    word.strip_prefix("preset")
        .and_then(|number| number.parse().ok())
        .filter(|number| *number < PRESETS)
        .map(Some)
        .ok_or_else(|| refusal::bad_property("color", "'none' or 'preset0' to 'preset24'"))
}

fn create(scope: &Scope<'_>) -> Result<GraphResponse, ODataError> {
    let body = scope.request.json_body()?;
    let fields = Fields::of(&body)?;
    fields.only(&["id", "displayName", "color"], "outlookCategory")?;
    let name = fields.required_text("displayName")?.trim().to_owned();
    if name.is_empty() || name.chars().count() > MAX_NAME {
        return Err(refusal::bad_property("displayName", "a name of 1 to 255 characters"));
    }
    let category = Category {
        id: scope.service.entropy.uuid(),
        name,
        colour: colour(fields)?,
    };
    scope.write(|mailbox| {
        let lower = category.name.to_lowercase();
        if mailbox
            .categories
            .iter()
            .any(|known| known.name.to_lowercase() == lower)
        {
            return Err(ODataError::new(
                StatusCode::CONFLICT,
                "CategoryNameDuplicate",
                "A category with the specified name already exists.",
            ));
        }
        if mailbox.categories.len() >= MAX_CATEGORIES {
            return Err(ODataError::bad_request(format!(
                "A mailbox has at most {MAX_CATEGORIES} categories."
            )));
        }
        mailbox.categories.push(category.clone());
        Ok(())
    })?;
    Ok(entity(scope, &category, StatusCode::CREATED))
}

fn update(scope: &Scope<'_>, id: Uuid) -> Result<GraphResponse, ODataError> {
    let body = scope.request.json_body()?;
    let fields = Fields::of(&body)?;
    fields.only(&["id", "displayName", "color"], "outlookCategory")?;
    let wanted = fields.text("displayName")?;
    let colour = fields.get("color").map(|_| colour(fields)).transpose()?;
    scope.write(|mailbox| {
        let category = mailbox
            .categories
            .iter_mut()
            .find(|category| category.id == id)
            .ok_or_else(refusal::item_not_found)?;
        if wanted.is_some_and(|name| name != category.name) {
            return Err(ODataError::bad_request(
                "The property 'displayName' of a category cannot be changed.",
            ));
        }
        if let Some(colour) = colour {
            category.colour = colour;
        }
        Ok(entity(scope, category, StatusCode::OK))
    })
}

fn delete(scope: &Scope<'_>, id: Uuid) -> Result<GraphResponse, ODataError> {
    scope.write(|mailbox| {
        let before = mailbox.categories.len();
        mailbox.categories.retain(|category| category.id != id);
        if mailbox.categories.len() == before {
            Err(refusal::item_not_found())
        } else {
            Ok(GraphResponse::empty(StatusCode::NO_CONTENT))
        }
    })
}
