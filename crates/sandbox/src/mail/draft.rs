//! Drafts: made from JSON or MIME, and changed by PATCH.
//!
//! Owns what may be changed on a draft and what on any message (contract §2.5). A received mail keeps its bytes
//! whatever is changed about it.

use std::sync::Arc;

use bytes::Bytes;

use crate::mail::attachment::{self, DraftAttachment, MAX_ATTACHMENTS, Placement};
use crate::mail::body;
use crate::mail::conversation::Ancestry;
use crate::mail::extended::{self, ExtendedProperty};
use crate::mail::ids::{FolderKey, ItemKey};
use crate::mail::meeting::ItemKind;
use crate::mail::message::{
    Body, BodyKind, Content, DraftContent, Importance, Inference, Message, Origin, People, Person, Seconds,
};
use crate::mail::message_input::{MessageInput, one_line};
use crate::mail::mime::{self, Reception};
use crate::mail::refusal;
use crate::odata::error::ODataError;

/// What a new draft is given besides its content.
#[derive(Debug, Clone)]
pub struct Making {
    pub at: Seconds,
    /// Its Message-ID, with angle brackets, unless the client brings one.
    pub message_id: String,
    pub conversation: [u8; 16],
}

/// An empty draft.
#[must_use]
pub fn blank(making: Making) -> Message {
    Message {
        key: ItemKey(0),
        folder: FolderKey(0),
        moves: 0,
        change: 0,
        log_seq: 0,
        entered: 0,
        created: making.at,
        modified: making.at,
        received: making.at,
        sent: making.at,
        size: 0,
        is_read: true,
        is_draft: true,
        has_attachments: false,
        read_receipt: false,
        delivery_receipt: false,
        importance: Importance::Normal,
        inference: Inference::Focused,
        origin: Origin::Created,
        kind: ItemKind::Message,
        subject: "".into(),
        preview: "".into(),
        internet_message_id: making.message_id.into(),
        people: People::default(),
        conversation: making.conversation,
        conversation_index: Box::default(),
        categories: Box::default(),
        flag: None,
        extended: Vec::new(),
        content: Content::Draft(Box::new(DraftContent::new(Body {
            kind: BodyKind::Text,
            content: String::new(),
        }))),
    }
}

/// A draft with the properties a client wrote.
pub fn from_input(input: MessageInput, making: Making) -> Result<Message, ODataError> {
    let mut message = blank(making);
    apply(&mut message, input)?;
    Ok(message)
}

/// A draft that is a MIME message; its threading headers come along.
#[must_use]
pub fn from_mime(bytes: Bytes, making: &Making) -> (Message, Ancestry) {
    let reception = Reception {
        at: making.at,
        message_id_if_none: &making.message_id,
    };
    let (mut message, ancestry) = mime::record(bytes, reception);
    message.is_draft = true;
    message.is_read = true;
    message.origin = Origin::Created;
    message.conversation = making.conversation;
    (message, ancestry)
}

/// Whether an edit is one that only a draft takes.
#[must_use]
pub fn needs_draft(input: &MessageInput) -> bool {
    input.subject.is_some()
        || input.body.is_some()
        || input.internet_message_id.is_some()
        || input.reply_to.is_some()
        || input.headers.is_some()
        || !input.attachments.is_empty()
}

/// Whether an edit only says that the message was read: that does not change its `changeKey` (recorded traffic).
#[must_use]
pub fn only_read_state(input: &MessageInput) -> bool {
    let MessageInput {
        subject: None,
        body: None,
        to: None,
        cc: None,
        bcc: None,
        reply_to: None,
        from: None,
        sender: None,
        importance: None,
        inference: None,
        categories: None,
        flag: None,
        is_read: Some(_),
        read_receipt: None,
        delivery_receipt: None,
        internet_message_id: None,
        headers: None,
        extended,
        attachments,
    } = input
    else {
        return false;
    };
    extended.is_empty() && attachments.is_empty()
}

/// Takes out what says what is so already: whoever sends back what they read changes nothing by it.
fn forget_unchanged(message: &Message, input: &mut MessageInput) {
    input.subject.take_if(|subject| **subject == *message.subject);
    input
        .internet_message_id
        .take_if(|id| **id == *message.internet_message_id);
    input.reply_to.take_if(|people| **people == *message.people.reply_to);
}

/// Applies the properties a client wrote.
pub fn apply(message: &mut Message, mut input: MessageInput) -> Result<(), ODataError> {
    if !message.is_draft {
        forget_unchanged(message, &mut input);
    }
    if needs_draft(&input) {
        if !message.is_draft {
            return Err(refusal::not_a_draft(
                "update the subject, body, replyTo or internetMessageId",
            ));
        }
        structured(message);
    }
    if (input.to.is_some()
        || input.cc.is_some()
        || input.bcc.is_some()
        || input.from.is_some()
        || input.sender.is_some())
        && message.is_draft
    {
        structured(message);
    }
    take_threading(message, &input.extended);
    extended::set(&mut message.extended, input.extended)?;
    let people = &mut message.people;
    for (target, incoming) in [
        (&mut people.to, input.to),
        (&mut people.cc, input.cc),
        (&mut people.bcc, input.bcc),
        (&mut people.reply_to, input.reply_to),
    ] {
        if let Some(incoming) = incoming {
            *target = incoming.into_iter().map(named).collect();
        }
    }
    if let Some(from) = input.from {
        people.from = Some(Box::new(named(from)));
    }
    if let Some(sender) = input.sender {
        people.sender = Some(Box::new(named(sender)));
    }
    if let Some(subject) = input.subject {
        message.subject = subject.into();
    }
    if let Some(id) = input.internet_message_id.filter(|id| !id.is_empty()) {
        message.internet_message_id = id.into();
    }
    message.importance = input.importance.unwrap_or(message.importance);
    message.inference = input.inference.unwrap_or(message.inference);
    message.is_read = input.is_read.unwrap_or(message.is_read);
    message.read_receipt = input.read_receipt.unwrap_or(message.read_receipt);
    message.delivery_receipt = input.delivery_receipt.unwrap_or(message.delivery_receipt);
    if let Some(categories) = input.categories {
        message.categories = categories.into();
    }
    if let Some(flag) = input.flag {
        message.flag = Some(Box::new(flag));
    }
    if let Content::Draft(draft) = &mut message.content {
        if let Some(body) = input.body {
            draft.body = body;
        }
        if let Some(headers) = input.headers {
            draft.headers = headers;
        }
        for attachment in input.attachments {
            add_attachment(draft, attachment)?;
        }
    }
    refresh(message);
    Ok(())
}

/// MAPI properties that set what Graph's own properties cannot: a client may say what its draft answers.
fn take_threading(message: &mut Message, properties: &[ExtendedProperty]) {
    if !message.is_draft {
        return;
    }
    for property in properties {
        let value = one_line(&property.value);
        if property.id.is_tag(extended::TAG_MESSAGE_ID) && !value.is_empty() {
            message.internet_message_id = value.into();
        } else if property.id.is_tag(extended::TAG_IN_REPLY_TO) || property.id.is_tag(extended::TAG_REFERENCES) {
            structured(message);
            let Content::Draft(draft) = &mut message.content else {
                continue;
            };
            if property.id.is_tag(extended::TAG_IN_REPLY_TO) {
                draft.in_reply_to = Some(value).filter(|value| !value.is_empty());
            } else {
                draft.references = value.split_whitespace().map(str::to_owned).collect();
            }
        }
    }
}

fn named(person: Person) -> Person {
    if person.name.is_empty() {
        Person {
            name: person.address.clone(),
            address: person.address,
        }
    } else {
        person
    }
}

/// Adds an attachment and numbers it.
pub fn add_attachment(draft: &mut DraftContent, mut attachment: DraftAttachment) -> Result<u32, ODataError> {
    if draft.attachments.len() >= MAX_ATTACHMENTS {
        return Err(ODataError::bad_request(format!(
            "A message carries at most {MAX_ATTACHMENTS} attachments."
        )));
    }
    let number = draft.next_attachment;
    attachment.number = number;
    draft.next_attachment += 1;
    draft.attachments.push(Arc::new(attachment));
    Ok(number)
}

/// Turns a draft that is MIME into one whose parts can be changed. A message that is no draft stays as it is.
pub fn structured(message: &mut Message) {
    let Content::Mime(raw) = &message.content else { return };
    if !message.is_draft {
        return;
    }
    let bytes = &raw.bytes();
    let ancestry = mime::ancestry(message);
    let attachments = attachment::from_mime(bytes, message.modified);
    let next = u32::try_from(attachments.len()).unwrap_or(u32::MAX).saturating_add(1);
    let headers = mime::header_lines(bytes)
        .into_iter()
        .filter(|(name, _)| name.to_ascii_lowercase().starts_with("x-"))
        .collect();
    message.content = Content::Draft(Box::new(DraftContent {
        body: body::native(message),
        headers,
        attachments,
        in_reply_to: ancestry.in_reply_to.into_iter().next(),
        references: ancestry.references,
        next_attachment: next,
    }));
}

/// Brings what follows from a draft's content up to date.
pub fn refresh(message: &mut Message) {
    let Content::Draft(draft) = &message.content else {
        return;
    };
    message.preview = mime::preview(&body::glimpse(&draft.body));
    message.has_attachments = draft
        .attachments
        .iter()
        .any(|attachment| attachment.placement == Placement::Attached);
    let bytes: usize = draft.attachments.iter().map(|attachment| attachment.bytes.len()).sum();
    message.size = u32::try_from(bytes + draft.body.content.len() + message.subject.len() + 512).unwrap_or(u32::MAX);
}
