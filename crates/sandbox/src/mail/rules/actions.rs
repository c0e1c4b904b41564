//! Actions of inbox rules (`messageRuleActions`).
//!
//! Owns the form of actions and the plan that the rules of a mailbox make for one mail: rules run in order of their
//! sequence, and the first that says so ends the run. A plan changes nothing by itself.

use serde_json::{Map, Value, json};

use crate::mail::fields::Fields;
use crate::mail::message::{Importance, Person};
use crate::mail::message_input;
use crate::mail::refusal;
use crate::mail::rules::MessageRule;
use crate::mail::rules::facts::Facts;
use crate::mail::rules::predicates::{addresses, all_hold, any_holds, one_of};
use crate::odata::error::ODataError;

/// Addresses of one action.
const MAX_TARGETS: usize = 500;

/// Reads actions as a client writes them. Folder ids are not looked up here.
pub fn read(fields: Fields<'_>) -> Result<Map<String, Value>, ODataError> {
    let mut read = Map::new();
    for written in fields.names() {
        let Some(value) = fields.get(written) else { continue };
        let (name, value) = match written.to_ascii_lowercase().as_str() {
            "assigncategories" => {
                let list = fields.list(written)?.unwrap_or_default();
                if list.iter().any(|entry| entry.as_str().is_none_or(str::is_empty)) {
                    return Err(refusal::bad_property(written, "a collection of strings"));
                }
                ("assignCategories", list.to_vec().into())
            }
            "copytofolder" => ("copyToFolder", fields.required_text(written)?.into()),
            "movetofolder" => ("moveToFolder", fields.required_text(written)?.into()),
            "delete" => ("delete", fields.boolean(written)?.into()),
            "markasread" => ("markAsRead", fields.boolean(written)?.into()),
            "permanentdelete" => ("permanentDelete", fields.boolean(written)?.into()),
            "stopprocessingrules" => ("stopProcessingRules", fields.boolean(written)?.into()),
            "markimportance" => ("markImportance", one_of(value, written, &["low", "normal", "high"])?),
            "forwardto" => ("forwardTo", targets(fields, written)?),
            "forwardasattachmentto" => ("forwardAsAttachmentTo", targets(fields, written)?),
            "redirectto" => ("redirectTo", targets(fields, written)?),
            _ => return Err(refusal::unknown_property(written, "messageRuleActions")),
        };
        read.insert(name.to_owned(), value);
    }
    Ok(read)
}

fn targets(fields: Fields<'_>, name: &str) -> Result<Value, ODataError> {
    let list = message_input::recipients(fields.list(name)?, name)?.unwrap_or_default();
    people(&list, name)
}

/// People as Graph shows them; each has an address.
pub fn people(list: &[Person], name: &str) -> Result<Value, ODataError> {
    if list.is_empty() || list.len() > MAX_TARGETS {
        return Err(refusal::bad_property(name, "a collection of 1 to 500 recipients"));
    }
    list.iter()
        .map(|person| {
            if !person.address.contains('@') {
                return Err(refusal::bad_recipient(&person.address));
            }
            let shown = if person.name.is_empty() {
                &person.address
            } else {
                &person.name
            };
            Ok(json!({"emailAddress": {"name": shown, "address": person.address}}))
        })
        .collect::<Result<Vec<_>, _>>()
        .map(Value::from)
}

/// What is left of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fate {
    #[default]
    Kept,
    /// In Deleted Items.
    Deleted,
    /// Nowhere.
    Erased,
}

/// What the rules of a mailbox do with one mail.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Plan {
    /// Folder id as the rule has it; the last rule that moves wins.
    pub move_to: Option<String>,
    pub copy_to: Vec<String>,
    pub fate: Fate,
    pub mark_read: bool,
    pub importance: Option<Importance>,
    pub categories: Vec<String>,
    pub forward: Vec<String>,
    pub forward_as_attachment: Vec<String>,
    pub redirect: Vec<String>,
}

/// Lets the rules look at a mail.
#[must_use]
pub fn plan(rules: &[MessageRule], facts: &Facts<'_>) -> Plan {
    let mut plan = Plan::default();
    for rule in rules {
        let fires = rule.is_enabled
            && !rule.has_error
            && all_hold(&rule.conditions, facts)
            && !any_holds(&rule.exceptions, facts);
        if !fires {
            continue;
        }
        add(&mut plan, &rule.actions);
        if rule.actions.get("stopProcessingRules") == Some(&Value::Bool(true)) {
            break;
        }
    }
    plan
}

fn add(plan: &mut Plan, actions: &Map<String, Value>) {
    let text = |name: &str| actions.get(name).and_then(Value::as_str);
    let is = |name: &str| actions.get(name).and_then(Value::as_bool).unwrap_or_default();
    let people = |name: &str| actions.get(name).map(addresses).unwrap_or_default();
    if let Some(folder) = text("moveToFolder") {
        plan.move_to = Some(folder.to_owned());
    }
    plan.copy_to.extend(text("copyToFolder").map(str::to_owned));
    if is("permanentDelete") {
        plan.fate = Fate::Erased;
    } else if is("delete") && plan.fate == Fate::Kept {
        plan.fate = Fate::Deleted;
    }
    plan.mark_read |= is("markAsRead");
    plan.importance = match text("markImportance") {
        Some("low") => Some(Importance::Low),
        Some("normal") => Some(Importance::Normal),
        Some("high") => Some(Importance::High),
        _ => plan.importance,
    };
    let categories = actions.get("assignCategories").and_then(Value::as_array);
    for category in categories.into_iter().flatten().filter_map(Value::as_str) {
        if !plan.categories.iter().any(|known| known == category) {
            plan.categories.push(category.to_owned());
        }
    }
    plan.forward.extend(people("forwardTo"));
    plan.forward_as_attachment.extend(people("forwardAsAttachmentTo"));
    plan.redirect.extend(people("redirectTo"));
}
