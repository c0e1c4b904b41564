//! Control of mailboxes: creating them, putting mail in, looking at it.
//!
//! Owns the endpoints below `/mailboxes`. Injected bytes stay exactly as they are.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Response};
use http::header::CONTENT_TYPE;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;

use crate::control::answers::{Answer, Refusal, created, ok};
use crate::control::parse;
use crate::directory::seed;
use crate::mail;
use crate::state::Sandbox;

type Tenant = State<Arc<Sandbox>>;

#[derive(Deserialize)]
struct NewMailbox {
    address: String,
    #[serde(default)]
    display_name: Option<String>,
    /// Locale; folders are named in its language.
    #[serde(default)]
    language: Option<String>,
    /// With one, the owner can sign in.
    #[serde(default)]
    password: Option<String>,
}

fn locale(wanted: &str) -> Result<&'static str, Refusal> {
    mail::known_locale(wanted).ok_or_else(|| {
        Refusal::bad(format!(
            "'{wanted}' is not a locale that a mailbox can have, such as fr-FR"
        ))
    })
}

pub async fn create(State(sandbox): Tenant, body: Bytes) -> Answer {
    let new: NewMailbox = parse(
        &body,
        r#"{"address": "orders@contoso.example", "display_name": "Orders"}"#,
    )?;
    let address = new.address.trim();
    let parts = address.split_once('@');
    if parts.is_none_or(|(local, domain)| local.is_empty() || !domain.contains('.') || domain.contains('@')) {
        return Err(Refusal::bad(format!("'{address}' is not a mail address")));
    }
    let language = new.language.as_deref().map(locale).transpose()?;
    let password = new.password.map(SecretString::from);
    let user = seed::add_mail_user(&sandbox.tenant, address, new.display_name.as_deref(), password)
        .ok_or_else(|| Refusal::conflict(format!("'{address}' exists already, or the tenant is full")))?;
    sandbox.mail.create_mailbox(user.id, address, &user.display_name);
    if let Some(language) = language {
        sandbox.mail.speak(address, language);
    }
    created(json!({"id": user.id, "address": address, "display_name": user.display_name}))
}

#[derive(Deserialize)]
struct Language {
    language: String,
}

/// Gives a mailbox another language.
pub async fn speak(State(sandbox): Tenant, Path(address): Path<String>, body: Bytes) -> Answer {
    let Language { language } = parse(&body, r#"{"language": "fr-FR"}"#)?;
    let language = locale(&language)?;
    if sandbox.mail.speak(&address, language) {
        ok(json!({"address": address, "language": language}))
    } else {
        Err(Refusal::missing(format!("no mailbox has the address {address}")))
    }
}

/// The settings of a mailbox, and whether it sends automatic replies now.
pub async fn settings(State(sandbox): Tenant, Path(address): Path<String>) -> Answer {
    match sandbox.mail.settings_for_control(&address) {
        Some(settings) => {
            let replying = settings.automatic_replies.active_at(sandbox.clock.now());
            ok(json!({"settings": settings, "replying": replying}))
        }
        None => Err(Refusal::missing(format!("no mailbox has the address {address}"))),
    }
}

#[derive(Deserialize)]
pub struct Into {
    folder: Option<String>,
}

pub async fn inject(
    State(sandbox): Tenant,
    Path(address): Path<String>,
    Query(into): Query<Into>,
    body: Bytes,
) -> Answer {
    if body.is_empty() {
        return Err(Refusal::bad("the body is empty: send the bytes of one message"));
    }
    let delivered = sandbox.mail.deliver_into(&address, into.folder.as_deref(), body).await;
    let delivered = delivered.map_err(|error| Refusal::missing(error.to_string()))?;
    created(json!({"id": delivered.id, "immutable_id": delivered.immutable_id}))
}

pub async fn list(State(sandbox): Tenant, Path(address): Path<String>) -> Answer {
    match sandbox.mail.list_for_control(&address) {
        Some(messages) => ok(json!({"messages": messages})),
        None => Err(Refusal::missing(format!("no mailbox has the address {address}"))),
    }
}

pub async fn mime(State(sandbox): Tenant, Path((address, id)): Path<(String, String)>) -> Result<Response, Refusal> {
    match sandbox.mail.raw_mime(&address, &id) {
        Some(raw) => Ok(([(CONTENT_TYPE, "message/rfc822")], raw).into_response()),
        None => Err(Refusal::missing(format!("the mailbox {address} has no message {id}"))),
    }
}
