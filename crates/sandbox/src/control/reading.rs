//! Mailboxes and messages as a person reads them.
//!
//! Owns what the page shows of a message: headers, text, HTML, attachments, all read from its bytes. HTML leaves with
//! a policy under which it can neither load anything nor run anything.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::header::{CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName};
use mail_parser::{Message, MessageParser, MimeHeaders as _};
use serde_json::{Value, json};

use crate::control::answers::{Answer, Refusal, ok};
use crate::directory::model::User;
use crate::state::Sandbox;

type Tenant = State<Arc<Sandbox>>;

/// Headers of one message that are shown.
const MAX_HEADERS: usize = 500;
/// What HTML of a mail may do: look like something.
const MAIL_POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; form-action 'none'; sandbox";
const PREFETCH: HeaderName = HeaderName::from_static("x-dns-prefetch-control");

pub async fn mailboxes(State(sandbox): Tenant) -> Answer {
    let users: Vec<User> = {
        let objects = sandbox.tenant.read();
        objects.users().filter(|user| user.mail.is_some()).cloned().collect()
    };
    let shown: Vec<Value> = users
        .iter()
        .filter_map(|user| {
            let address = user.mail.as_deref()?;
            sandbox
                .mail
                .accepts(address)
                .then(|| json!({"id": user.id, "address": address, "display_name": user.display_name}))
        })
        .collect();
    ok(json!({"mailboxes": shown}))
}

pub async fn folders(State(sandbox): Tenant, Path(address): Path<String>) -> Answer {
    match sandbox.mail.folders_for_control(&address) {
        Some(folders) => ok(json!({"folders": folders})),
        None => Err(Refusal::missing(format!("no mailbox has the address {address}"))),
    }
}

pub async fn message(State(sandbox): Tenant, Path((address, id)): Path<(String, String)>) -> Answer {
    let raw = of_mailbox(&sandbox, &address, &id)?;
    ok(shown(&raw))
}

pub async fn message_html(
    State(sandbox): Tenant,
    Path((address, id)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    Ok(html(&of_mailbox(&sandbox, &address, &id)?))
}

pub async fn message_attachment(
    State(sandbox): Tenant,
    Path((address, id, number)): Path<(String, String, usize)>,
) -> Result<Response, Refusal> {
    attachment(&of_mailbox(&sandbox, &address, &id)?, number)
}

pub async fn outside(State(sandbox): Tenant, Path(seq): Path<u64>) -> Answer {
    ok(shown(&of_outside(&sandbox, seq)?))
}

pub async fn outside_html(State(sandbox): Tenant, Path(seq): Path<u64>) -> Result<Response, Refusal> {
    Ok(html(&of_outside(&sandbox, seq)?))
}

pub async fn outside_attachment(
    State(sandbox): Tenant,
    Path((seq, number)): Path<(u64, usize)>,
) -> Result<Response, Refusal> {
    attachment(&of_outside(&sandbox, seq)?, number)
}

fn of_mailbox(sandbox: &Sandbox, address: &str, id: &str) -> Result<Bytes, Refusal> {
    let raw = sandbox.mail.raw_mime(address, id);
    raw.ok_or_else(|| Refusal::missing(format!("the mailbox {address} has no message {id}")))
}

fn of_outside(sandbox: &Sandbox, seq: u64) -> Result<Bytes, Refusal> {
    super::outside::find(sandbox, seq).map(|mail| mail.raw.bytes())
}

fn shown(raw: &[u8]) -> Value {
    let Some(message) = MessageParser::default().parse(raw) else {
        return json!({"headers": [], "text": String::from_utf8_lossy(raw), "has_html": false, "attachments": []});
    };
    let headers: Vec<Value> = message
        .headers_raw()
        .take(MAX_HEADERS)
        .map(|(name, value)| json!({"name": name, "value": value.trim()}))
        .collect();
    let attachments: Vec<Value> = message
        .attachments()
        .enumerate()
        .map(|(number, part)| {
            json!({
                "number": number,
                "name": part.attachment_name(),
                "content_type": content_type(part),
                "size": part.contents().len(),
            })
        })
        .collect();
    json!({
        "subject": message.subject(),
        "headers": headers,
        "text": message.body_text(0),
        "has_html": has_html(&message),
        "attachments": attachments,
    })
}

/// Whether the message itself has HTML, not only text that could be shown as such.
fn has_html(message: &Message<'_>) -> bool {
    message.html_part(0).is_some_and(mail_parser::MessagePart::is_text_html)
}

fn html(raw: &[u8]) -> Response {
    let parsed = MessageParser::default().parse(raw);
    let body = parsed.as_ref().and_then(|message| message.body_html(0));
    let body = body.map(std::borrow::Cow::into_owned).unwrap_or_default();
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, MAIL_POLICY),
        (PREFETCH, "off"),
    ];
    (headers, body).into_response()
}

fn attachment(raw: &[u8], number: usize) -> Result<Response, Refusal> {
    let parsed = MessageParser::default().parse(raw);
    let part = parsed
        .as_ref()
        .and_then(|message| message.attachment(u32::try_from(number).ok()?));
    let part = part.ok_or_else(|| Refusal::missing(format!("the message has no attachment {number}")))?;
    // Saved, never shown: it could be a page.
    let headers = [
        (CONTENT_TYPE, "application/octet-stream"),
        (CONTENT_DISPOSITION, "attachment"),
        (CONTENT_SECURITY_POLICY, "sandbox"),
    ];
    Ok((headers, part.contents().to_vec()).into_response())
}

fn content_type(part: &mail_parser::MessagePart<'_>) -> Option<String> {
    let given = part.content_type()?;
    Some(match given.subtype() {
        Some(subtype) => format!("{}/{subtype}", given.ctype()),
        None => given.ctype().to_owned(),
    })
}
