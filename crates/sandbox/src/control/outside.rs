//! Control of the world outside: mail that left the tenant, and people who answer it.
//!
//! Owns the endpoints below `/outside`.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Response};
use http::header::CONTENT_TYPE;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::control::answers::{Answer, Refusal, created, ok};
use crate::control::parse;
use crate::control::reply;
use crate::mail::{Arrival, OutsideMail};
use crate::smtp::trace::{self, Hop};
use crate::state::Sandbox;

type Tenant = State<Arc<Sandbox>>;

#[derive(Deserialize)]
pub struct Addressed {
    address: Option<String>,
}

pub async fn list(State(sandbox): Tenant, Query(query): Query<Addressed>) -> Answer {
    let mails = sandbox.mail.outside_mail(query.address.as_deref());
    let mails: Vec<Value> = mails
        .iter()
        .map(|mail| {
            json!({
                "seq": mail.seq,
                "mail_from": mail.mail_from,
                "recipients": mail.recipients,
                "internet_message_id": mail.internet_message_id,
                "subject": mail.subject,
                "size": mail.raw.len(),
                "sent_at": mail.sent_at,
            })
        })
        .collect();
    ok(json!({"mails": mails}))
}

pub async fn mime(State(sandbox): Tenant, Path(seq): Path<u64>) -> Result<Response, Refusal> {
    let mail = find(&sandbox, seq)?;
    Ok(([(CONTENT_TYPE, "message/rfc822")], mail.raw.bytes()).into_response())
}

#[derive(Deserialize)]
struct Text {
    text: String,
}

pub async fn reply(State(sandbox): Tenant, Path((address, seq)): Path<(String, u64)>, body: Bytes) -> Answer {
    let Text { text } = parse(&body, r#"{"text": "Thank you."}"#)?;
    let mail = find(&sandbox, seq)?;
    if !mail
        .recipients
        .iter()
        .any(|recipient| recipient.eq_ignore_ascii_case(&address))
    {
        return Err(Refusal::bad(format!(
            "mail {seq} did not go to {address}, so {address} cannot answer it"
        )));
    }
    let now = sandbox.clock.now();
    let id = sandbox.entropy.uuid();
    let answer = reply::compose(&mail, &address, &text, now, id)
        .ok_or_else(|| Refusal::bad(format!("mail {seq} has no sender to answer")))?;
    let hop = Hop {
        from: &address,
        helo: "mail.outside.example",
        peer: "192.0.2.25",
        at: now,
        id,
        judgement: sandbox.mail.transport().judge(&address, &answer.mime),
    };
    let traced = trace::add(&answer.mime, &hop, answer.recipients.first().map(String::as_str));
    let delivered = sandbox
        .mail
        .deliver_raw(&answer.recipients, &address, traced, Arrival::Smtp)
        .await;
    let delivered = delivered.map_err(|error| Refusal::bad(error.to_string()))?;
    let delivered: Vec<Value> = delivered
        .iter()
        .map(|copy| json!({"address": copy.address, "id": copy.id, "immutable_id": copy.immutable_id}))
        .collect();
    created(json!({"internet_message_id": answer.internet_message_id, "delivered": delivered}))
}

pub(super) fn find(sandbox: &Sandbox, seq: u64) -> Result<OutsideMail, Refusal> {
    let mails = sandbox.mail.outside_mail(None);
    let mail = mails.into_iter().find(|mail| mail.seq == seq);
    mail.ok_or_else(|| Refusal::missing(format!("no outside mail has the number {seq}")))
}
