//! A message as a client writes it in JSON.
//!
//! Owns which properties may be written, which are read-only (skipped, as Graph does, because clients send whole
//! objects back) and which do not exist (400). It checks form, not sense: recipients are judged when a mail is sent.

use serde_json::Value;

use crate::mail::attachment::DraftAttachment;
use crate::mail::attachment_input;
use crate::mail::extended::{ExtendedProperty, PropertyId};
use crate::mail::fields::Fields;
use crate::mail::message::{Body, BodyKind, Flag, FlagStatus, Importance, Inference, Person, Seconds};
use crate::mail::refusal;
use crate::odata::error::ODataError;

/// Custom headers per message (contract §2.5).
const MAX_HEADERS: usize = 5;
/// Recipients per field; the tenant's own bound is on sending.
const MAX_RECIPIENTS: usize = 5_000;

const READ_ONLY: [&str; 19] = [
    "id",
    "changeKey",
    "createdDateTime",
    "lastModifiedDateTime",
    "receivedDateTime",
    "sentDateTime",
    "hasAttachments",
    "bodyPreview",
    "parentFolderId",
    "conversationId",
    "conversationIndex",
    "isDraft",
    "webLink",
    "uniqueBody",
    "extensions",
    "unsubscribeEnabled",
    "unsubscribeData",
    "mentionsPreview",
    "size",
];

/// The properties a client wrote.
#[derive(Debug, Default)]
pub struct MessageInput {
    pub subject: Option<String>,
    pub body: Option<Body>,
    pub to: Option<Vec<Person>>,
    pub cc: Option<Vec<Person>>,
    pub bcc: Option<Vec<Person>>,
    pub reply_to: Option<Vec<Person>>,
    pub from: Option<Person>,
    pub sender: Option<Person>,
    pub importance: Option<Importance>,
    pub inference: Option<Inference>,
    pub categories: Option<Vec<String>>,
    pub flag: Option<Flag>,
    pub is_read: Option<bool>,
    pub read_receipt: Option<bool>,
    pub delivery_receipt: Option<bool>,
    pub internet_message_id: Option<String>,
    pub headers: Option<Vec<(String, String)>>,
    pub extended: Vec<ExtendedProperty>,
    pub attachments: Vec<DraftAttachment>,
}

impl MessageInput {
    /// Reads a message; `now` dates its attachments.
    pub fn read(fields: Fields<'_>, now: Seconds) -> Result<Self, ODataError> {
        Self::read_at(fields, now, attachment_input::MAX_ITEM_DEPTH)
    }

    /// The same for a message inside an attachment; `depth` further levels are allowed.
    pub(super) fn read_at(fields: Fields<'_>, now: Seconds, depth: usize) -> Result<Self, ODataError> {
        let mut input = Self::default();
        for name in fields.names() {
            let people =
                |name: &str| -> Result<Option<Vec<Person>>, ODataError> { recipients(fields.list(name)?, name) };
            match name.to_ascii_lowercase().as_str() {
                "subject" => input.subject = fields.text(name)?.map(one_line),
                "body" => input.body = fields.object(name)?.map(body).transpose()?,
                "torecipients" => input.to = people(name)?,
                "ccrecipients" => input.cc = people(name)?,
                "bccrecipients" => input.bcc = people(name)?,
                "replyto" => input.reply_to = people(name)?,
                "from" => input.from = fields.object(name)?.map(|person| recipient(person, name)).transpose()?,
                "sender" => input.sender = fields.object(name)?.map(|person| recipient(person, name)).transpose()?,
                "importance" => input.importance = fields.text(name)?.map(|text| importance(text, name)).transpose()?,
                "inferenceclassification" => {
                    input.inference = fields.text(name)?.map(|text| inference(text, name)).transpose()?;
                }
                "categories" => input.categories = fields.list(name)?.map(|list| texts(list, name)).transpose()?,
                "flag" => input.flag = fields.object(name)?.map(flag).transpose()?,
                "isread" => input.is_read = fields.boolean(name)?,
                "isreadreceiptrequested" => input.read_receipt = fields.boolean(name)?,
                "isdeliveryreceiptrequested" => input.delivery_receipt = fields.boolean(name)?,
                "internetmessageid" => input.internet_message_id = fields.text(name)?.map(one_line),
                "internetmessageheaders" => input.headers = fields.list(name)?.map(headers).transpose()?,
                "singlevalueextendedproperties" => {
                    for value in fields.list(name)?.unwrap_or_default() {
                        input.extended.push(extended(value)?);
                    }
                }
                "multivalueextendedproperties" => {
                    for value in fields.list(name)?.unwrap_or_default() {
                        input.extended.push(extended_array(value)?);
                    }
                }
                "extensions" if fields.get(name).is_some() => {
                    return Err(ODataError::unsupported("open extensions on messages"));
                }
                "attachments" => {
                    for value in fields.list(name)?.unwrap_or_default() {
                        input.attachments.push(attachment_input::read_at(value, now, depth)?);
                    }
                }
                _ if READ_ONLY.iter().any(|known| known.eq_ignore_ascii_case(name)) => {}
                _ => return Err(refusal::unknown_property(name, "message")),
            }
        }
        Ok(input)
    }
}

/// One line: a header cannot carry line ends, and a property that did would forge headers.
#[must_use]
pub fn one_line(text: &str) -> String {
    text.chars()
        .map(|character| if character.is_control() { ' ' } else { character })
        .collect::<String>()
        .trim()
        .to_owned()
}

/// A list of recipients.
pub fn recipients(list: Option<&[Value]>, name: &str) -> Result<Option<Vec<Person>>, ODataError> {
    let Some(list) = list else { return Ok(None) };
    if list.len() > MAX_RECIPIENTS {
        return Err(ODataError::bad_request(format!(
            "The property '{name}' has more than {MAX_RECIPIENTS} entries."
        )));
    }
    list.iter()
        .map(|value| recipient(Fields::of(value)?, name))
        .collect::<Result<_, _>>()
        .map(Some)
}

fn recipient(fields: Fields<'_>, name: &str) -> Result<Person, ODataError> {
    let address = fields
        .object("emailAddress")?
        .ok_or_else(|| refusal::bad_property(name, "a recipient"))?;
    Ok(Person {
        name: one_line(address.text("name")?.unwrap_or_default()).into(),
        address: one_line(address.text("address")?.unwrap_or_default()).into(),
    })
}

fn body(fields: Fields<'_>) -> Result<Body, ODataError> {
    let content = fields.text("content")?.unwrap_or_default().to_owned();
    let kind = match fields
        .text("contentType")?
        .unwrap_or_default()
        .to_ascii_lowercase()
        .as_str()
    {
        "" | "text" => BodyKind::Text,
        "html" => BodyKind::Html,
        _ => return Err(refusal::bad_property("contentType", "'text' or 'html'")),
    };
    Ok(Body { kind, content })
}

fn importance(text: &str, name: &str) -> Result<Importance, ODataError> {
    match text.to_ascii_lowercase().as_str() {
        "low" => Ok(Importance::Low),
        "normal" => Ok(Importance::Normal),
        "high" => Ok(Importance::High),
        _ => Err(refusal::bad_property(name, "'low', 'normal' or 'high'")),
    }
}

fn inference(text: &str, name: &str) -> Result<Inference, ODataError> {
    match text.to_ascii_lowercase().as_str() {
        "focused" => Ok(Inference::Focused),
        "other" => Ok(Inference::Other),
        _ => Err(refusal::bad_property(name, "'focused' or 'other'")),
    }
}

fn texts(list: &[Value], name: &str) -> Result<Vec<String>, ODataError> {
    list.iter()
        .map(|value| {
            value
                .as_str()
                .map(str::to_owned)
                .ok_or_else(|| refusal::bad_property(name, "a collection of strings"))
        })
        .collect()
}

fn flag(fields: Fields<'_>) -> Result<Flag, ODataError> {
    let status = match fields
        .text("flagStatus")?
        .unwrap_or("notFlagged")
        .to_ascii_lowercase()
        .as_str()
    {
        "notflagged" => FlagStatus::NotFlagged,
        "complete" => FlagStatus::Complete,
        "flagged" => FlagStatus::Flagged,
        _ => {
            return Err(refusal::bad_property(
                "flagStatus",
                "'notFlagged', 'complete' or 'flagged'",
            ));
        }
    };
    let moment = |name: &str| fields.get(name).cloned();
    Ok(Flag {
        status,
        start: moment("startDateTime"),
        due: moment("dueDateTime"),
        completed: moment("completedDateTime"),
    })
}

fn headers(list: &[Value]) -> Result<Vec<(String, String)>, ODataError> {
    if list.len() > MAX_HEADERS {
        return Err(ODataError::bad_request(format!(
            "A message carries at most {MAX_HEADERS} custom internet message headers."
        )));
    }
    list.iter()
        .map(|value| {
            let fields = Fields::of(value)?;
            let name = fields.required_text("name")?;
            let valid = name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':');
            if !valid || !name.to_ascii_lowercase().starts_with("x-") {
                return Err(refusal::bad_header(name));
            }
            Ok((name.to_owned(), one_line(fields.text("value")?.unwrap_or_default())))
        })
        .collect()
}

fn extended(value: &Value) -> Result<ExtendedProperty, ODataError> {
    let fields = Fields::of(value)?;
    let id = PropertyId::parse(fields.required_text("id")?)?;
    if id.is_array() {
        return Err(refusal::bad_property(
            "id",
            "the id of a single-value extended property",
        ));
    }
    Ok(ExtendedProperty {
        id,
        value: fields.text("value")?.unwrap_or_default().into(),
    })
}

/// Values of one multi-value property; MAPI's own bound is far higher, mails' need far lower.
const MAX_VALUES: usize = 1_000;

fn extended_array(value: &Value) -> Result<ExtendedProperty, ODataError> {
    let fields = Fields::of(value)?;
    let id = PropertyId::parse(fields.required_text("id")?)?;
    let values = texts(fields.list("value")?.unwrap_or_default(), "value")?;
    if !id.is_array() || values.len() > MAX_VALUES {
        return Err(refusal::bad_property(
            "multiValueExtendedProperties",
            "a property of an array type with a bounded number of values",
        ));
    }
    let value =
        serde_json::to_string(&values).map_err(|_| refusal::bad_property("value", "a collection of strings"))?;
    Ok(ExtendedProperty {
        id,
        value: value.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(value: &Value) -> Result<MessageInput, ODataError> {
        MessageInput::read(Fields::of(value).unwrap(), 0)
    }

    #[test]
    fn read_only_properties_are_skipped_and_unknown_ones_refused() {
        let input = read(
            &json!({"@odata.type": "#microsoft.graph.message", "ID": "x", "Subject": "a\r\nBcc: b", "isRead": "false"}),
        )
        .unwrap();
        assert_eq!(input.subject.as_deref(), Some("a  Bcc: b"));
        assert_eq!(input.is_read, Some(false));
        assert!(read(&json!({"sbuject": "a"})).is_err());
        assert!(read(&json!({"subject": 5})).is_err());
    }

    #[test]
    fn only_x_headers_may_be_set_and_only_five() {
        assert!(read(&json!({"internetMessageHeaders": [{"name": "X-One", "value": "1"}]})).is_ok());
        for bad in ["In-Reply-To", "x-a b", "x-a:b", "x-\u{e9}"] {
            assert!(
                read(&json!({"internetMessageHeaders": [{"name": bad, "value": "1"}]})).is_err(),
                "{bad}"
            );
        }
        let six: Vec<_> = (0..6)
            .map(|number| json!({"name": format!("x-{number}"), "value": ""}))
            .collect();
        assert!(read(&json!({"internetMessageHeaders": six})).is_err());
    }
}
