//! Inbox rules as Graph shows them.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::lenient;

/// A rule of the inbox.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MessageRule {
    #[serde(default, deserialize_with = "lenient::text")]
    pub display_name: String,
    #[serde(default, deserialize_with = "lenient::flag")]
    pub is_enabled: Option<bool>,
    /// Whether Exchange can't run it.
    #[serde(default, deserialize_with = "lenient::flag")]
    pub has_error: Option<bool>,
    #[serde(default)]
    conditions: Option<Map<String, Value>>,
    #[serde(default)]
    exceptions: Option<Map<String, Value>>,
    #[serde(default)]
    pub actions: RuleActions,
}

/// What a rule does with a mail, as far as that takes it out of the inbox.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RuleActions {
    /// Id of the folder to which it is moved.
    #[serde(deserialize_with = "lenient::option")]
    pub move_to_folder: Option<String>,
    /// Moved to the deleted items.
    #[serde(deserialize_with = "lenient::flag")]
    pub delete: Option<bool>,
    /// Gone at once.
    #[serde(deserialize_with = "lenient::flag")]
    pub permanent_delete: Option<bool>,
}

impl MessageRule {
    /// Whether it runs.
    pub fn is_in_force(&self) -> bool {
        self.is_enabled == Some(true) && self.has_error != Some(true)
    }

    /// Whether it looks at no property of the mail, not even for an exception, and so runs for every one.
    pub fn is_unconditional(&self) -> bool {
        let counts = |value: &Value| match value {
            Value::Null | Value::Bool(false) => false,
            Value::Array(list) => !list.is_empty(),
            _ => true,
        };
        let looks = |part: &Option<Map<String, Value>>| part.as_ref().is_some_and(|part| part.values().any(counts));
        !looks(&self.conditions) && !looks(&self.exceptions)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn unconditional(rule: Value) -> bool {
        serde_json::from_value::<MessageRule>(rule).unwrap().is_unconditional()
    }

    #[test]
    fn a_rule_that_looks_at_nothing_runs_for_every_mail() {
        assert!(unconditional(json!({})));
        assert!(unconditional(json!({ "conditions": null, "exceptions": {} })));
        assert!(unconditional(
            json!({ "conditions": { "hasAttachments": false, "subjectContains": [] } })
        ));
    }

    #[test]
    fn a_condition_or_an_exception_spares_some_mail() {
        let words = json!({ "subjectContains": ["order"] });
        assert!(!unconditional(json!({ "conditions": words })));
        assert!(!unconditional(json!({ "exceptions": words })));
    }
}
