//! Sending: a stored draft, or a message in one call.
//!
//! Owns the checks before a mail leaves (recipients, sender, size) and the atomic step from draft to sent item: under
//! one lock the message leaves Drafts, appears in Sent Items under the same immutable id, and is no draft any more; so
//! a second send finds no draft, and a mail is delivered exactly once.

use bytes::Bytes;
use http::StatusCode;
use http::header::CONTENT_LENGTH;

use crate::auth::CallerKind;
use crate::directory::SendRight;
use crate::mail::fields::Fields;
use crate::mail::mailbox::Mailbox;
use crate::mail::message::{Content, Message, Origin, Person};
use crate::mail::message_endpoints::{is_mime, making, mime_body, resolve_names, start_conversation};
use crate::mail::message_input::MessageInput;
use crate::mail::routes::Scope;
use crate::mail::transport::Outgoing;
use crate::mail::well_known::WellKnown;
use crate::mail::{compose, draft, mime, refusal, wire};
use crate::odata::error::ODataError;
use crate::server::paths::GraphResponse;

/// Whether a sent mail is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeping {
    SentItems,
    Nowhere,
}

/// 202 without a body.
fn accepted() -> GraphResponse {
    GraphResponse::empty(StatusCode::ACCEPTED).with_header(CONTENT_LENGTH, "0")
}

/// Sends a stored draft.
pub fn send_draft(scope: &Scope<'_>, id: &str) -> Result<GraphResponse, ODataError> {
    let now = scope.service.now();
    let outgoing = scope.write(|mailbox| {
        let draft = mailbox.resolve(id)?;
        if !draft.is_draft {
            return Err(refusal::not_a_draft("send the message"));
        }
        let mut sent = draft.clone();
        let mut outgoing = prepare(scope, &mut sent)?;
        admit(scope, mailbox, &mut outgoing)?;
        let sent_items = mailbox.well_known(WellKnown::SentItems);
        mailbox.relocate(sent.key, sent_items, now, |message| *message = sent)?;
        Ok(outgoing)
    })?;
    scope.service.send_off(outgoing);
    Ok(accepted())
}

/// `sendMail`, as JSON or MIME.
pub fn send_mail(scope: &Scope<'_>) -> Result<GraphResponse, ODataError> {
    let making = making(scope);
    if is_mime(scope.request) {
        let (message, ancestry) = draft::from_mime(mime_body(scope.request)?, &making);
        return send_new(scope, message, &ancestry, Keeping::SentItems);
    }
    let body = scope.request.json_body()?;
    let fields = Fields::of(&body)?;
    fields.only(&["message", "saveToSentItems"], "sendMail")?;
    let message = fields
        .object("message")?
        .ok_or_else(|| ODataError::bad_request("The parameter 'Message' is required by the action 'sendMail'."))?;
    let keeping = if fields.boolean("saveToSentItems")?.unwrap_or(true) {
        Keeping::SentItems
    } else {
        Keeping::Nowhere
    };
    let mut input = MessageInput::read(message, making.at)?;
    resolve_names(scope, &mut input);
    let message = draft::from_input(input, making)?;
    let ancestry = mime::ancestry(&message);
    send_new(scope, message, &ancestry, keeping)
}

/// Sends a message that is not stored yet.
pub fn send_new(
    scope: &Scope<'_>,
    mut message: Message,
    ancestry: &crate::mail::conversation::Ancestry,
    keeping: Keeping,
) -> Result<GraphResponse, ODataError> {
    let outgoing = scope.write(|mailbox| {
        start_conversation(scope, mailbox, &mut message, ancestry);
        let mut outgoing = prepare(scope, &mut message)?;
        admit(scope, mailbox, &mut outgoing)?;
        if keeping == Keeping::SentItems {
            let sent_items = mailbox.well_known(WellKnown::SentItems);
            mailbox.insert(message, sent_items)?;
        }
        Ok::<_, ODataError>(outgoing)
    })?;
    scope.service.send_off(outgoing);
    Ok(accepted())
}

/// Turns a draft into the sent message and its wire form; nothing is stored.
fn prepare(scope: &Scope<'_>, message: &mut Message) -> Result<Outgoing, ODataError> {
    let own = scope
        .user
        .mail
        .clone()
        .unwrap_or_else(|| scope.user.user_principal_name.clone());
    check_sender(scope, message, &own)?;
    let settings = scope.service.transport.settings();
    let recipients = recipients(message, settings.recipients_per_message)?;
    let at = scope.service.clock.now();
    message.sent = at.as_second();
    message.received = at.as_second();
    message.modified = at.as_second();
    message.is_draft = false;
    message.is_read = true;
    message.origin = Origin::Transported;
    if message.people.from.is_none() {
        message.people.from = Some(Box::new(Person {
            name: scope.user.display_name.as_str().into(),
            address: own.as_str().into(),
        }));
    }
    let bytes = match &message.content {
        Content::Draft(_) => compose::message(message),
        Content::Mime(raw) => complete_mime(message, &raw.bytes(), &own, at),
    };
    if bytes.len() > settings.max_message_bytes {
        return Err(refusal::too_large());
    }
    message.size = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    message.content = Content::Mime(bytes.clone().into());
    // On behalf of another, the envelope names who really sends.
    let mail_from = message
        .people
        .shown_sender()
        .map_or(own, |person| person.address.to_string());
    Ok(Outgoing {
        mail_from,
        recipients,
        bytes,
        delivery_receipt: message.delivery_receipt,
        due: message.sent,
    })
}

/// Counts the mail against what its mailbox may send, and sets when it leaves.
fn admit(scope: &Scope<'_>, mailbox: &mut Mailbox, outgoing: &mut Outgoing) -> Result<(), ODataError> {
    let (recipients, bytes) = (outgoing.recipients.len(), outgoing.bytes.len());
    outgoing.due = scope
        .service
        .transport
        .admit(mailbox, recipients, bytes, scope.service.now())?;
    Ok(())
}

/// What Exchange adds to a mail submitted as MIME.
fn complete_mime(message: &Message, bytes: &[u8], own: &str, at: jiff::Timestamp) -> Bytes {
    use base64::Engine;
    let topic = compose::topic(&message.subject);
    let mut defaults = vec![
        ("From", format!("<{own}>")),
        ("Date", wire::rfc2822(at)),
        ("Message-ID", message.internet_message_id.to_string()),
        (
            "Thread-Index",
            base64::engine::general_purpose::STANDARD.encode(&message.conversation_index),
        ),
        ("MIME-Version", "1.0".to_owned()),
    ];
    if let Some(sender) = &message.people.sender {
        defaults.push(("Sender", format!("<{}>", sender.address)));
    }
    if topic.is_ascii() {
        defaults.push(("Thread-Topic", topic.to_owned()));
    }
    wire::outgoing(bytes, &defaults).into()
}

/// Lets a mail leave in the name of the mailbox itself, or of another that the sender may send as or on behalf of.
///
/// Sending as another names only the other; sending on behalf adds the sender. The sender is the signed-in person, or
/// for an application the mailbox it sends from.
fn check_sender(scope: &Scope<'_>, message: &mut Message, own: &str) -> Result<(), ODataError> {
    let directory = &scope.service.directory;
    let sender_id = match scope.request.caller.kind {
        CallerKind::Delegated => scope.request.caller.user_id.unwrap_or(scope.user.id),
        CallerKind::App | CallerKind::Anonymous => scope.user.id,
    };
    let owner_of = |address: &str| {
        if address.is_empty() || address.eq_ignore_ascii_case(own) {
            return Some(scope.user.clone());
        }
        directory.user_by_address(address)
    };
    let written = message.people.from.as_deref().map_or("", |from| &*from.address);
    let from = owner_of(written).ok_or_else(refusal::send_as_denied)?;
    // Exchange writes the primary address in place of an alias unless the organisation allows aliases.
    if let Some(primary) = from.mail.as_deref().filter(|_| !directory.sends_from_alias())
        && let Some(person) = message.people.from.as_deref_mut()
        && !person.address.is_empty()
        && !person.address.eq_ignore_ascii_case(primary)
        && directory
            .user_by_address(&person.address)
            .is_some_and(|user| user.id == from.id)
    {
        person.address = primary.into();
    }
    let right = match from.id == sender_id {
        true => SendRight::As,
        false => directory
            .send_right(sender_id, from.id)
            .ok_or_else(refusal::send_as_denied)?,
    };
    let named = message
        .people
        .sender
        .as_deref()
        .filter(|sender| !sender.address.is_empty());
    if let Some(named) = named {
        let named = owner_of(&named.address).map(|user| user.id);
        let allowed = named == Some(sender_id) || (named == Some(from.id) && right == SendRight::As);
        return if allowed {
            Ok(())
        } else {
            Err(refusal::send_as_denied())
        };
    }
    if right == SendRight::OnBehalf
        && let Some(sender) = directory.user(&sender_id.to_string())
    {
        let address = sender.mail.unwrap_or(sender.user_principal_name);
        message.people.sender = Some(Box::new(Person {
            name: sender.display_name.into(),
            address: address.into(),
        }));
    }
    Ok(())
}

fn recipients(message: &Message, most: usize) -> Result<Vec<String>, ODataError> {
    let mut recipients = Vec::new();
    for person in message.people.recipients() {
        if !plausible(&person.address) {
            let shown = if person.address.is_empty() {
                &person.name
            } else {
                &person.address
            };
            return Err(refusal::bad_recipient(shown));
        }
        recipients.push(person.address.to_string());
    }
    if recipients.is_empty() {
        return Err(refusal::no_recipients());
    }
    if recipients.len() > most {
        return Err(ODataError::new(
            StatusCode::BAD_REQUEST,
            "ErrorInvalidRecipients",
            format!("The message has more than {most} recipients."),
        ));
    }
    Ok(recipients)
}

/// Something before and after one last `@`, and nothing that would break an envelope.
fn plausible(address: &str) -> bool {
    let Some((local, domain)) = address.rsplit_once('@') else {
        return false;
    };
    !local.is_empty()
        && !domain.is_empty()
        && !domain.starts_with('.')
        && !domain.ends_with('.')
        && !address.chars().any(|character| {
            character.is_whitespace() || character.is_control() || matches!(character, '<' | '>' | ',')
        })
}

#[cfg(test)]
mod tests {
    use super::plausible;

    #[test]
    fn only_plausible_addresses_are_sent_to() {
        assert!(plausible("ada+tag@fabrikam.example") && plausible("\"a@b\"@fabrikam.example"));
        for bad in [
            "",
            "ada",
            "@fabrikam.example",
            "ada@",
            "a b@fabrikam.example",
            "a@x\r\nRCPT",
            "a@.x",
            "a,b@x",
        ] {
            assert!(!plausible(bad), "{bad}");
        }
    }
}
