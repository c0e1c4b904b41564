//! Control of mailboxes: creating them, putting mail in, looking at it.
//!
//! Owns the endpoints below `/mailboxes`. Injected bytes stay exactly as they are.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Response};
use http::header::CONTENT_TYPE;
use serde::Deserialize;
use serde_json::json;

use crate::control::answers::{Answer, Refusal, created, ok};
use crate::control::tenant::parse;
use crate::directory::seed;
use crate::state::Sandbox;

type Tenant = State<Arc<Sandbox>>;

#[derive(Deserialize)]
struct NewMailbox {
    address: String,
    #[serde(default)]
    display_name: Option<String>,
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
    let user = seed::add_mail_user(&sandbox.tenant, address, new.display_name.as_deref())
        .ok_or_else(|| Refusal::conflict(format!("'{address}' exists already, or the tenant is full")))?;
    sandbox.mail.create_mailbox(user.id, address, &user.display_name);
    created(json!({"id": user.id, "address": address, "display_name": user.display_name}))
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
