//! What a rich notification carries of the message.
//!
//! Owns the rules for its selection (contract §3: `$select` is a must, without bodies) and the spelling of the
//! decrypted document, which names the types that JSON cannot tell (`contract/examples/notification-rich*`).

use serde_json::{Map, Value};

use crate::mail::ids::IdForm;
use crate::mail::mailbox::{Change, Mailbox};
use crate::mail::permissions::Depth;
use crate::mail::preferences::Preferences;
use crate::mail::properties::Property;
use crate::mail::render::{self, View};
use crate::mail::view_options;
use crate::notify::validate::invalid;
use crate::odata::error::ODataError;
use crate::odata::query::QueryOptions;

/// The view that a subscription with resource data asks for.
pub fn view(options: &QueryOptions, form: IdForm, depth: Depth) -> Result<View, ODataError> {
    if options.select.as_ref().is_none_or(Vec::is_empty) {
        return Err(invalid(
            "A subscription with resource data must name the properties in $select of its resource.",
        ));
    }
    let names = options.select.iter().flatten();
    if names.clone().any(|name| name.trim() == "*") {
        return Err(invalid(
            "$select=* is not supported in a subscription with resource data.",
        ));
    }
    let view = view_options::view(options, &Preferences::with_form(form), depth)?;
    if view.selection.has(Property::Body) || view.selection.has(Property::UniqueBody) {
        return Err(invalid(
            "The properties 'body' and 'uniqueBody' are not supported in a subscription with resource data.",
        ));
    }
    Ok(view)
}

/// The document before it is encrypted; none when the message is gone.
#[must_use]
pub fn document(mailbox: &Mailbox, change: &Change, view: &View, path: &str, id: &str) -> Option<Value> {
    let message = mailbox.get(change.item)?;
    let shown = render::message(mailbox, message, view);
    let mut document = Map::new();
    document.insert("@odata.type".to_owned(), "#microsoft.graph.message".into());
    document.insert("@odata.id".to_owned(), path.into());
    for (name, mut value) in shown {
        if name == "id" {
            continue;
        }
        if let Some(kind) = kind_of(&name) {
            annotate(&mut document, &name, kind, &mut value);
        }
        document.insert(name, value);
    }
    document.insert("id".to_owned(), id.into());
    Some(document.into())
}

/// How a property's type is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Beside the property.
    Plain(&'static str),
    /// Inside the object.
    Object(&'static str),
    /// Beside the property, and inside each element.
    List(&'static str, &'static str),
}

fn kind_of(name: &str) -> Option<Kind> {
    Some(match name {
        "createdDateTime" | "lastModifiedDateTime" | "receivedDateTime" | "sentDateTime" => {
            Kind::Plain("#DateTimeOffset")
        }
        "importance" => Kind::Plain("#microsoft.graph.importance"),
        "inferenceClassification" => Kind::Plain("#microsoft.graph.inferenceClassificationType"),
        "conversationIndex" => Kind::Plain("#Binary"),
        "categories" => Kind::Plain("#Collection(String)"),
        "from" | "sender" => Kind::Object("#microsoft.graph.recipient"),
        "flag" => Kind::Object("#microsoft.graph.followupFlag"),
        "toRecipients" | "ccRecipients" | "bccRecipients" | "replyTo" => {
            Kind::List("#Collection(microsoft.graph.recipient)", "#microsoft.graph.recipient")
        }
        "internetMessageHeaders" => Kind::List(
            "#Collection(microsoft.graph.internetMessageHeader)",
            "#microsoft.graph.internetMessageHeader",
        ),
        _ => return None,
    })
}

fn annotate(document: &mut Map<String, Value>, name: &str, kind: Kind, value: &mut Value) {
    match kind {
        Kind::Plain(kind) => {
            document.insert(format!("{name}@odata.type"), kind.into());
        }
        Kind::Object(kind) => typed(value, kind),
        Kind::List(kind, element) => {
            document.insert(format!("{name}@odata.type"), kind.into());
            for item in value.as_array_mut().into_iter().flatten() {
                typed(item, element);
            }
        }
    }
}

/// Puts the type first, and into the address of a recipient.
fn typed(value: &mut Value, kind: &'static str) {
    let Value::Object(members) = value else { return };
    if let Some(address) = members.get_mut("emailAddress") {
        typed(address, "#microsoft.graph.emailAddress");
    }
    for (name, kind) in [
        ("startDateTime", "#microsoft.graph.dateTimeTimeZone"),
        ("dueDateTime", "#microsoft.graph.dateTimeTimeZone"),
        ("completedDateTime", "#microsoft.graph.dateTimeTimeZone"),
    ] {
        if let Some(moment) = members.get_mut(name) {
            typed(moment, kind);
        }
    }
    let mut with_type = Map::new();
    with_type.insert("@odata.type".to_owned(), kind.into());
    with_type.append(members);
    *members = with_type;
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn recipients_name_their_types_as_documented() {
        let mut value = json!({"emailAddress": {"name": "A", "address": "a@x"}});
        let mut document = Map::new();
        annotate(&mut document, "from", kind_of("from").unwrap(), &mut value);
        assert_eq!(
            value,
            json!({
                "@odata.type": "#microsoft.graph.recipient",
                "emailAddress": {"@odata.type": "#microsoft.graph.emailAddress", "name": "A", "address": "a@x"},
            })
        );
        assert!(document.is_empty());
    }

    #[test]
    fn plain_text_needs_no_type() {
        assert!(kind_of("subject").is_none() && kind_of("isRead").is_none());
        assert_eq!(kind_of("receivedDateTime"), Some(Kind::Plain("#DateTimeOffset")));
    }
}
