//! Operations on single messages: read, create, change, move, copy, delete.
//!
//! Owns their request bodies. A message is found by either form of id; answers carry the form that `Prefer` asks for.

use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue};

use bytes::Bytes;

use crate::mail::attachment_input::LENIENT_BASE64;
use crate::mail::conversation::{Ancestry, first_index};
use crate::mail::draft::{self, Making};
use crate::mail::fields::Fields;
use crate::mail::ids::FolderKey;
use crate::mail::mailbox::{Mailbox, Touch};
use crate::mail::message::{Message, Person};
use crate::mail::message_input::MessageInput;
use crate::mail::permissions::Depth;
use crate::mail::preferences::Preferences;
use crate::mail::routes::Scope;
use crate::mail::well_known::WellKnown;
use crate::mail::{compose, listing, refusal, view_options};
use crate::odata::error::ODataError;
use crate::odata::query::QueryOptions;
use crate::server::paths::{GraphRequest, GraphResponse};

/// Shows a message.
pub fn get(scope: &Scope<'_>, folder: Option<FolderKey>, id: &str, depth: Depth) -> Result<GraphResponse, ODataError> {
    let options = QueryOptions::parse(&scope.request.query)?;
    options.only(&[])?;
    if !options.is_for_one() {
        return Err(refusal::only_for_collections());
    }
    let preferences = Preferences::of(scope.request);
    let view = view_options::view(&options, &preferences, depth)?;
    scope.read(|mailbox| {
        let message = mailbox.resolve(id)?;
        let response = listing::single(mailbox, message, scope.request, &view, StatusCode::OK, folder);
        Ok(preferences.acknowledge(response, &[]))
    })
}

/// The MIME of a message, exactly as it arrived.
pub fn value(scope: &Scope<'_>, id: &str, depth: Depth) -> Result<GraphResponse, ODataError> {
    if depth == Depth::Basic {
        return Err(refusal::access_denied());
    }
    let bytes = scope.read(|mailbox| mailbox.resolve(id).map(compose::message))?;
    Ok(GraphResponse::bytes(
        StatusCode::OK,
        HeaderValue::from_static("text/plain"),
        bytes,
    ))
}

/// Whether a request brings MIME instead of JSON.
#[must_use]
pub fn is_mime(request: &GraphRequest) -> bool {
    request
        .headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.trim_start().to_ascii_lowercase().starts_with("text/plain"))
}

/// The MIME of a request, which is base64 in lines of any length.
pub fn mime_body(request: &GraphRequest) -> Result<Bytes, ODataError> {
    use base64::Engine;
    let compact: Vec<u8> = request
        .body
        .iter()
        .copied()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    if compact.is_empty() {
        return Err(refusal::bad_mime());
    }
    LENIENT_BASE64
        .decode(compact)
        .map(Bytes::from)
        .map_err(|_| refusal::bad_mime())
}

/// Creates a draft from JSON or MIME.
pub fn create(scope: &Scope<'_>, folder: Option<FolderKey>) -> Result<GraphResponse, ODataError> {
    let preferences = Preferences::of(scope.request);
    let (mut draft, ancestry) = new_draft(scope)?;
    scope.write(|mailbox| {
        let folder = folder.unwrap_or_else(|| mailbox.well_known(WellKnown::Drafts));
        start_conversation(scope, mailbox, &mut draft, &ancestry);
        let key = mailbox.insert(draft, folder)?;
        let message = mailbox.get(key).ok_or_else(refusal::item_not_found)?;
        let view = view_options::plain(&preferences);
        let response = listing::single(
            mailbox,
            message,
            scope.request,
            &view,
            StatusCode::CREATED,
            Some(folder),
        );
        Ok(preferences.acknowledge_write(response))
    })
}

fn new_draft(scope: &Scope<'_>) -> Result<(Message, Ancestry), ODataError> {
    let making = making(scope);
    if is_mime(scope.request) {
        return Ok(draft::from_mime(mime_body(scope.request)?, &making));
    }
    let body = scope.request.json_body()?;
    let mut input = MessageInput::read(Fields::of(&body)?, making.at)?;
    resolve_names(scope, &mut input);
    let draft = draft::from_input(input, making)?;
    let ancestry = crate::mail::mime::ancestry(&draft);
    Ok((draft, ancestry))
}

/// What a new draft of this mailbox is given.
#[must_use]
pub fn making(scope: &Scope<'_>) -> Making {
    Making {
        at: scope.service.now(),
        message_id: scope.service.fresh_message_id(),
        conversation: scope.service.fresh_conversation(),
    }
}

/// Gives recipients of the tenant their display name where the client wrote none, as Exchange resolves them.
pub fn resolve_names(scope: &Scope<'_>, input: &mut MessageInput) {
    let resolve = |person: &mut Person| {
        if person.name.is_empty()
            && let Some(user) = scope.service.directory.user_by_address(&person.address)
        {
            person.name = user.display_name.into();
        }
    };
    for list in [&mut input.to, &mut input.cc, &mut input.bcc, &mut input.reply_to]
        .into_iter()
        .flatten()
    {
        list.iter_mut().for_each(resolve);
    }
    for person in [&mut input.from, &mut input.sender].into_iter().flatten() {
        resolve(person);
    }
}

/// Puts a new message into its conversation.
pub fn start_conversation(scope: &Scope<'_>, mailbox: &mut Mailbox, message: &mut Message, ancestry: &Ancestry) {
    let ancestry = Ancestry {
        own: Some(message.internet_message_id.to_string()),
        ..ancestry.clone()
    };
    message.conversation = mailbox.conversations.join(&ancestry, message.conversation);
    if message.conversation_index.is_empty() {
        message.conversation_index = match ancestry.thread_index.filter(|index| !index.is_empty()) {
            Some(index) => index.into(),
            None => first_index(&message.conversation, scope.service.clock.now()).into(),
        };
    }
}

/// Changes a message.
pub fn update(scope: &Scope<'_>, id: &str) -> Result<GraphResponse, ODataError> {
    let body = scope.request.json_body()?;
    let now = scope.service.now();
    let mut input = MessageInput::read(Fields::of(&body)?, now)?;
    resolve_names(scope, &mut input);
    let preferences = Preferences::of(scope.request);
    scope.write(|mailbox| {
        let mut changed = mailbox.resolve(id)?.clone();
        check_match(scope.request, mailbox, &changed)?;
        let touch = if draft::only_read_state(&input) {
            Touch::ReadState
        } else {
            Touch::Content
        };
        draft::apply(&mut changed, input)?;
        let key = changed.key;
        mailbox.touch(key, touch, now, |message| *message = changed);
        let message = mailbox.get(key).ok_or_else(refusal::item_not_found)?;
        let view = view_options::plain(&preferences);
        let response = listing::single(mailbox, message, scope.request, &view, StatusCode::OK, None);
        Ok(preferences.acknowledge_write(response))
    })
}

/// `If-Match`: 412 when the message changed meanwhile.
fn check_match(request: &GraphRequest, mailbox: &Mailbox, message: &Message) -> Result<(), ODataError> {
    let wanted = request.header_list("if-match");
    let etag = crate::mail::render::etag(&mailbox.codec.change_key(message.change));
    if wanted.is_empty() || wanted.trim() == "*" || wanted.split(',').any(|tag| tag.trim() == etag) {
        return Ok(());
    }
    Err(ODataError::new(
        StatusCode::PRECONDITION_FAILED,
        "ErrorIrresolvableConflict",
        "The send or update operation could not be performed because the change key passed in the request does not match the current change key for the item.",
    ))
}

/// Deletes a message: into Deleted Items first.
pub fn delete(scope: &Scope<'_>, id: &str) -> Result<GraphResponse, ODataError> {
    let now = scope.service.now();
    scope.write(|mailbox| {
        let message = mailbox.resolve(id)?;
        check_match(scope.request, mailbox, message)?;
        let key = message.key;
        mailbox.delete_message(key, now)
    })?;
    Ok(GraphResponse::empty(StatusCode::NO_CONTENT))
}

/// Deletes a message for good.
pub fn erase(scope: &Scope<'_>, id: &str) -> Result<GraphResponse, ODataError> {
    scope.write(|mailbox| {
        let key = mailbox.resolve(id)?.key;
        mailbox.remove(key);
        Ok(GraphResponse::empty(StatusCode::NO_CONTENT))
    })
}

/// The parameter of move and copy, in any case.
pub fn destination(scope: &Scope<'_>) -> Result<String, ODataError> {
    let body = scope.request.json_body()?;
    Fields::of(&body)?.required_text("destinationId").map(str::to_owned)
}

/// Moves a message.
pub fn relocate(scope: &Scope<'_>, id: &str) -> Result<GraphResponse, ODataError> {
    let destination = destination(scope)?;
    let now = scope.service.now();
    let preferences = Preferences::of(scope.request);
    scope.write(|mailbox| {
        let message = mailbox.resolve(id)?;
        let key = message.key;
        let from = message.folder;
        let to = mailbox.resolve_folder(&destination)?;
        if from != to {
            mailbox.relocate(key, to, now, |_| {})?;
        }
        created(scope, mailbox, key, &preferences)
    })
}

/// Copies a message.
pub fn copy(scope: &Scope<'_>, id: &str) -> Result<GraphResponse, ODataError> {
    let destination = destination(scope)?;
    let now = scope.service.now();
    let preferences = Preferences::of(scope.request);
    scope.write(|mailbox| {
        let key = mailbox.resolve(id)?.key;
        let to = mailbox.resolve_folder(&destination)?;
        let copy = mailbox.copy_message(key, to, now)?;
        created(scope, mailbox, copy, &preferences)
    })
}

/// 201 with a message.
pub fn created(
    scope: &Scope<'_>,
    mailbox: &Mailbox,
    key: crate::mail::ids::ItemKey,
    preferences: &Preferences,
) -> Result<GraphResponse, ODataError> {
    let message = mailbox.get(key).ok_or_else(refusal::item_not_found)?;
    let view = view_options::plain(preferences);
    let response = listing::single(mailbox, message, scope.request, &view, StatusCode::CREATED, None);
    Ok(preferences.acknowledge(response, &[]))
}
