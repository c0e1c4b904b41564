//! Extended properties: values that a client keeps on a message under its own name, or MAPI's own; one value, or
//! several where the type is an array.
//!
//! Owns the three id forms (`String 0x1042`, `Integer {set} Name X`, `Integer {set} Id 0x8012`), their canonical
//! spelling, and the MAPI properties that follow from the message itself. Names keep their case; type names, set ids
//! and hexadecimal numbers do not depend on it.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::mail::message::Message;
use crate::odata::error::ODataError;

/// Type names of MAPI that Graph accepts, canonical spelling.
const TYPES: [&str; 27] = [
    "ApplicationTime",
    "ApplicationTimeArray",
    "Binary",
    "BinaryArray",
    "Boolean",
    "CLSID",
    "CLSIDArray",
    "Currency",
    "CurrencyArray",
    "Double",
    "DoubleArray",
    "Error",
    "Float",
    "FloatArray",
    "Integer",
    "IntegerArray",
    "Long",
    "LongArray",
    "Null",
    "Object",
    "ObjectArray",
    "Short",
    "ShortArray",
    "String",
    "StringArray",
    "SystemTime",
    "SystemTimeArray",
];

/// Message-ID of the mail this one answers (PidTagInReplyToId).
pub const TAG_IN_REPLY_TO: u16 = 0x1042;
/// Ancestors (PidTagInternetReferences).
pub const TAG_REFERENCES: u16 = 0x1039;
/// The message's own Message-ID (PidTagInternetMessageId).
pub const TAG_MESSAGE_ID: u16 = 0x1035;
const TAG_SIZE: u16 = 0x0e08;
const TAG_TRANSPORT_HEADERS: u16 = 0x007d;
const TAG_SUBJECT: u16 = 0x0037;

/// Properties one message may carry; Exchange's own bound is on named properties per mailbox (16,000).
pub const MAX_PROPERTIES: usize = 1_000;

/// Which value of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PropertyId {
    kind: &'static str,
    key: Key,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Key {
    Tag(u16),
    Name(Uuid, Box<str>),
    Number(Uuid, u32),
}

/// A value kept on a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExtendedProperty {
    pub id: PropertyId,
    /// The value as text; of an array type, the JSON of its values.
    pub value: Box<str>,
}

impl PropertyId {
    /// Reads any of the three forms; 400 otherwise.
    pub fn parse(text: &str) -> Result<Self, ODataError> {
        Self::read(text).ok_or_else(|| {
            ODataError::bad_request(format!(
                "The extended property id '{text}' is not valid; use 'String {{guid}} Name X'."
            ))
        })
    }

    fn read(text: &str) -> Option<Self> {
        let (kind, rest) = text.trim().split_once(char::is_whitespace)?;
        let kind = TYPES.iter().find(|known| known.eq_ignore_ascii_case(kind)).copied()?;
        let rest = rest.trim_start();
        let Some(rest) = rest.strip_prefix('{') else {
            let tag = u16::try_from(hexadecimal(rest.trim_end())?).ok()?;
            return Some(Self {
                kind,
                key: Key::Tag(tag),
            });
        };
        let (set, rest) = rest.split_once('}')?;
        let set = Uuid::parse_str(set.trim()).ok()?;
        let (word, name) = rest.trim_start().split_once(char::is_whitespace)?;
        let key = if word.eq_ignore_ascii_case("name") {
            Key::Name(set, name.trim_start().into())
        } else if word.eq_ignore_ascii_case("id") {
            Key::Number(set, hexadecimal(name.trim()).or_else(|| name.trim().parse().ok())?)
        } else {
            return None;
        };
        Some(Self { kind, key })
    }

    /// Whether it holds several values.
    #[must_use]
    pub fn is_array(&self) -> bool {
        self.kind.ends_with("Array")
    }

    /// Whether this is the MAPI property `tag`.
    #[must_use]
    pub fn is_tag(&self, tag: u16) -> bool {
        self.key == Key::Tag(tag)
    }

    /// The same property; the type name of a request does not have to repeat that of the value.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        self.key == other.key
    }

    /// A spelling in which case carries no meaning, for filters that ignore case: names are written as hexadecimal.
    #[must_use]
    pub fn case_free(&self) -> String {
        match &self.key {
            Key::Name(set, name) => {
                let name: String = name.bytes().map(|byte| format!("{byte:02x}")).collect();
                format!("{{{set}}} name {name}")
            }
            Key::Tag(tag) => format!("0x{tag:x}"),
            Key::Number(set, number) => format!("{{{set}}} id 0x{number:x}"),
        }
    }
}

impl Serialize for PropertyId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PropertyId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::read(&text).ok_or_else(|| serde::de::Error::custom(format!("'{text}' is no id of an extended property")))
    }
}

impl fmt::Display for PropertyId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.key {
            Key::Tag(tag) => write!(formatter, "{} 0x{tag:x}", self.kind),
            Key::Name(set, name) => write!(formatter, "{} {{{set}}} Name {name}", self.kind),
            Key::Number(set, number) => write!(formatter, "{} {{{set}}} Id 0x{number:x}", self.kind),
        }
    }
}

fn hexadecimal(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"))?;
    u32::from_str_radix(digits, 16).ok()
}

/// The properties that follow from a message, besides those a client keeps on it.
pub fn derived() -> impl Iterator<Item = PropertyId> {
    [
        ("String", TAG_MESSAGE_ID),
        ("String", TAG_IN_REPLY_TO),
        ("String", TAG_REFERENCES),
        ("String", TAG_SUBJECT),
        ("String", TAG_TRANSPORT_HEADERS),
        ("Integer", TAG_SIZE),
    ]
    .into_iter()
    .map(|(kind, tag)| PropertyId {
        kind,
        key: Key::Tag(tag),
    })
}

/// The value of a property of a message: kept by a client, or following from the message.
#[must_use]
pub fn value_of(message: &Message, id: &PropertyId) -> Option<String> {
    if let Some(kept) = message.extended.iter().find(|property| property.id.same(id)) {
        return Some(kept.value.to_string());
    }
    match id.key {
        Key::Tag(TAG_SIZE) => Some(message.size.to_string()),
        Key::Tag(TAG_MESSAGE_ID) => Some(message.internet_message_id.to_string()),
        Key::Tag(TAG_SUBJECT) => Some(message.subject.to_string()),
        Key::Tag(TAG_TRANSPORT_HEADERS) => crate::mail::mime::transport_headers(message),
        Key::Tag(TAG_IN_REPLY_TO) => crate::mail::mime::ancestry(message).in_reply_to.into_iter().next(),
        Key::Tag(TAG_REFERENCES) => {
            let references = crate::mail::mime::ancestry(message).references;
            (!references.is_empty()).then(|| references.join(" "))
        }
        Key::Tag(_) | Key::Name(..) | Key::Number(..) => None,
    }
}

/// Sets or replaces a value; an empty list of arguments changes nothing.
pub fn set(properties: &mut Vec<ExtendedProperty>, incoming: Vec<ExtendedProperty>) -> Result<(), ODataError> {
    for property in incoming {
        match properties.iter().position(|kept| kept.id.same(&property.id)) {
            Some(at) => properties[at] = property,
            None if properties.len() >= MAX_PROPERTIES => {
                return Err(ODataError::bad_request(format!(
                    "A message carries at most {MAX_PROPERTIES} extended properties."
                )));
            }
            None => properties.push(property),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_in_every_form_and_written_canonically() {
        let long = PropertyId::parse("LONG 0x0E08").unwrap();
        assert_eq!(long.to_string(), "Long 0xe08");
        let named = PropertyId::parse("string {66F5A359-4659-4830-9070-00047EC6AC6E} name Color").unwrap();
        assert_eq!(
            named.to_string(),
            "String {66f5a359-4659-4830-9070-00047ec6ac6e} Name Color"
        );
        let numbered = PropertyId::parse("Integer {66f5a359-4659-4830-9070-00047ec6ac6e} Id 0x8012").unwrap();
        assert_eq!(PropertyId::parse(&numbered.to_string()).unwrap(), numbered);
        for bad in [
            "",
            "String",
            "Nothing 0x1",
            "String 1042",
            "String {x} Name a",
            "String {66f5a359-4659-4830-9070-00047ec6ac6e}",
        ] {
            assert!(PropertyId::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_differ_by_case_even_where_case_is_ignored() {
        let upper = PropertyId::parse("String {66f5a359-4659-4830-9070-00047ec6ac6e} Name Color").unwrap();
        let lower = PropertyId::parse("String {66f5a359-4659-4830-9070-00047ec6ac6e} Name color").unwrap();
        assert!(!upper.same(&lower));
        assert!(!upper.case_free().eq_ignore_ascii_case(&lower.case_free()));
    }
}
