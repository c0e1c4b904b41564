//! Reading JSON request bodies as Graph does.
//!
//! Owns the conventions: names ignore case, annotations (`@odata.type`, `x@odata.bind`) are skipped, an explicit null
//! is the same as nothing, and `"false"` is accepted for `false` (the documentation itself sends it).

use serde_json::{Map, Value};

use crate::mail::refusal;
use crate::odata::error::ODataError;

/// The members of a JSON object.
#[derive(Debug, Clone, Copy)]
pub struct Fields<'a>(&'a Map<String, Value>);

impl<'a> Fields<'a> {
    /// The members of `value`; 400 when it is not an object.
    pub fn of(value: &'a Value) -> Result<Self, ODataError> {
        value
            .as_object()
            .map(Self)
            .ok_or_else(|| ODataError::bad_request("The request body must be a JSON object."))
    }

    /// A member; null counts as absent.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'a Value> {
        self.0
            .get(name)
            .or_else(|| {
                self.0
                    .iter()
                    .find(|(key, _)| key.eq_ignore_ascii_case(name))
                    .map(|(_, value)| value)
            })
            .filter(|value| !value.is_null())
    }

    /// The names that are no annotations.
    pub fn names(&self) -> impl Iterator<Item = &'a str> {
        self.0.keys().map(String::as_str).filter(|name| !name.contains('@'))
    }

    /// A text.
    pub fn text(&self, name: &str) -> Result<Option<&'a str>, ODataError> {
        self.get(name)
            .map(|value| value.as_str().ok_or_else(|| refusal::bad_property(name, "a string")))
            .transpose()
    }

    /// A Boolean, or one of the texts `"true"` and `"false"`.
    pub fn boolean(&self, name: &str) -> Result<Option<bool>, ODataError> {
        self.get(name)
            .map(|value| match value {
                Value::Bool(value) => Ok(*value),
                Value::String(text) if text.eq_ignore_ascii_case("true") => Ok(true),
                Value::String(text) if text.eq_ignore_ascii_case("false") => Ok(false),
                _ => Err(refusal::bad_property(name, "a Boolean")),
            })
            .transpose()
    }

    /// An object.
    pub fn object(&self, name: &str) -> Result<Option<Fields<'a>>, ODataError> {
        self.get(name)
            .map(|value| {
                value
                    .as_object()
                    .map(Fields)
                    .ok_or_else(|| refusal::bad_property(name, "an object"))
            })
            .transpose()
    }

    /// A list.
    pub fn list(&self, name: &str) -> Result<Option<&'a [Value]>, ODataError> {
        self.get(name)
            .map(|value| {
                value
                    .as_array()
                    .map(Vec::as_slice)
                    .ok_or_else(|| refusal::bad_property(name, "a collection"))
            })
            .transpose()
    }

    /// A text that must be there.
    pub fn required_text(&self, name: &str) -> Result<&'a str, ODataError> {
        self.text(name)?
            .filter(|text| !text.is_empty())
            .ok_or_else(|| ODataError::bad_request(format!("The property '{name}' is required and must not be empty.")))
    }

    /// Refuses names outside `known`.
    pub fn only(&self, known: &[&str], kind: &str) -> Result<(), ODataError> {
        match self
            .names()
            .find(|name| !known.iter().any(|known| known.eq_ignore_ascii_case(name)))
        {
            Some(name) => Err(refusal::unknown_property(name, kind)),
            None => Ok(()),
        }
    }
}
