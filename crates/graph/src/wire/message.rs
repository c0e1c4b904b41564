//! A message as Graph tells of it.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::lenient;

/// A message. Only what was selected is there.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// Immutable id.
    #[serde(deserialize_with = "lenient::id")]
    pub id: String,
    /// Version tag, `W/"<changeKey>"`.
    #[serde(rename = "@odata.etag", default, deserialize_with = "lenient::option")]
    pub etag: Option<String>,
    /// Derived type, such as `#microsoft.graph.eventMessageRequest` for an invitation.
    #[serde(rename = "@odata.type", default, deserialize_with = "lenient::option")]
    pub odata_type: Option<String>,
    #[serde(default, deserialize_with = "lenient::option")]
    pub subject: Option<String>,
    /// First 255 characters of the text.
    #[serde(default, deserialize_with = "lenient::option")]
    pub body_preview: Option<String>,
    #[serde(default, deserialize_with = "lenient::option")]
    pub body: Option<ItemBody>,
    /// Exchange's conversation, which groups by topic and is no substitute for threading.
    #[serde(default, deserialize_with = "lenient::option")]
    pub conversation_id: Option<String>,
    /// Value of the `Message-ID` header, in angle brackets.
    #[serde(default, deserialize_with = "lenient::option")]
    pub internet_message_id: Option<String>,
    #[serde(default, deserialize_with = "lenient::option")]
    pub parent_folder_id: Option<String>,
    #[serde(rename = "createdDateTime", default, deserialize_with = "lenient::option")]
    pub created_at: Option<Timestamp>,
    #[serde(rename = "lastModifiedDateTime", default, deserialize_with = "lenient::option")]
    pub modified_at: Option<Timestamp>,
    #[serde(rename = "receivedDateTime", default, deserialize_with = "lenient::option")]
    pub received_at: Option<Timestamp>,
    #[serde(rename = "sentDateTime", default, deserialize_with = "lenient::option")]
    pub sent_at: Option<Timestamp>,
    #[serde(default, deserialize_with = "lenient::option")]
    pub from: Option<Recipient>,
    #[serde(default, deserialize_with = "lenient::option")]
    pub sender: Option<Recipient>,
    #[serde(rename = "toRecipients", default, deserialize_with = "lenient::list")]
    pub to: Vec<Recipient>,
    #[serde(rename = "ccRecipients", default, deserialize_with = "lenient::list")]
    pub cc: Vec<Recipient>,
    #[serde(rename = "bccRecipients", default, deserialize_with = "lenient::list")]
    pub bcc: Vec<Recipient>,
    #[serde(default, deserialize_with = "lenient::list")]
    pub reply_to: Vec<Recipient>,
    /// Inline attachments do not count.
    #[serde(default, deserialize_with = "lenient::flag")]
    pub has_attachments: Option<bool>,
    #[serde(default, deserialize_with = "lenient::flag")]
    pub is_draft: Option<bool>,
    #[serde(default, deserialize_with = "lenient::flag")]
    pub is_read: Option<bool>,
    /// `low`, `normal` or `high`.
    #[serde(default, deserialize_with = "lenient::option")]
    pub importance: Option<String>,
    #[serde(default, deserialize_with = "lenient::list")]
    pub categories: Vec<String>,
    /// Header fields; only on `$select`, and absent for what never went through transport.
    #[serde(default, deserialize_with = "lenient::list")]
    pub internet_message_headers: Vec<Header>,
    /// Extended properties; only on `$expand`.
    #[serde(
        rename = "singleValueExtendedProperties",
        default,
        deserialize_with = "lenient::list"
    )]
    pub extended_properties: Vec<ExtendedProperty>,
}

/// A body, as text or HTML.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ItemBody {
    /// `text` or `html`.
    pub content_type: String,
    pub content: String,
}

/// A name and an address; on the wire wrapped in `emailAddress`.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Recipient {
    pub name: Option<String>,
    /// Empty where Graph gives none.
    pub address: String,
}

/// A header field.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    pub name: String,
    pub value: String,
}

/// An extended property, such as `String {guid} Name X`. Graph normalises the spelling of ids, so
/// compare without regard to case.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExtendedProperty {
    pub id: String,
    pub value: String,
}

impl Message {
    /// The value of an extended property, its id compared without regard to case.
    pub fn extended_property(&self, id: &str) -> Option<&str> {
        let found = self
            .extended_properties
            .iter()
            .find(|property| property.id.eq_ignore_ascii_case(id));
        found.map(|property| property.value.as_str())
    }
}

impl Recipient {
    /// An address without a name.
    pub fn address(address: impl Into<String>) -> Self {
        Self {
            name: None,
            address: address.into(),
        }
    }

    /// An address with a name.
    pub fn named(name: impl Into<String>, address: impl Into<String>) -> Self {
        Self {
            name: Some(name.into()),
            address: address.into(),
        }
    }
}

impl<'de> Deserialize<'de> for Recipient {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Outer {
            #[serde(rename = "emailAddress")]
            inner: Inner,
        }
        #[derive(Deserialize)]
        struct Inner {
            #[serde(default, deserialize_with = "lenient::option")]
            name: Option<String>,
            #[serde(default, deserialize_with = "lenient::text")]
            address: String,
        }
        let Outer { inner } = Outer::deserialize(deserializer)?;
        Ok(Self {
            name: inner.name.filter(|name| !name.is_empty()),
            address: inner.address,
        })
    }
}

impl Serialize for Recipient {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Outer<'a> {
            #[serde(rename = "emailAddress")]
            inner: Inner<'a>,
        }
        #[derive(Serialize)]
        struct Inner<'a> {
            #[serde(skip_serializing_if = "Option::is_none")]
            name: Option<&'a str>,
            address: &'a str,
        }
        Outer {
            inner: Inner {
                name: self.name.as_deref(),
                address: &self.address,
            },
        }
        .serialize(serializer)
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("id", &self.id)
            .field("parent_folder_id", &self.parent_folder_id)
            .field("received_at", &self.received_at)
            .field("is_draft", &self.is_draft)
            .field("is_read", &self.is_read)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ItemBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ItemBody({}, {} bytes)", self.content_type, self.content.len())
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Recipient(…)")
    }
}

impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Header({})", self.name)
    }
}

impl fmt::Debug for ExtendedProperty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ExtendedProperty({})", self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_fields_read_as_absent_and_strings_as_flags() {
        let message: Message = serde_json::from_str(
            r#"{"id":"a","isRead":"true","receivedDateTime":"datetime-value","subject":5,"from":null,
                "toRecipients":[{"emailAddress":{"address":"a@contoso.example"}},{"odd":1}],"unknown":{}}"#,
        )
        .unwrap();
        assert_eq!(message.is_read, Some(true));
        assert_eq!(message.received_at, None);
        assert_eq!(message.subject, None);
        assert_eq!(message.to, [Recipient::address("a@contoso.example")]);
    }

    #[test]
    fn message_without_id_is_refused() {
        assert!(serde_json::from_str::<Message>(r#"{"subject":"x"}"#).is_err());
        assert!(serde_json::from_str::<Message>(r#"{"id":""}"#).is_err());
    }

    #[test]
    fn content_is_absent_from_debug_output() {
        let text = r#"{"id":"a","subject":"private","bodyPreview":"private","body":{"contentType":"text","content":"private"},
            "from":{"emailAddress":{"name":"private","address":"private"}},
            "internetMessageHeaders":[{"name":"Subject","value":"private"}]}"#;
        let message: Message = serde_json::from_str(text).unwrap();
        let shown = format!(
            "{message:?} {:?} {:?} {:?}",
            message.body, message.from, message.internet_message_headers
        );
        assert!(!shown.contains("private"), "{shown}");
    }

    #[test]
    fn property_ids_are_found_in_any_spelling() {
        let text = r#"{"id":"a","singleValueExtendedProperties":[{"id":"Long 0xe08","value":"2722"}]}"#;
        let message: Message = serde_json::from_str(text).unwrap();
        assert_eq!(message.extended_property("LONG 0xE08"), Some("2722"));
    }
}
