//! A message as the subject of `$filter` and `$orderby`.
//!
//! Owns the property paths that mail can be filtered and ordered by.

use std::borrow::Cow;

use jiff::Timestamp;

use crate::mail::body;
use crate::mail::draft::{self, Making};
use crate::mail::extended::{self, PropertyId};
use crate::mail::mailbox::Mailbox;
use crate::mail::message::{BodyKind, Message, Person, Seconds};
use crate::mail::render;
use crate::odata::filter::{Subject, Value};

/// A message that has a value for everything a filter can name: filters are judged by it.
#[must_use]
pub fn example() -> Message {
    let mut message = draft::blank(Making {
        at: 0,
        message_id: "<example@sandbox.invalid>".to_owned(),
        conversation: [0; 16],
    });
    let person = Person {
        name: "Example".into(),
        address: "example@sandbox.invalid".into(),
    };
    let people = &mut message.people;
    people.from = Some(Box::new(person.clone()));
    for list in [&mut people.to, &mut people.cc, &mut people.bcc, &mut people.reply_to] {
        *list = [person.clone()].into();
    }
    message.categories = ["Example".to_owned()].into();
    message
}

/// A message within its mailbox.
pub struct MessageSubject<'a> {
    pub mailbox: &'a Mailbox,
    pub message: &'a Message,
}

impl Subject for MessageSubject<'_> {
    fn value(&self, path: &str) -> Option<Value<'_>> {
        let message = self.message;
        Some(match path {
            "id" => text(
                self.mailbox
                    .codec
                    .message(crate::mail::ids::IdForm::Default, message.key, message.place()),
            ),
            "subject" => borrowed(&message.subject),
            "bodypreview" => borrowed(&message.preview),
            "body/content" => text(body::native(message).content),
            "body/contenttype" => member(
                &["text", "html"],
                match body::native(message).kind {
                    BodyKind::Text => "text",
                    BodyKind::Html => "html",
                },
            ),
            "isread" => Value::Bool(message.is_read),
            "isdraft" => Value::Bool(message.is_draft),
            "hasattachments" => Value::Bool(message.has_attachments),
            "isreadreceiptrequested" => Value::Bool(message.read_receipt),
            "isdeliveryreceiptrequested" => Value::Bool(message.delivery_receipt),
            "importance" => member(&["low", "normal", "high"], render::importance(message.importance)),
            "inferenceclassification" => member(&["focused", "other"], render::inference(message.inference)),
            "flag/flagstatus" => member(
                &["notFlagged", "complete", "flagged"],
                render::flag_status(message.flag.as_ref().map(|flag| flag.status).unwrap_or_default()),
            ),
            "receiveddatetime" => moment(message.received),
            "sentdatetime" => moment(message.sent),
            "createddatetime" => moment(message.created),
            "lastmodifieddatetime" => moment(message.modified),
            "internetmessageid" => borrowed(&message.internet_message_id),
            "conversationid" => text(self.mailbox.codec.conversation(&message.conversation)),
            "parentfolderid" => text(self.mailbox.codec.folder(message.folder)),
            "changekey" => text(self.mailbox.codec.change_key(message.change)),
            "size" => Value::Int(i64::from(message.size)),
            _ => return self.person(path),
        })
    }

    fn items(&self, path: &str) -> Option<Vec<Box<dyn Subject + '_>>> {
        let people = &self.message.people;
        match path {
            "torecipients" => Some(persons(&people.to)),
            "ccrecipients" => Some(persons(&people.cc)),
            "bccrecipients" => Some(persons(&people.bcc)),
            "replyto" => Some(persons(&people.reply_to)),
            "categories" => Some(
                self.message
                    .categories
                    .iter()
                    .map(|text| Box::new(TextItem(text)) as Box<dyn Subject>)
                    .collect(),
            ),
            "singlevalueextendedproperties" => Some(self.extended()),
            _ => None,
        }
    }
}

impl MessageSubject<'_> {
    fn person(&self, path: &str) -> Option<Value<'_>> {
        let (role, rest) = path.split_once('/')?;
        let person = match role {
            "from" => self.message.people.from.as_deref(),
            "sender" => self.message.people.shown_sender(),
            _ => return None,
        };
        match person {
            Some(person) => person_value(person, rest),
            None => matches!(rest, "emailaddress/address" | "emailaddress/name").then_some(Value::Null),
        }
    }

    /// The values kept on the message, and those that follow from it, which clients look for under their MAPI names.
    fn extended(&self) -> Vec<Box<dyn Subject + '_>> {
        let message = self.message;
        let kept = message.extended.iter().map(|kept| kept.id.clone());
        extended::derived()
            .filter(|id| !message.extended.iter().any(|kept| kept.id.same(id)))
            .chain(kept)
            .map(|id| {
                let spelled = id.case_free();
                Box::new(PropertyItem { message, id, spelled }) as Box<dyn Subject>
            })
            .collect()
    }
}

fn text(value: String) -> Value<'static> {
    Value::Text(Cow::Owned(value))
}

fn borrowed(value: &str) -> Value<'_> {
    Value::Text(Cow::Borrowed(value))
}

fn member(members: &'static [&'static str], name: &str) -> Value<'static> {
    let place = members.iter().position(|member| *member == name).unwrap_or_default();
    Value::Member(place, members)
}

fn moment(seconds: Seconds) -> Value<'static> {
    Value::Time(Timestamp::from_second(seconds).unwrap_or_default())
}

fn persons(list: &[Person]) -> Vec<Box<dyn Subject + '_>> {
    list.iter()
        .map(|person| Box::new(PersonItem(person)) as Box<dyn Subject>)
        .collect()
}

fn person_value<'a>(person: &'a Person, path: &str) -> Option<Value<'a>> {
    match path {
        "emailaddress/address" => Some(borrowed(&person.address)),
        "emailaddress/name" => Some(borrowed(&person.name)),
        _ => None,
    }
}

struct PersonItem<'a>(&'a Person);

impl Subject for PersonItem<'_> {
    fn value(&self, path: &str) -> Option<Value<'_>> {
        person_value(self.0, path)
    }

    fn items(&self, _path: &str) -> Option<Vec<Box<dyn Subject + '_>>> {
        None
    }
}

struct TextItem<'a>(&'a str);

impl Subject for TextItem<'_> {
    fn value(&self, path: &str) -> Option<Value<'_>> {
        path.is_empty().then(|| borrowed(self.0))
    }

    fn items(&self, _path: &str) -> Option<Vec<Box<dyn Subject + '_>>> {
        None
    }
}

/// An extended property; its value may have to be read from the MIME and is, when a filter comes to it.
struct PropertyItem<'a> {
    message: &'a Message,
    id: PropertyId,
    /// In the spelling that does not depend on case.
    spelled: String,
}

impl Subject for PropertyItem<'_> {
    fn value(&self, path: &str) -> Option<Value<'_>> {
        match path {
            "id" => Some(borrowed(&self.spelled)),
            "value" => Some(extended::value_of(self.message, &self.id).map_or(Value::Null, text)),
            _ => None,
        }
    }

    fn items(&self, _path: &str) -> Option<Vec<Box<dyn Subject + '_>>> {
        None
    }
}
