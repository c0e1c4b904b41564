//! Graph's types: whether an answer holds only properties that its type has, each with the right kind of value.
//!
//! Owns the check against the schema of the contract. The slice of the schema leaves some properties of open types
//! out; those that the documentation shows are listed here with their reason.

use std::path::Path;

use serde_json::Value;

use crate::examples::read;

/// Properties that are in no type of the slice, and why they may be there.
const DOCUMENTED: &[(&str, &str, &str)] = &[
    (
        "user",
        "*",
        "the slice holds only the properties that mail clients read; user is an open type",
    ),
    (
        "servicePrincipal",
        "publisherName",
        "shown by the documented example serviceprincipal-get__01",
    ),
    (
        "servicePrincipal",
        "endpoints",
        "shown by the documented example serviceprincipal-get__01",
    ),
    (
        "organization",
        "isMultipleDataLocationsForServicesEnabled",
        "documented for organization in v1.0",
    ),
    (
        "subscription",
        "notificationContentType",
        "in documented answers to subscriptions; left out of the slice",
    ),
    (
        "mailFolder",
        "sizeInBytes",
        "in the recorded answers of 2025, which outrank the slice",
    ),
    (
        "servicePrincipal",
        "createdDateTime",
        "documented for service principals in v1.0 and left out of the slice",
    ),
];

/// The schema.
pub struct Types(Value);

impl Types {
    pub fn load(contract: &Path) -> Self {
        Self(read(&contract.join("graph-types.json"))["types"].clone())
    }

    /// What is wrong with an answer, each with its place.
    pub fn objections(&self, answer: &Value) -> Vec<String> {
        let mut found = Vec::new();
        let context = answer["@odata.context"].as_str().unwrap_or_default();
        let Some(name) = type_of_context(context) else {
            return found;
        };
        match answer["value"].as_array() {
            Some(list) => {
                for (number, entity) in list.iter().enumerate() {
                    self.entity(&name, entity, &format!("value[{number}]"), &mut found);
                }
            }
            None => self.entity(&name, answer, "", &mut found),
        }
        found
    }

    fn entity(&self, name: &str, entity: &Value, place: &str, found: &mut Vec<String>) {
        let own = entity["@odata.type"]
            .as_str()
            .map(|name| name.trim_start_matches('#').trim_start_matches("microsoft.graph."));
        let name = own.unwrap_or(name);
        if self.0.get(name).is_none() {
            return;
        }
        for (property, value) in entity.as_object().into_iter().flatten() {
            if property.contains('@') {
                continue;
            }
            let place = format!("{place}/{property}");
            match self.property(name, property) {
                Some((kind, nullable)) => self.value(&kind, nullable, value, &place, found),
                None if is_documented(name, property) => {}
                None => found.push(format!("{place}: {name} has no such property")),
            }
        }
    }

    /// Type of a property and whether it may be null, from the type or one it is derived from.
    fn property(&self, name: &str, property: &str) -> Option<(String, bool)> {
        let mut current = Some(name.to_owned());
        while let Some(name) = current {
            let kind = self.0.get(&name)?;
            if let Some(found) = kind["properties"].get(property) {
                let nullable = found["nullable"].as_bool().unwrap_or(true);
                return Some((found["type"].as_str()?.to_owned(), nullable));
            }
            if let Some(found) = kind["navigation"].get(property) {
                return Some((found.as_str()?.to_owned(), true));
            }
            current = kind["base"].as_str().map(str::to_owned);
        }
        None
    }

    fn value(&self, kind: &str, nullable: bool, value: &Value, place: &str, found: &mut Vec<String>) {
        if value.is_null() {
            if !nullable {
                found.push(format!("{place}: null where {kind} is not nullable"));
            }
            return;
        }
        if let Some(element) = kind.strip_prefix("Collection(").and_then(|rest| rest.strip_suffix(')')) {
            match value.as_array() {
                Some(list) => {
                    for item in list {
                        self.value(element, false, item, place, found);
                    }
                }
                None => found.push(format!("{place}: {value} is no list of {element}")),
            }
            return;
        }
        let text = value.as_str();
        let right = match kind {
            "Edm.String" | "Edm.Binary" | "Edm.Stream" | "Edm.Duration" | "Edm.Date" | "Edm.TimeOfDay" => {
                text.is_some()
            }
            "Edm.Boolean" => value.is_boolean(),
            "Edm.Int16" | "Edm.Int32" | "Edm.Int64" => value.is_i64() || value.is_u64(),
            "Edm.Double" | "Edm.Single" | "Edm.Decimal" => value.is_number(),
            "Edm.Guid" => text.is_some_and(|text| text.parse::<uuid::Uuid>().is_ok()),
            "Edm.DateTimeOffset" => text.is_some_and(|text| text.parse::<jiff::Timestamp>().is_ok()),
            _ => {
                let name = kind.trim_start_matches("graph.");
                match self.0.get(name) {
                    None => true,
                    Some(known) if known["kind"] == "EnumType" => {
                        let members = known["members"].as_array();
                        text.is_some_and(|text| {
                            members.is_none_or(|members| members.iter().any(|member| member == text))
                        })
                    }
                    Some(_) if value.is_object() => {
                        self.entity(name, value, place, found);
                        true
                    }
                    Some(_) => false,
                }
            }
        };
        if !right {
            found.push(format!("{place}: {value} is no {kind}"));
        }
    }
}

fn is_documented(name: &str, property: &str) -> bool {
    DOCUMENTED
        .iter()
        .any(|(kind, known, _)| *kind == name && (*known == property || *known == "*"))
}

/// The type that `@odata.context` names: by the entity set's last word, or by the type itself.
fn type_of_context(context: &str) -> Option<String> {
    let (_, described) = context.split_once("$metadata#")?;
    let described = described.trim_end_matches("/$entity");
    if let Some(name) = described.strip_prefix("microsoft.graph.") {
        return Some(name.to_owned());
    }
    if let Some(name) = described
        .strip_prefix("Collection(")
        .and_then(|rest| rest.strip_suffix(')'))
    {
        return Some(name.trim_start_matches("microsoft.graph.").to_owned());
    }
    // Keys and selections stand in parentheses, whose content may hold slashes.
    let mut plain = String::new();
    let mut depth = 0;
    for letter in described.chars() {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ if depth == 0 => plain.push(letter),
            _ => {}
        }
    }
    let set = plain.rsplit('/').next()?;
    let known = match set.to_ascii_lowercase().as_str() {
        "applications" => "application",
        "serviceprincipals" => "servicePrincipal",
        "users" => "user",
        "messages" | "message" => "message",
        "mailfolders" | "childfolders" => "mailFolder",
        "attachments" => "attachment",
        "approleassignments" | "approleassignedto" => "appRoleAssignment",
        "oauth2permissiongrants" => "oAuth2PermissionGrant",
        "organization" => "organization",
        "domains" => "domain",
        "subscribedskus" => "subscribedSku",
        "licensedetails" => "licenseDetails",
        "federatedidentitycredentials" => "federatedIdentityCredential",
        "subscriptions" => "subscription",
        "mailboxsettings" => "mailboxSettings",
        _ => return None,
    };
    Some(known.to_owned())
}

#[test]
fn a_context_names_its_type() {
    for (context, name) in [
        ("x/$metadata#applications/$entity", Some("application")),
        ("x/$metadata#users('a')/messages(sender,subject)", Some("message")),
        (
            "x/$metadata#users('a')/messages('b%2F')/attachments/$entity",
            Some("attachment"),
        ),
        ("x/$metadata#microsoft.graph.keyCredential", Some("keyCredential")),
        ("x/$metadata#Collection(message)", Some("message")),
        ("x/$metadata#directoryObjects", None),
    ] {
        assert_eq!(type_of_context(context).as_deref(), name, "{context}");
    }
}

#[test]
fn a_wrong_property_or_type_is_noticed() {
    let types = Types(serde_json::json!({
        "message": {"base": "item", "properties": {
            "isRead": {"type": "Edm.Boolean", "nullable": true},
            "from": {"type": "graph.recipient", "nullable": true},
        }},
        "item": {"properties": {"id": {"type": "Edm.String", "nullable": false}}},
        "recipient": {"properties": {"name": {"type": "Edm.String", "nullable": true}}},
    }));
    let objections = |entity: Value| {
        let mut answer = entity;
        answer["@odata.context"] = "x/$metadata#messages/$entity".into();
        types.objections(&answer).len()
    };
    let right = serde_json::json!({"id": "1", "isRead": true, "from": {"name": null}});
    assert_eq!(objections(right), 0);
    for wrong in [
        serde_json::json!({"id": null}),
        serde_json::json!({"isRead": "yes"}),
        serde_json::json!({"colour": 1}),
        serde_json::json!({"from": {"colour": 1}}),
        serde_json::json!({"from": []}),
    ] {
        assert_eq!(objections(wrong.clone()), 1, "{wrong}");
    }
}
