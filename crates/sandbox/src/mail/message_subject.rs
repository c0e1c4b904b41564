//! A message as the subject of `$filter` and `$orderby`.
//!
//! Owns the property paths that mail can be filtered and ordered by.

use std::borrow::Cow;

use jiff::Timestamp;

use crate::mail::body;
use crate::mail::extended::{self, PropertyId};
use crate::mail::mailbox::Mailbox;
use crate::mail::message::{BodyKind, Message, Person, Seconds};
use crate::mail::render;
use crate::odata::filter::{Subject, Value};

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
            "body/contenttype" => borrowed(match body::native(message).kind {
                BodyKind::Text => "text",
                BodyKind::Html => "html",
            }),
            "isread" => Value::Bool(message.is_read),
            "isdraft" => Value::Bool(message.is_draft),
            "hasattachments" => Value::Bool(message.has_attachments),
            "isreadreceiptrequested" => Value::Bool(message.read_receipt),
            "isdeliveryreceiptrequested" => Value::Bool(message.delivery_receipt),
            "importance" => borrowed(render::importance(message.importance)),
            "inferenceclassification" => borrowed(render::inference(message.inference)),
            "flag/flagstatus" => borrowed(render::flag_status(
                message.flag.as_ref().map(|flag| flag.status).unwrap_or_default(),
            )),
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

    /// The values kept on the message, and its Message-ID, which clients look for under its MAPI name.
    fn extended(&self) -> Vec<Box<dyn Subject + '_>> {
        let own = [extended::TAG_MESSAGE_ID].into_iter().filter_map(|tag| {
            let id = PropertyId::parse(&format!("String 0x{tag:x}")).ok()?;
            Some((id.case_free(), extended::value_of(self.message, &id)?))
        });
        let kept = self
            .message
            .extended
            .iter()
            .map(|kept| (kept.id.case_free(), kept.value.to_string()));
        own.chain(kept)
            .map(|(id, value)| Box::new(PropertyItem { id, value }) as Box<dyn Subject>)
            .collect()
    }
}

fn text(value: String) -> Value<'static> {
    Value::Text(Cow::Owned(value))
}

fn borrowed(value: &str) -> Value<'_> {
    Value::Text(Cow::Borrowed(value))
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

struct PropertyItem {
    /// In the spelling that does not depend on case.
    id: String,
    value: String,
}

impl Subject for PropertyItem {
    fn value(&self, path: &str) -> Option<Value<'_>> {
        match path {
            "id" => Some(borrowed(&self.id)),
            "value" => Some(borrowed(&self.value)),
            _ => None,
        }
    }

    fn items(&self, _path: &str) -> Option<Vec<Box<dyn Subject + '_>>> {
        None
    }
}
