//! The parameters of a cmdlet as they arrive in JSON.
//!
//! Owns reading them by name without regard to case, and PowerShell's refusals: a parameter nobody knows, one that is
//! missing, one of the wrong type. Hash tables (`@{Add="x"}`) arrive as objects, their annotations aside.

use serde_json::{Map, Value};
use uuid::Uuid;

use crate::exchange::failure::Failure;

/// Parameters that every cmdlet takes.
const COMMON: [&str; 14] = [
    "Confirm",
    "WhatIf",
    "Debug",
    "Verbose",
    "ErrorAction",
    "ErrorVariable",
    "InformationAction",
    "InformationVariable",
    "OutBuffer",
    "OutVariable",
    "PipelineVariable",
    "ProgressAction",
    "WarningAction",
    "WarningVariable",
];

/// The parameters of one call.
#[derive(Debug, Clone, Default)]
pub struct Parameters(Map<String, Value>);

/// A change to a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListChange {
    /// The list from now on; none leaves it to the other two.
    pub replace: Option<Vec<String>>,
    /// What is added.
    pub add: Vec<String>,
    /// What is removed.
    pub remove: Vec<String>,
}

impl ListChange {
    /// The list after the change; what is there already is not added again.
    #[must_use]
    pub fn apply(&self, list: &[String]) -> Vec<String> {
        let mut result: Vec<String> = self.replace.clone().unwrap_or_else(|| list.to_vec());
        let same = |left: &String, right: &String| left.eq_ignore_ascii_case(right);
        result.retain(|entry| !self.remove.iter().any(|removed| same(entry, removed)));
        for entry in &self.add {
            if !result.iter().any(|present| same(present, entry)) {
                result.push(entry.clone());
            }
        }
        result
    }
}

impl Parameters {
    /// Parameters of a JSON object; annotations (`X@odata.type`) are left out.
    ///
    /// # Errors
    /// It is no object, or a parameter is given twice.
    pub fn read(value: &Value) -> Result<Self, Failure> {
        let object = match value {
            Value::Null => return Ok(Self::default()),
            Value::Object(object) => object,
            _ => {
                return Err(Failure::binding(
                    "The value of 'Parameters' is not an object.".to_owned(),
                ));
            }
        };
        let mut read: Map<String, Value> = Map::new();
        for (name, value) in object.iter().filter(|(name, _)| !name.contains('@')) {
            if read.keys().any(|known| known.eq_ignore_ascii_case(name)) {
                return Err(Failure::binding(format!(
                    "Cannot bind parameter because parameter '{name}' is specified more than once."
                )));
            }
            read.insert(name.clone(), value.clone());
        }
        Ok(Self(read))
    }

    /// Refuses what a cmdlet does not know and what it misses.
    ///
    /// # Errors
    /// In PowerShell's words.
    pub fn check(&self, required: &[&str], optional: &[&str]) -> Result<(), Failure> {
        let known = |name: &str| {
            let mut all = required.iter().chain(optional).chain(&COMMON);
            all.any(|known| known.eq_ignore_ascii_case(name))
        };
        if let Some(name) = self.0.keys().find(|name| !known(name)) {
            return Err(Failure::binding(format!(
                "A parameter cannot be found that matches parameter name '{name}'."
            )));
        }
        let missing: Vec<&str> = required
            .iter()
            .copied()
            .filter(|name| self.get(name).is_none())
            .collect();
        if missing.is_empty() {
            Ok(())
        } else {
            Err(Failure::binding(format!(
                "Cannot process command because of one or more missing mandatory parameters: {}.",
                missing.join(" ")
            )))
        }
    }

    /// A value that is given and not null.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
            .filter(|value| !value.is_null())
    }

    /// Whether a parameter is given at all, be it null.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.keys().any(|known| known.eq_ignore_ascii_case(name))
    }

    /// A text.
    ///
    /// # Errors
    /// It is something else.
    pub fn text(&self, name: &str) -> Result<Option<String>, Failure> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.trim().to_owned())),
            Some(Value::Number(number)) => Ok(Some(number.to_string())),
            Some(other) => Err(cannot_convert(name, other, "System.String")),
        }
    }

    /// A text that is there and not empty.
    ///
    /// # Errors
    /// It is not.
    pub fn need(&self, name: &str) -> Result<String, Failure> {
        let text = self.text(name)?.filter(|text| !text.is_empty());
        text.ok_or_else(|| {
            Failure::binding(format!(
                "Cannot bind argument to parameter '{name}' because it is an empty string."
            ))
        })
    }

    /// A GUID.
    ///
    /// # Errors
    /// It is something else.
    pub fn guid(&self, name: &str) -> Result<Option<Uuid>, Failure> {
        let Some(text) = self.text(name)? else {
            return Ok(None);
        };
        let id = text
            .parse()
            .map_err(|_| cannot_convert(name, &text.into(), "System.Guid"))?;
        Ok(Some(id))
    }

    /// A switch or Boolean.
    ///
    /// # Errors
    /// It is something else.
    pub fn flag(&self, name: &str) -> Result<Option<bool>, Failure> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(Value::String(text)) if text.trim_start_matches('$').eq_ignore_ascii_case("true") => Ok(Some(true)),
            Some(Value::String(text)) if text.trim_start_matches('$').eq_ignore_ascii_case("false") => Ok(Some(false)),
            Some(Value::Object(object)) if object.contains_key("IsPresent") => {
                Ok(object.get("IsPresent").and_then(Value::as_bool))
            }
            Some(other) => Err(cannot_convert(name, other, "System.Boolean")),
        }
    }

    /// A text or a list of them.
    ///
    /// # Errors
    /// It is something else.
    pub fn list(&self, name: &str) -> Result<Vec<String>, Failure> {
        self.get(name).map_or_else(|| Ok(Vec::new()), |value| list(name, value))
    }

    /// A new list, or `@{Add=…;Remove=…}`; none when the parameter is not given.
    ///
    /// # Errors
    /// It is something else.
    pub fn list_change(&self, name: &str) -> Result<Option<ListChange>, Failure> {
        if !self.has(name) {
            return Ok(None);
        }
        let Some(Value::Object(table)) = self.get(name) else {
            return Ok(Some(ListChange {
                replace: Some(self.list(name)?),
                ..ListChange::default()
            }));
        };
        let mut change = ListChange::default();
        for (key, value) in table.iter().filter(|(key, _)| !key.contains('@')) {
            match key.to_ascii_lowercase().as_str() {
                "add" => change.add = list(name, value)?,
                "remove" => change.remove = list(name, value)?,
                _ => {
                    return Err(cannot_convert(
                        name,
                        &Value::Object(table.clone()),
                        "MultiValuedProperty",
                    ));
                }
            }
        }
        Ok(Some(change))
    }
}

fn list(name: &str, value: &Value) -> Result<Vec<String>, Failure> {
    match value {
        Value::Null => Ok(Vec::new()),
        Value::String(text) => Ok(vec![text.trim().to_owned()]),
        Value::Array(entries) => {
            let texts = entries.iter().map(|entry| match entry {
                Value::String(text) => Ok(text.trim().to_owned()),
                other => Err(cannot_convert(name, other, "System.String")),
            });
            texts.collect()
        }
        other => Err(cannot_convert(name, other, "System.String[]")),
    }
}

fn cannot_convert(name: &str, value: &Value, wanted: &str) -> Failure {
    let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Failure::binding(format!(
        "Cannot process argument transformation on parameter '{name}'. Cannot convert value \"{shown}\" to type \"{wanted}\"."
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn hash_tables_change_lists() {
        let read = Parameters::read(&json!({
            "IPAllowList": {"@odata.type": "#Exchange.GenericHashTable", "Add": ["b", "A"], "Remove@odata.type": "x", "remove": "c"},
            "IPBlockList": ["x"],
        }))
        .expect("an object");
        let change = read.list_change("ipallowlist").expect("a table").expect("given");
        assert_eq!(change.apply(&["a".to_owned(), "c".to_owned()]), ["a", "b"]);
        let replaced = read.list_change("IPBlockList").expect("a list").expect("given");
        assert_eq!(replaced.apply(&["y".to_owned()]), ["x"]);
        assert_eq!(read.list_change("Other").expect("not given"), None);
    }

    #[test]
    fn unknown_missing_and_doubled_parameters_are_refused() {
        let read = Parameters::read(&json!({"Name": "x", "whatif": true})).expect("an object");
        assert!(read.check(&["name"], &[]).is_ok());
        assert!(
            read.check(&[], &[])
                .is_err_and(|failure| failure.message.contains("'Name'"))
        );
        assert!(
            read.check(&["Name", "Role"], &[])
                .is_err_and(|failure| failure.message.contains("Role"))
        );
        assert!(Parameters::read(&json!({"Name": 1, "name": 2})).is_err());
        assert!(Parameters::read(&json!([])).is_err());
    }
}
