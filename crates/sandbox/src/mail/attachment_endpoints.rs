//! Operations on attachments.
//!
//! Owns their listing, their bytes, and adding to or removing from drafts. The bytes of a received mail never change,
//! so its attachments cannot be removed.

use http::StatusCode;
use http::header::{HeaderValue, LOCATION};
use serde_json::Map;

use crate::mail::attachment::{self, AttachmentKind, DraftAttachment};
use crate::mail::attachment_input;
use crate::mail::attachment_query::AttachmentQuery;
use crate::mail::draft;
use crate::mail::ids::{IdError, IdForm, ParsedId};
use crate::mail::links;
use crate::mail::mailbox::{Mailbox, Touch};
use crate::mail::message::{Content, Message};
use crate::mail::preferences::Preferences;
use crate::mail::refusal;
use crate::mail::render::{self, AttachmentView, Inclusion};
use crate::mail::routes::Scope;
use crate::odata::error::ODataError;
use crate::odata::query::QueryOptions;
use crate::server::paths::GraphResponse;

fn context(
    mailbox: &Mailbox,
    scope: &Scope<'_>,
    message: &Message,
    form: crate::mail::ids::IdForm,
    rest: &str,
) -> String {
    let id = mailbox.codec.message(form, message.key, message.place());
    links::context(
        scope.request,
        &format!("messages('{}')/attachments{rest}", links::key(&id)),
    )
}

/// Lists the attachments of a message.
pub fn list(scope: &Scope<'_>, id: &str) -> Result<GraphResponse, ODataError> {
    let options = QueryOptions::parse(&scope.request.query)?;
    options.only(&[])?;
    let query = AttachmentQuery::read(&options)?;
    let preferences = Preferences::of(scope.request);
    scope.read(|mailbox| {
        let message = mailbox.resolve(id)?;
        let (value, total) = query.list(mailbox, message, preferences.form);
        let mut body = Map::new();
        body.insert(
            "@odata.context".to_owned(),
            context(mailbox, scope, message, preferences.form, "").into(),
        );
        if options.count {
            body.insert("@odata.count".to_owned(), total.into());
        }
        body.insert("value".to_owned(), value.into());
        Ok(preferences.acknowledge(GraphResponse::json(StatusCode::OK, &body), &[]))
    })
}

/// `attachments/$count`: a bare number.
pub fn count(scope: &Scope<'_>, id: &str) -> Result<GraphResponse, ODataError> {
    let options = QueryOptions::parse(&scope.request.query)?;
    options.only(&[])?;
    let query = AttachmentQuery::read(&options)?;
    let total =
        scope.read(|mailbox| Ok::<_, ODataError>(query.list(mailbox, mailbox.resolve(id)?, IdForm::Default).1))?;
    Ok(GraphResponse::bytes(
        StatusCode::OK,
        HeaderValue::from_static("text/plain"),
        total.to_string().into(),
    ))
}

fn find(
    mailbox: &Mailbox,
    message_id: &str,
    id: &str,
) -> Result<(Message, std::sync::Arc<DraftAttachment>), ODataError> {
    let message = mailbox.resolve(message_id)?;
    let number = match mailbox.codec.parse(id) {
        Ok(ParsedId::Attachment { item, number, .. }) if item == message.key => number,
        Ok(ParsedId::Attachment { .. }) | Err(IdError::Foreign) => return Err(refusal::item_not_found()),
        Ok(ParsedId::Folder(_) | ParsedId::Message { .. }) | Err(IdError::Malformed) => {
            return Err(refusal::id_malformed());
        }
    };
    let found = attachment::of(message)
        .into_iter()
        .find(|attachment| attachment.number == number);
    found
        .map(|found| (message.clone(), found))
        .ok_or_else(refusal::item_not_found)
}

/// Shows one attachment.
pub fn get(scope: &Scope<'_>, message_id: &str, id: &str) -> Result<GraphResponse, ODataError> {
    let options = QueryOptions::parse(&scope.request.query)?;
    options.only(&[])?;
    let preferences = Preferences::of(scope.request);
    if !options.is_for_one() {
        return Err(refusal::only_for_collections());
    }
    let query = AttachmentQuery::read(&options)?;
    scope.read(|mailbox| {
        let (message, found) = find(mailbox, message_id, id)?;
        let mut json = query.one(mailbox, &message, &found, preferences.form);
        json["@odata.context"] = context(mailbox, scope, &message, preferences.form, "/$entity").into();
        Ok(preferences.acknowledge(GraphResponse::json(StatusCode::OK, &json), &[]))
    })
}

/// The bytes of an attachment; of an attached message, its MIME.
pub fn value(scope: &Scope<'_>, message_id: &str, id: &str) -> Result<GraphResponse, ODataError> {
    let (_, found) = scope.read(|mailbox| find(mailbox, message_id, id))?;
    let content_type = match found.kind {
        AttachmentKind::File => HeaderValue::from_str(&found.content_type).ok(),
        AttachmentKind::Item => Some(HeaderValue::from_static("text/plain")),
        AttachmentKind::OtherItem(_) => Some(HeaderValue::from_static("application/json")),
    };
    let content_type = content_type.unwrap_or(HeaderValue::from_static("application/octet-stream"));
    Ok(GraphResponse::bytes(StatusCode::OK, content_type, found.bytes.clone()))
}

/// Adds an attachment to a draft.
pub fn add(scope: &Scope<'_>, message_id: &str) -> Result<GraphResponse, ODataError> {
    let body = scope.request.json_body()?;
    let now = scope.service.now();
    let attachment = attachment_input::read(&body, now)?;
    let preferences = Preferences::of(scope.request);
    scope.write(|mailbox| {
        let (message, number) = attach(mailbox, message_id, attachment, now)?;
        let added = attachment::of(&message)
            .into_iter()
            .find(|other| other.number == number)
            .ok_or_else(refusal::item_not_found)?;
        let view = AttachmentView {
            bytes: Inclusion::Included,
            item: Inclusion::LeftOut,
        };
        let mut json = render::attachment(mailbox, &message, &added, preferences.form, view);
        let id = mailbox.codec.message(preferences.form, message.key, message.place());
        let own = mailbox
            .codec
            .attachment(preferences.form, message.key, message.place(), number);
        json.insert(
            "@odata.context".to_owned(),
            context(mailbox, scope, &message, preferences.form, "/$entity").into(),
        );
        let location = links::location(scope.request, &format!("messages('{id}')/attachments('{own}')"));
        let response = GraphResponse::json(StatusCode::CREATED, &json).with_header(LOCATION, &location);
        Ok(preferences.acknowledge(response, &[]))
    })
}

/// Adds an attachment to a draft and numbers it; also the last step of an upload session.
pub fn attach(
    mailbox: &mut Mailbox,
    message_id: &str,
    attachment: DraftAttachment,
    now: crate::mail::message::Seconds,
) -> Result<(Message, u32), ODataError> {
    let mut changed = mailbox.resolve(message_id)?.clone();
    if !changed.is_draft {
        return Err(refusal::not_a_draft("add an attachment"));
    }
    draft::structured(&mut changed);
    let Content::Draft(content) = &mut changed.content else {
        return Err(refusal::item_not_found());
    };
    let number = draft::add_attachment(content, attachment)?;
    draft::refresh(&mut changed);
    let key = changed.key;
    mailbox.touch(key, Touch::Content, now, |message| *message = changed);
    let message = mailbox.get(key).ok_or_else(refusal::item_not_found)?.clone();
    Ok((message, number))
}

/// Removes an attachment from a draft.
pub fn delete(scope: &Scope<'_>, message_id: &str, id: &str) -> Result<GraphResponse, ODataError> {
    let now = scope.service.now();
    scope.write(|mailbox| {
        let (mut message, found) = find(mailbox, message_id, id)?;
        if !message.is_draft {
            return Err(refusal::not_a_draft("delete an attachment"));
        }
        draft::structured(&mut message);
        if let Content::Draft(content) = &mut message.content {
            content
                .attachments
                .retain(|attachment| attachment.number != found.number);
        }
        draft::refresh(&mut message);
        let key = message.key;
        mailbox.touch(key, Touch::Content, now, |kept| *kept = message);
        Ok(GraphResponse::empty(StatusCode::NO_CONTENT))
    })
}
