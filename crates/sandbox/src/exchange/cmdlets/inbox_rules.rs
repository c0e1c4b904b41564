//! `-InboxRule` cmdlets: rules of a mailbox as administrators see them.
//!
//! Owns looking at rules, switching them and removing them. They are made through Graph, whose predicates the sandbox
//! knows.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::exchange::cmdlets::{Context, Outcome, Output, limited};
use crate::exchange::failure::Failure;
use crate::exchange::parameters::Parameters;
use crate::exchange::recipient;
use crate::mail::rules::MessageRule;

/// Graph's names of conditions and actions, and the cmdlet's.
const NAMES: [(&str, &str); 17] = [
    ("subjectContains", "SubjectContainsWords"),
    ("bodyContains", "BodyContainsWords"),
    ("bodyOrSubjectContains", "SubjectOrBodyContainsWords"),
    ("headerContains", "HeaderContainsWords"),
    ("senderContains", "FromAddressContainsWords"),
    ("recipientContains", "RecipientAddressContainsWords"),
    ("fromAddresses", "From"),
    ("sentToAddresses", "SentTo"),
    ("moveToFolder", "MoveToFolder"),
    ("copyToFolder", "CopyToFolder"),
    ("delete", "DeleteMessage"),
    ("forwardTo", "ForwardTo"),
    ("forwardAsAttachmentTo", "ForwardAsAttachmentTo"),
    ("redirectTo", "RedirectTo"),
    ("markAsRead", "MarkAsRead"),
    ("assignCategories", "ApplyCategory"),
    ("stopProcessingRules", "StopProcessingRules"),
];

/// People are written as `"Name" [SMTP:address]`.
fn written(value: &Value) -> Value {
    let person = |value: &Value| {
        let address = value["emailAddress"]["address"].as_str()?;
        let name = value["emailAddress"]["name"].as_str().unwrap_or(address);
        Some(Value::from(format!("\"{name}\" [SMTP:{address}]")))
    };
    match value {
        Value::Array(list) => list
            .iter()
            .map(|one| person(one).unwrap_or_else(|| one.clone()))
            .collect(),
        other => other.clone(),
    }
}

fn show(alias: &str, rule: &MessageRule) -> Value {
    let identity = format!("{alias}\\{}", rule.id);
    let mut shown = json!({
        "Name": rule.display_name,
        "Identity": identity,
        "RuleIdentity": rule.id,
        "MailboxOwnerId": alias,
        "Enabled": rule.is_enabled,
        "Priority": rule.sequence,
        "InError": rule.has_error,
        "IsValid": true,
    });
    for (theirs, ours) in NAMES {
        let value = rule.conditions.get(theirs).or_else(|| rule.actions.get(theirs));
        shown[ours] = value.map_or(Value::Null, written);
        if let Some(except) = rule.exceptions.get(theirs) {
            shown[format!("ExceptIf{ours}")] = written(except);
        }
    }
    shown
}

/// The mailbox that `-Mailbox`, or the part of `-Identity` before the backslash, names; and the rest of the identity.
fn named(context: &Context<'_>, parameters: &Parameters) -> Result<(Uuid, String, Option<String>), Failure> {
    let identity = parameters.text("Identity")?.filter(|identity| !identity.is_empty());
    let (mailbox, rule) = match (parameters.text("Mailbox")?, identity) {
        (Some(mailbox), identity) => {
            let rule = identity.map(|identity| identity.rsplit('\\').next().unwrap_or_default().to_owned());
            (mailbox, rule)
        }
        (None, Some(identity)) => match identity.split_once('\\') {
            Some((mailbox, rule)) => (mailbox.to_owned(), Some(rule.to_owned())),
            None => return Err(Failure::not_found(&identity)),
        },
        (None, None) => {
            return Err(Failure::binding(
                "Cannot process command because of one or more missing mandatory parameters: Mailbox.".to_owned(),
            ));
        }
    };
    let objects = context.tenant.read();
    let id = recipient::mailbox(context.tenant, &objects, &mailbox)?;
    let alias = objects.user_by_id(id).map(recipient::alias).unwrap_or_default();
    Ok((id, alias.to_owned(), rule))
}

fn is_called(rule: &MessageRule, wanted: &str) -> bool {
    rule.id == wanted || rule.display_name.eq_ignore_ascii_case(wanted)
}

pub fn list(context: &Context<'_>, parameters: &Parameters) -> Outcome {
    let (mailbox, alias, wanted) = named(context, parameters)?;
    let rules = context.sandbox.mail.inbox_rules(mailbox);
    let rules = rules.ok_or_else(|| Failure::not_found(&alias))?;
    let chosen = rules
        .iter()
        .filter(|rule| wanted.as_deref().is_none_or(|wanted| is_called(rule, wanted)));
    let shown: Vec<Value> = chosen.map(|rule| show(&alias, rule)).collect();
    match wanted {
        Some(wanted) if shown.is_empty() => Err(Failure::not_found(&wanted)),
        _ => limited(parameters, shown),
    }
}

/// Changes the one rule that is named.
fn change(context: &Context<'_>, parameters: &Parameters, act: impl FnOnce(&mut Vec<MessageRule>, usize)) -> Outcome {
    let (mailbox, alias, wanted) = named(context, parameters)?;
    let wanted = wanted.ok_or_else(|| {
        Failure::binding(
            "Cannot process command because of one or more missing mandatory parameters: Identity.".to_owned(),
        )
    })?;
    let changed = context.sandbox.mail.change_inbox_rules(mailbox, |rules| {
        let position = rules.iter().position(|rule| is_called(rule, &wanted));
        position.map(|position| act(rules, position))
    });
    match changed {
        Some(Some(())) => Ok(Output::nothing()),
        Some(None) => Err(Failure::not_found(&wanted)),
        None => Err(Failure::not_found(&alias)),
    }
}

pub fn enable(context: &Context<'_>, parameters: &Parameters) -> Outcome {
    change(context, parameters, |rules, position| rules[position].is_enabled = true)
}

pub fn disable(context: &Context<'_>, parameters: &Parameters) -> Outcome {
    change(context, parameters, |rules, position| {
        rules[position].is_enabled = false;
    })
}

pub fn remove(context: &Context<'_>, parameters: &Parameters) -> Outcome {
    change(context, parameters, |rules, position| {
        rules.remove(position);
    })
}
