//! People outside who write to a mailbox.
//!
//! Owns `POST /outside/compose`: a new mail, composed and delivered as a mail server outside would.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use mail_builder::MessageBuilder;
use mail_builder::headers::date::Date;
use serde::Deserialize;
use serde_json::json;

use crate::control::answers::{Answer, Refusal, created};
use crate::control::parse;
use crate::mail::Arrival;
use crate::smtp::trace::{self, Hop};
use crate::state::Sandbox;

type Tenant = State<Arc<Sandbox>>;

/// Mailboxes one mail goes to, as Exchange Online limits them.
const MAX_RECIPIENTS: usize = 1000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    from: String,
    to: Vec<String>,
    #[serde(default)]
    subject: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    html: Option<String>,
}

pub async fn compose(State(sandbox): State<Arc<Sandbox>>, body: Bytes) -> Answer {
    let example = r#"{"from": "customer@outside.example", "to": ["support@contoso.example"], "subject": "Hello", "text": "Hello."}"#;
    let new: New = parse(&body, example)?;
    if !new.from.contains('@') || new.from.contains(char::is_whitespace) {
        return Err(Refusal::bad(format!("'{}' is not a mail address", new.from)));
    }
    if new.to.is_empty() || new.to.len() > MAX_RECIPIENTS {
        return Err(Refusal::bad(format!("a mail goes to 1 to {MAX_RECIPIENTS} mailboxes")));
    }
    send(State(sandbox), new).await
}

async fn send(State(sandbox): Tenant, new: New) -> Answer {
    let (now, id) = (sandbox.clock.now(), sandbox.entropy.uuid());
    let domain = new
        .from
        .rsplit_once('@')
        .map_or("outside.example", |(_, domain)| domain);
    let message_id = format!("{}@{domain}", id.simple());
    let mut builder = MessageBuilder::new()
        .from(new.from.clone())
        .to(new.to.clone())
        .subject(new.subject)
        .date(Date::new(now.as_second()))
        .message_id(message_id.clone())
        .text_body(new.text);
    if let Some(html) = new.html {
        builder = builder.html_body(html);
    }
    let mime = builder
        .write_to_vec()
        .map_err(|error| Refusal::bad(error.to_string()))?;
    let hop = Hop {
        from: &new.from,
        helo: "mail.outside.example",
        peer: "192.0.2.25",
        at: now,
        id,
        judgement: sandbox.mail.transport().judge(&new.from, &mime),
    };
    let only = match new.to.as_slice() {
        [only] => Some(only.as_str()),
        _ => None,
    };
    let traced = trace::add(&mime, &hop, only);
    let delivered = sandbox
        .mail
        .deliver_raw(&new.to, &new.from, traced, Arrival::Smtp)
        .await;
    let delivered = delivered.map_err(|error| Refusal::missing(error.to_string()))?;
    let delivered: Vec<_> = delivered
        .iter()
        .map(|copy| json!({"address": copy.address, "id": copy.id, "immutable_id": copy.immutable_id}))
        .collect();
    created(json!({"internet_message_id": format!("<{message_id}>"), "delivered": delivered}))
}
