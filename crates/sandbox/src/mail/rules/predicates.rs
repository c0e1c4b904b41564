//! Conditions and exceptions of inbox rules (`messageRulePredicates`).
//!
//! Owns which predicates exist, the form of their values, and their judgement. All predicates of a rule must hold; of
//! a list of texts or addresses one suffices. Comparisons ignore case. `false` asks for nothing, as at Exchange.

use serde_json::{Map, Value};

use crate::mail::fields::Fields;
use crate::mail::message::{Importance, Person};
use crate::mail::message_input;
use crate::mail::refusal;
use crate::mail::rules::facts::Facts;
use crate::odata::error::ODataError;

/// Entries of one list.
const MAX_ENTRIES: usize = 500;

/// How a predicate's value is written.
enum Form {
    Texts,
    People,
    Flag,
    Importance,
    Sensitivity,
    Size,
    /// Microsoft has it and the sandbox cannot tell it of a mail.
    Unknown,
}

fn form(name: &str) -> Option<(&'static str, Form)> {
    const KNOWN: [(&str, Form); 29] = [
        ("bodyContains", Form::Texts),
        ("bodyOrSubjectContains", Form::Texts),
        ("categories", Form::Texts),
        ("fromAddresses", Form::People),
        ("hasAttachments", Form::Flag),
        ("headerContains", Form::Texts),
        ("importance", Form::Importance),
        ("isApprovalRequest", Form::Unknown),
        ("isAutomaticForward", Form::Flag),
        ("isAutomaticReply", Form::Flag),
        ("isEncrypted", Form::Flag),
        ("isMeetingRequest", Form::Flag),
        ("isMeetingResponse", Form::Flag),
        ("isNonDeliveryReport", Form::Flag),
        ("isPermissionControlled", Form::Unknown),
        ("isReadReceipt", Form::Flag),
        ("isSigned", Form::Flag),
        ("isVoicemail", Form::Unknown),
        ("messageActionFlag", Form::Unknown),
        ("notSentToMe", Form::Flag),
        ("recipientContains", Form::Texts),
        ("senderContains", Form::Texts),
        ("sensitivity", Form::Sensitivity),
        ("sentCcMe", Form::Flag),
        ("sentOnlyToMe", Form::Flag),
        ("sentToAddresses", Form::People),
        ("sentToMe", Form::Flag),
        ("sentToOrCcMe", Form::Flag),
        ("subjectContains", Form::Texts),
    ];
    if name.eq_ignore_ascii_case("withinSizeRange") {
        return Some(("withinSizeRange", Form::Size));
    }
    KNOWN.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name))
}

/// Reads predicates as a client writes them; what is null or empty is left out.
pub fn read(fields: Fields<'_>) -> Result<Map<String, Value>, ODataError> {
    let mut read = Map::new();
    for written in fields.names() {
        let (name, form) = form(written).ok_or_else(|| refusal::unknown_property(written, "messageRulePredicates"))?;
        let Some(value) = fields.get(written) else { continue };
        let value = match form {
            Form::Texts => texts(fields.list(written)?.unwrap_or_default(), name)?,
            Form::People => {
                let people = message_input::recipients(fields.list(written)?, name)?.unwrap_or_default();
                super::actions::people(&people, name)?
            }
            Form::Flag => fields.boolean(written)?.unwrap_or_default().into(),
            Form::Importance => one_of(value, name, &["low", "normal", "high"])?,
            Form::Sensitivity => one_of(value, name, &["normal", "personal", "private", "confidential"])?,
            Form::Size => size_range(
                fields
                    .object(written)?
                    .ok_or_else(|| refusal::bad_property(name, "a sizeRange"))?,
            )?,
            Form::Unknown => return Err(ODataError::unsupported(format_args!("the rule condition {name}"))),
        };
        read.insert(name.to_owned(), value);
    }
    Ok(read)
}

fn texts(list: &[Value], name: &str) -> Result<Value, ODataError> {
    if list.len() > MAX_ENTRIES {
        return Err(refusal::bad_property(name, "a collection of at most 500 entries"));
    }
    let valid = list
        .iter()
        .all(|value| value.as_str().is_some_and(|text| !text.trim().is_empty()));
    if valid && !list.is_empty() {
        Ok(list.to_vec().into())
    } else {
        Err(refusal::bad_property(
            name,
            "a collection of strings that are not empty",
        ))
    }
}

/// One of the members of an enumeration, in its canonical spelling.
pub fn one_of(value: &Value, name: &str, members: &[&str]) -> Result<Value, ODataError> {
    value
        .as_str()
        .and_then(|text| members.iter().find(|member| member.eq_ignore_ascii_case(text)))
        .map(|member| Value::from(*member))
        .ok_or_else(|| refusal::bad_property(name, &format!("one of {}", members.join(", "))))
}

fn size_range(fields: Fields<'_>) -> Result<Value, ODataError> {
    fields.only(&["minimumSize", "maximumSize"], "sizeRange")?;
    let mut range = Map::new();
    for name in ["minimumSize", "maximumSize"] {
        if let Some(value) = fields.get(name) {
            let size = value
                .as_u64()
                .filter(|size| i32::try_from(*size).is_ok())
                .ok_or_else(|| refusal::bad_property(name, "a size in kilobytes"))?;
            range.insert(name.to_owned(), size.into());
        }
    }
    Ok(range.into())
}

/// Whether all predicates hold.
#[must_use]
pub fn all_hold(predicates: &Map<String, Value>, facts: &Facts<'_>) -> bool {
    predicates.iter().all(|(name, value)| holds(name, value, facts))
}

/// Whether one of the predicates holds; none of none does.
#[must_use]
pub fn any_holds(predicates: &Map<String, Value>, facts: &Facts<'_>) -> bool {
    predicates
        .iter()
        .any(|(name, value)| *value != Value::Bool(false) && holds(name, value, facts))
}

fn holds(name: &str, value: &Value, facts: &Facts<'_>) -> bool {
    let message = facts.message;
    let contains = |text: &str| {
        let text = text.to_lowercase();
        entries(value).any(|part| text.contains(&part))
    };
    let people_contain = |people: &[Person]| {
        people
            .iter()
            .any(|person| contains(&format!("{} {}", person.name, person.address)))
    };
    let among = |first: &[Person], second: &[Person]| {
        let wanted: Vec<String> = addresses(value);
        first.iter().chain(second).any(|person| {
            wanted
                .iter()
                .any(|address| address.eq_ignore_ascii_case(&person.address))
        })
    };
    let to_me = facts.is_addressed_to_owner(&message.people.to);
    let cc_me = facts.is_addressed_to_owner(&message.people.cc);
    let flag = |is: bool| !value.as_bool().unwrap_or_default() || is;
    match name {
        "bodyContains" => contains(facts.body()),
        "subjectContains" => contains(&message.subject),
        "bodyOrSubjectContains" => contains(&message.subject) || contains(facts.body()),
        "headerContains" => contains(facts.headers()),
        "categories" => message
            .categories
            .iter()
            .any(|category| entries(value).any(|wanted| wanted == category.to_lowercase())),
        "senderContains" => people_contain(one(message.people.from.as_deref())),
        "recipientContains" => people_contain(&message.people.to) || people_contain(&message.people.cc),
        "fromAddresses" => among(
            one(message.people.from.as_deref()),
            one(message.people.sender.as_deref()),
        ),
        "sentToAddresses" => among(&message.people.to, &message.people.cc),
        "importance" => {
            value.as_str()
                == Some(match message.importance {
                    Importance::Low => "low",
                    Importance::Normal => "normal",
                    Importance::High => "high",
                })
        }
        "sensitivity" => value.as_str() == Some(facts.sensitivity()),
        "withinSizeRange" => {
            let kilobytes = u64::from(message.size).div_ceil(1024);
            value["minimumSize"].as_u64().is_none_or(|least| kilobytes >= least)
                && value["maximumSize"].as_u64().is_none_or(|most| kilobytes <= most)
        }
        "hasAttachments" => flag(message.has_attachments),
        "isAutomaticForward" => flag(facts.is_automatic_forward()),
        "isAutomaticReply" => flag(facts.is_automatic_reply()),
        "isEncrypted" => flag(facts.is_encrypted()),
        "isMeetingRequest" => flag(facts.calendar_method() == Some("request")),
        "isMeetingResponse" => flag(facts.calendar_method() == Some("reply")),
        "isNonDeliveryReport" => flag(facts.is_report("delivery-status")),
        "isReadReceipt" => flag(facts.is_report("disposition-notification")),
        "isSigned" => flag(facts.is_signed()),
        "notSentToMe" => flag(!to_me),
        "sentToMe" => flag(to_me),
        "sentCcMe" => flag(cc_me),
        "sentToOrCcMe" => flag(to_me || cc_me),
        "sentOnlyToMe" => flag(to_me && message.people.to.len() == 1 && message.people.cc.is_empty()),
        // Nothing else is ever read in; a rule from elsewhere must not fire by mistake.
        _ => false,
    }
}

fn one(person: Option<&Person>) -> &[Person] {
    person.map(std::slice::from_ref).unwrap_or_default()
}

fn entries(value: &Value) -> impl Iterator<Item = String> + '_ {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_lowercase)
}

/// The addresses of a list of recipients.
#[must_use]
pub fn addresses(value: &Value) -> Vec<String> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|person| person["emailAddress"]["address"].as_str())
        .map(str::to_owned)
        .collect()
}
