//! Control of change notifications: numbers, mishaps, handshakes, all subscriptions.
//!
//! Owns the endpoints below `/notifications` that shape delivery; what was sent and lifecycle events are told in
//! [`super::tenant`].

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use crate::control::answers::{Answer, Refusal, created, ok};
use crate::control::parse;
use crate::directory::Directory as _;
use crate::notify::mishap::Rule;
use crate::state::Sandbox;

type Tenant = State<Arc<Sandbox>>;

/// The numbers in force.
pub async fn tuning(State(sandbox): Tenant) -> Answer {
    ok(json!(sandbox.mail.notifier().tuning()))
}

/// Changes the numbers that are named.
pub async fn tune(State(sandbox): Tenant, body: Bytes) -> Answer {
    let example = r#"{"slow_after_milliseconds": 2900}"#;
    let wished: serde_json::Map<String, Value> = parse(&body, example)?;
    let mut whole = json!(sandbox.mail.notifier().tuning());
    for (name, value) in wished {
        whole[name] = value;
    }
    let tuning = parse(whole.to_string().as_bytes(), example)?;
    sandbox.mail.notifier().tune(tuning).map_err(Refusal::bad)?;
    ok(json!(sandbox.mail.notifier().tuning()))
}

/// The rules for mishaps.
pub async fn mishaps(State(sandbox): Tenant) -> Answer {
    ok(json!({"faults": sandbox.mail.notifier().mishaps().list()}))
}

/// Adds a rule; `mailbox` may be an address.
pub async fn add_mishap(State(sandbox): Tenant, body: Bytes) -> Answer {
    let example = r#"{"mailbox": "support@contoso.example", "times": 3, "action": {"kind": "lose"}}"#;
    let mut document: Value = parse(&body, example)?;
    if let Some(name) = document["mailbox"].as_str() {
        let user = sandbox
            .tenant
            .user(name)
            .or_else(|| sandbox.tenant.user_by_address(name))
            .ok_or_else(|| Refusal::bad(format!("no user has the name or address '{name}'")))?;
        document["mailbox"] = json!(user.id);
    }
    let rule: Rule = parse(document.to_string().as_bytes(), example)?;
    let id = sandbox.mail.notifier().mishaps().add(rule).map_err(Refusal::bad)?;
    created(json!({"id": id}))
}

/// Removes all rules.
pub async fn remove_mishaps(State(sandbox): Tenant) -> Answer {
    ok(json!({"removed": sandbox.mail.notifier().mishaps().remove(None)}))
}

/// Removes one rule.
pub async fn remove_mishap(State(sandbox): Tenant, Path(id): Path<u64>) -> Answer {
    match sandbox.mail.notifier().mishaps().remove(Some(id)) {
        0 => Err(Refusal::missing(format!("no fault of notifications has the id {id}"))),
        removed => ok(json!({"removed": removed})),
    }
}

/// Subscriptions, what is on its way, and the numbers, to be put into another tenant with the same mailboxes.
pub async fn state(State(sandbox): Tenant) -> Answer {
    ok(json!(sandbox.mail.notifier().save()))
}

/// Adds what [`state`] gave.
pub async fn take_up(State(sandbox): Tenant, body: Bytes) -> Answer {
    let saved = parse(&body, "what GET /notifications/state gave")?;
    let refusal = |error: crate::odata::error::ODataError| Refusal::bad(error.message.into_owned());
    sandbox.mail.restore_notifications(saved).map_err(refusal)?;
    subscriptions(State(sandbox)).await
}

/// The handshakes so far, with what was wrong.
pub async fn handshakes(State(sandbox): Tenant) -> Answer {
    ok(json!({"handshakes": sandbox.mail.notifier().handshakes()}))
}

/// All subscriptions of the tenant, whoever made them.
pub async fn subscriptions(State(sandbox): Tenant) -> Answer {
    ok(json!({"subscriptions": sandbox.mail.notifier().subscriptions()}))
}
