//! A message, folder or attachment as JSON.
//!
//! Owns the shapes of contract §2.1. Only what is selected is computed: a listing that does not select the body reads
//! no MIME.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::mail::attachment::{AttachmentKind, DraftAttachment, Placement};
use crate::mail::attachment_query::AttachmentQuery;
use crate::mail::body::{self, HtmlSafety};
use crate::mail::extended::{self, PropertyId};
use crate::mail::folder::Folder;
use crate::mail::ids::IdForm;
use crate::mail::links;
use crate::mail::mailbox::Mailbox;
use crate::mail::meeting;
use crate::mail::message::{
    Body, BodyKind, Content, Flag, FlagStatus, Importance, Inference, Message, Origin, Person, Seconds,
};
use crate::mail::mime;
use crate::mail::properties::{Property, Selection};

/// How a message is to be shown.
#[derive(Debug, Clone)]
pub struct View {
    pub form: IdForm,
    pub selection: Selection,
    pub body: Option<BodyKind>,
    pub safety: HtmlSafety,
    pub attachments: Option<AttachmentQuery>,
    pub extended: Option<Vec<PropertyId>>,
    pub extended_arrays: Option<Vec<PropertyId>>,
}

/// How attachments are to be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttachmentView {
    pub bytes: Inclusion,
    pub item: Inclusion,
}

/// Whether a costly part is included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inclusion {
    Included,
    LeftOut,
}

/// `W/"…"` around the change key.
#[must_use]
pub fn etag(change_key: &str) -> String {
    format!("W/\"{change_key}\"")
}

/// A moment as Graph writes it, to the second.
#[must_use]
pub fn time(seconds: Seconds) -> String {
    jiff::Timestamp::from_second(seconds).unwrap_or_default().to_string()
}

/// A message.
#[must_use]
pub fn message(mailbox: &Mailbox, message: &Message, view: &View) -> Map<String, Value> {
    let mut json = Map::new();
    let change_key = mailbox.codec.change_key(message.change);
    let id = mailbox.codec.message(view.form, message.key, message.place());
    json.insert("@odata.etag".to_owned(), etag(&change_key).into());
    for property in Property::ALL.iter().filter(|property| view.selection.has(**property)) {
        if let Some(value) = property_of(mailbox, message, view, *property, &id, &change_key) {
            json.insert(property.name().to_owned(), value);
        }
    }
    if let Some(kind) = message.kind.odata_type() {
        json.insert("@odata.type".to_owned(), kind.into());
        if view.selection.has_meeting() {
            json.extend(meeting::properties(message));
        }
    }
    if let Some(query) = &view.attachments {
        json.insert(
            "attachments".to_owned(),
            query.list(mailbox, message, view.form).0.into(),
        );
    }
    if let Some(values) = view
        .extended
        .as_ref()
        .map(|wanted| extended_values(message, wanted))
        .filter(|v| !v.is_empty())
    {
        json.insert("singleValueExtendedProperties".to_owned(), values.into());
    }
    if let Some(values) = view
        .extended_arrays
        .as_ref()
        .map(|wanted| extended_arrays(message, wanted))
        .filter(|values| !values.is_empty())
    {
        json.insert("multiValueExtendedProperties".to_owned(), values.into());
    }
    json.insert("id".to_owned(), id.into());
    json
}

fn extended_values(message: &Message, wanted: &[PropertyId]) -> Vec<Value> {
    if wanted.is_empty() {
        return message
            .extended
            .iter()
            .filter(|kept| !kept.id.is_array())
            .map(|kept| json!({"id": kept.id.to_string(), "value": kept.value}))
            .collect();
    }
    wanted
        .iter()
        .filter_map(|id| extended::value_of(message, id).map(|value| json!({"id": id.to_string(), "value": value})))
        .collect()
}

fn extended_arrays(message: &Message, wanted: &[PropertyId]) -> Vec<Value> {
    message
        .extended
        .iter()
        .filter(|kept| kept.id.is_array() && (wanted.is_empty() || wanted.iter().any(|id| id.same(&kept.id))))
        .map(|kept| {
            let values: Value = serde_json::from_str(&kept.value).unwrap_or_default();
            json!({"id": kept.id.to_string(), "value": values})
        })
        .collect()
}

fn property_of(
    mailbox: &Mailbox,
    message: &Message,
    view: &View,
    property: Property,
    id: &str,
    change_key: &str,
) -> Option<Value> {
    Some(match property {
        Property::CreatedDateTime => time(message.created).into(),
        Property::LastModifiedDateTime => time(message.modified).into(),
        Property::ChangeKey => change_key.into(),
        Property::Categories => json!(message.categories),
        Property::ReceivedDateTime => time(message.received).into(),
        Property::SentDateTime => time(message.sent).into(),
        Property::HasAttachments => message.has_attachments.into(),
        Property::InternetMessageId => (&*message.internet_message_id).into(),
        Property::Subject => (&*message.subject).into(),
        Property::BodyPreview => (&*message.preview).into(),
        Property::Importance => importance(message.importance).into(),
        Property::ParentFolderId => mailbox.codec.folder(message.folder).into(),
        Property::ConversationId => mailbox.codec.conversation(&message.conversation).into(),
        Property::ConversationIndex => STANDARD.encode(&message.conversation_index).into(),
        Property::IsDeliveryReceiptRequested => message.delivery_receipt.into(),
        Property::IsReadReceiptRequested => message.read_receipt.into(),
        Property::IsRead => message.is_read.into(),
        Property::IsDraft => message.is_draft.into(),
        Property::WebLink => format!(
            "https://outlook.office365.com/owa/?ItemID={}&exvsurl=1&viewmodel=ReadMessageItem",
            links::key(id)
        )
        .into(),
        Property::InferenceClassification => inference(message.inference).into(),
        Property::Body => body_json(&mailbox.shown.of(mailbox.user, message, view.body, view.safety)),
        Property::UniqueBody => body_json(&unique_body(mailbox, message, view)),
        Property::Sender => person(message.people.shown_sender()?),
        Property::From => person(message.people.from.as_deref()?),
        Property::ToRecipients => people(&message.people.to),
        Property::CcRecipients => people(&message.people.cc),
        Property::BccRecipients => people(&message.people.bcc),
        Property::ReplyTo => people(&message.people.reply_to),
        Property::Flag => flag(message.flag.as_deref()),
        Property::InternetMessageHeaders => internet_headers(message)?,
    })
}

/// What the sender wrote newly: the text before the quoted original.
fn unique_body(mailbox: &Mailbox, message: &Message, view: &View) -> Body {
    let shown = mailbox.shown.of(mailbox.user, message, view.body, view.safety);
    let marks: [&str; 3] = match shown.kind {
        BodyKind::Html => ["<hr ", "<hr>", "<blockquote"],
        BodyKind::Text => [
            "\n________________________________",
            "\n-----Original Message-----",
            "\n>",
        ],
    };
    let cut = marks.iter().filter_map(|mark| shown.content.find(mark)).min();
    match (cut, shown.kind) {
        (None, _) => Body::clone(&shown),
        (Some(cut), BodyKind::Text) => Body {
            kind: BodyKind::Text,
            content: shown.content[..cut].trim_end().to_owned(),
        },
        (Some(cut), BodyKind::Html) => {
            let content = body::document(body::fragment(&shown.content[..cut]).trim());
            Body {
                kind: BodyKind::Html,
                content,
            }
        }
    }
}

/// Headers come from transport only; an item that was never sent has no such property at all.
fn internet_headers(message: &Message) -> Option<Value> {
    let Content::Mime(raw) = &message.content else {
        return None;
    };
    if message.origin == Origin::Created {
        return None;
    }
    let lines: Vec<Value> = mime::header_lines(&raw.bytes())
        .into_iter()
        .map(|(name, value)| json!({"name": name, "value": value}))
        .collect();
    Some(lines.into())
}

fn body_json(body: &Body) -> Value {
    let kind = match body.kind {
        BodyKind::Text => "text",
        BodyKind::Html => "html",
    };
    json!({"contentType": kind, "content": body.content})
}

/// A recipient.
#[must_use]
pub fn person(person: &Person) -> Value {
    json!({"emailAddress": {"name": person.name, "address": person.address}})
}

fn people(list: &[Person]) -> Value {
    list.iter().map(person).collect::<Vec<_>>().into()
}

/// As Graph spells it.
#[must_use]
pub fn importance(importance: Importance) -> &'static str {
    match importance {
        Importance::Low => "low",
        Importance::Normal => "normal",
        Importance::High => "high",
    }
}

/// As Graph spells it.
#[must_use]
pub fn inference(inference: Inference) -> &'static str {
    match inference {
        Inference::Focused => "focused",
        Inference::Other => "other",
    }
}

/// As Graph spells it.
#[must_use]
pub fn flag_status(status: FlagStatus) -> &'static str {
    match status {
        FlagStatus::NotFlagged => "notFlagged",
        FlagStatus::Complete => "complete",
        FlagStatus::Flagged => "flagged",
    }
}

fn flag(flag: Option<&Flag>) -> Value {
    let Some(flag) = flag else {
        return json!({"flagStatus": "notFlagged"});
    };
    let mut json = Map::new();
    json.insert("flagStatus".to_owned(), flag_status(flag.status).into());
    for (name, value) in [
        ("startDateTime", &flag.start),
        ("dueDateTime", &flag.due),
        ("completedDateTime", &flag.completed),
    ] {
        if let Some(value) = value {
            json.insert(name.to_owned(), value.clone());
        }
    }
    json.into()
}

/// A folder.
#[must_use]
pub fn folder(mailbox: &Mailbox, folder: &Folder) -> Map<String, Value> {
    let mut json = Map::new();
    json.insert("id".to_owned(), mailbox.codec.folder(folder.key).into());
    json.insert("displayName".to_owned(), folder.name.clone().into());
    if let Some(parent) = folder.parent {
        json.insert("parentFolderId".to_owned(), mailbox.codec.folder(parent).into());
    }
    json.insert("childFolderCount".to_owned(), mailbox.child_count(folder.key).into());
    json.insert("unreadItemCount".to_owned(), folder.unread.into());
    json.insert("totalItemCount".to_owned(), folder.by_time.len().into());
    json.insert("sizeInBytes".to_owned(), folder.size.into());
    json.insert(
        "isHidden".to_owned(),
        (folder.visibility == crate::mail::well_known::Visibility::Hidden).into(),
    );
    json
}

/// An attachment.
#[must_use]
pub fn attachment(
    mailbox: &Mailbox,
    message: &Message,
    attachment: &DraftAttachment,
    form: IdForm,
    how: AttachmentView,
) -> Map<String, Value> {
    let mut json = Map::new();
    let id = mailbox
        .codec
        .attachment(form, message.key, message.place(), attachment.number);
    json.insert("id".to_owned(), id.into());
    json.insert("name".to_owned(), attachment.name.clone().into());
    json.insert("lastModifiedDateTime".to_owned(), time(attachment.modified).into());
    json.insert("size".to_owned(), attachment.bytes.len().into());
    json.insert(
        "isInline".to_owned(),
        (attachment.placement == Placement::Inline).into(),
    );
    match &attachment.kind {
        AttachmentKind::File => {
            json.insert("@odata.type".to_owned(), "#microsoft.graph.fileAttachment".into());
            json.insert(
                "@odata.mediaContentType".to_owned(),
                attachment.content_type.clone().into(),
            );
            json.insert("contentType".to_owned(), attachment.content_type.clone().into());
            json.insert("contentId".to_owned(), attachment.content_id.clone().into());
            json.insert("contentLocation".to_owned(), attachment.content_location.clone().into());
            if how.bytes == Inclusion::Included {
                json.insert("contentBytes".to_owned(), STANDARD.encode(&attachment.bytes).into());
            }
        }
        AttachmentKind::Item | AttachmentKind::OtherItem(_) => {
            json.insert("@odata.type".to_owned(), "#microsoft.graph.itemAttachment".into());
            json.insert("contentType".to_owned(), Value::Null);
            if how.item == Inclusion::Included {
                json.insert("item".to_owned(), attached_item(mailbox, attachment));
            }
        }
    }
    json
}

/// The message inside an item attachment; it has no id of its own.
fn attached_item(mailbox: &Mailbox, attachment: &DraftAttachment) -> Value {
    if let AttachmentKind::OtherItem(item) = &attachment.kind {
        return item.as_ref().clone();
    }
    let (inner, _) = mime::record(
        attachment.bytes.clone(),
        mime::Reception {
            at: attachment.modified,
            message_id_if_none: "",
        },
    );
    let view = View {
        form: IdForm::Default,
        selection: Selection::default_set(),
        body: None,
        safety: HtmlSafety::Sanitised,
        attachments: None,
        extended: None,
        extended_arrays: None,
    };
    let mut json = self::message(mailbox, &inner, &view);
    json.remove("@odata.etag");
    for name in [
        "changeKey",
        "parentFolderId",
        "webLink",
        "conversationId",
        "conversationIndex",
    ] {
        json.remove(name);
    }
    json.insert("@odata.type".to_owned(), "#microsoft.graph.message".into());
    json.insert("id".to_owned(), "".into());
    json.into()
}
